"""User attributes."""

import pytest

from tests.conftest import Tenant

FORM = "application/x-www-form-urlencoded"


def write(tenant: Tenant, username: str, content: str | bytes) -> object:
    return tenant.put(f"/metadata/user/{username}", data=content, content_type=FORM)


def test_attributes_are_merged_and_read_back(acme: Tenant) -> None:
    first = write(acme, "alice", "nickname=Ada%20L&mail=ada%40acme.example")
    write(acme, "alice", "mail=a%40b.c&empty=&twice=1&twice=2")

    assert first.json.keys() == {"timestamp", "data", "duration"}
    assert first.json["data"] == {"nickname": "Ada L", "mail": "ada@acme.example"}
    assert acme.get("/metadata/user/ALICE").json["data"] == {
        "nickname": "Ada L",
        "mail": "a@b.c",
        "empty": "",
        "twice": "2",
    }


def test_an_empty_body_changes_nothing(acme: Tenant) -> None:
    write(acme, "alice", "a=1")

    assert write(acme, "alice", "").json["data"] == {}
    assert acme.get("/metadata/user/alice").json["data"] == {"a": "1"}


def test_a_user_writes_only_their_own(acme: Tenant) -> None:
    alice = acme.as_user("alice")

    own = write(alice, "Alice", "a=1")
    others = write(alice, "bob", "a=1")
    unknown = write(alice, "nobody", "a=1")
    anonymous = write(acme.as_nobody(), "alice", "a=2")

    assert own.status_code == 200
    for refused in (others, unknown, anonymous):
        assert refused.status_code == 401
        assert refused.json.keys() == {"desc", "duration", "timestamp"}
        assert refused.json["desc"] == "unauthorized"
    assert acme.get("/metadata/user/bob").json["data"] == {}


def test_any_user_reads_anyones(acme: Tenant) -> None:
    write(acme, "alice", "a=1")

    answer = acme.as_user("bob").get("/metadata/user/alice")

    assert answer.json["data"] == {"a": "1"}
    assert acme.get("/metadata/user/nobody").json["data"] == {}
    assert acme.as_nobody().get("/metadata/user/alice").json["desc"] == "unauthorized"


def test_a_user_nobody_knows_is_not_found_by_the_app(acme: Tenant) -> None:
    answer = write(acme, "nobody", "a=1")

    assert answer.status_code == 404
    assert answer.json["desc"] == "Not Found"


def test_json_is_no_form(acme: Tenant) -> None:
    answer = acme.put("/metadata/user/alice", json={"a": "1"})

    assert answer.status_code == 415
    assert answer.json["desc"] == "Unsupported Media Type"


def test_two_kilobytes_fit_and_no_byte_more(acme: Tenant) -> None:
    full = write(acme, "alice", "k=" + "x" * 2047)
    over = write(acme, "alice", "k=" + "x" * 2048)
    in_bytes = write(acme, "bob", "k=" + "%E5%90%8D" * 683)

    assert full.status_code == 200
    for refused in (over, in_bytes):
        assert refused.status_code == 403
        assert refused.json["desc"] == "user metadata length exceed the limit"
    assert refused.json["rule"] == "users.attributes"
    assert acme.get("/metadata/user/bob").json["data"] == {}


def test_many_at_once(acme: Tenant) -> None:
    write(acme, "alice", "a=1&b=2")

    answer = acme.as_user("bob").post(
        "/metadata/user/get",
        json={"targets": ["Alice", "nobody", "Alice"], "properties": ["b", "c"]},
    )

    assert answer.json["data"] == {"Alice": {"b": "2"}, "nobody": {}}


@pytest.mark.parametrize(
    "body",
    [
        {"targets": ["alice"]},
        {"properties": ["a"]},
        {"targets": [], "properties": []},
        {"targets": "alice", "properties": ["a"]},
        {"targets": ["alice"], "properties": [1]},
        [],
    ],
)
def test_many_wrongly_asked(acme: Tenant, body: object) -> None:
    answer = acme.post("/metadata/user/get", json=body)

    assert answer.status_code == 400
    assert answer.json["desc"] == "Bad Request"


def test_too_many_at_once(acme: Tenant) -> None:
    over = acme.post(
        "/metadata/user/get", json={"targets": ["x"] * 101, "properties": []}
    )
    full = acme.post(
        "/metadata/user/get", json={"targets": ["x"] * 100, "properties": []}
    )

    assert over.status_code == 403
    assert over.json["desc"] == "exceed allowed batch size 100"
    assert full.status_code == 200


def test_capacity_follows_what_is_stored(acme: Tenant) -> None:
    def capacity() -> int:
        return acme.get("/metadata/user/capacity").json["data"]

    assert capacity() == 0
    write(acme, "alice", "abc=12345")
    write(acme, "bob", "%E5%90%8D=1")
    assert capacity() == 8 + 4
    write(acme, "alice", "abc=1")
    assert capacity() == 4 + 4
    acme.delete("/metadata/user/alice")
    assert capacity() == 4
    acme.delete("/users/bob")
    assert capacity() == 0
    assert acme.as_user("alice").get("/metadata/user/capacity").status_code == 401


def test_deleting_is_idempotent(acme: Tenant) -> None:
    write(acme, "alice", "a=1")

    for name in ("alice", "alice", "nobody"):
        answer = acme.delete(f"/metadata/user/{name}")
        assert answer.json["data"] is True

    assert acme.get("/metadata/user/alice").json["data"] == {}
    assert acme.as_user("bob").delete("/metadata/user/alice").status_code == 401


@pytest.mark.parametrize("content", [b"k=\xff", b"k=%FF"])
def test_what_is_not_utf8_is_refused(acme: Tenant, content: bytes) -> None:
    answer = write(acme, "alice", content)

    assert answer.status_code == 400
    assert answer.json["desc"] == "Bad Request"
