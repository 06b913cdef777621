"""What comes from outside is hostile until checked: a clear error, and no change."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from server.store.models import Message
from tests import facts
from tests.conftest import Clock, Tenant
from tests.server.gunicorn import Gunicorn, flask, parse, serving

GOOD = b'{"target_type":"users","target":["ada"],"msg":{"type":"txt","msg":"hi"}}'
MOST = facts.BOUNDS["messages.request_body"][1]
DEEP = 100_000


def post(acme: Tenant, content: bytes, **options: object) -> object:
    return acme.post("/messages", data=content, **options)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"x",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\n"}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b'{"a":1}{"b":2}',
        b"\x00" * 10,
    ],
)
def test_what_is_not_json_is_told_so(acme: Tenant, content: bytes) -> None:
    answer = post(acme, content, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["error"] == "json_parse"
    assert answer.json["error_description"].startswith("Unexpected ")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"x"', b"17", b"true", b"[{}]"])
def test_json_of_another_shape_is_an_invalid_request(
    acme: Tenant, content: bytes
) -> None:
    answer = post(acme, content, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == "this is an invalid request."


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("text/plain", GOOD),
        ("multipart/form-data; boundary=x", GOOD),
        ("multipart/form-data", GOOD),
        ("application/xml", b"<a/>"),
        ("application/x-www-form-urlencoded", b"a=b"),
        ("\x00", GOOD),
    ],
)
def test_any_other_label_is_refused(acme: Tenant, label: str, content: bytes) -> None:
    answer = post(acme, content, content_type=label)

    assert answer.status_code == 415
    assert answer.json["error"] == "web_application"
    assert answer.json["error_description"] == "Unsupported Media Type"


@pytest.mark.parametrize("size", [MOST + 1, 10 * 1024 * 1024])
def test_a_body_beyond_the_figure_is_too_large(acme: Tenant, size: int) -> None:
    answer = post(acme, GOOD.ljust(size), content_type="application/json")

    assert answer.status_code == 413
    assert answer.json["error"] == "Request Entity Too Large"
    assert Message.select().count() == 0


@pytest.mark.parametrize("value", [10**30, -1, 1.5, "x" * 5000, {"a": {}}, [[]], True])
@pytest.mark.parametrize("field", ["target_type", "target", "msg", "from", "ext"])
def test_a_field_of_a_wrong_type_changes_nothing(
    acme: Tenant, clock: Clock, field: str, value: object
) -> None:
    whole = {
        "target_type": "users",
        "target": ["ada"],
        "msg": {"type": "txt", "msg": "x"},
    }

    answer = acme.post("/messages", json=whole | {field: value})

    fits = (field == "ext" and isinstance(value, dict)) or (
        field == "from" and isinstance(value, str)
    )
    assert answer.status_code in ((200, 413) if fits else (400,))


def test_numbers_too_large_for_the_database_are_kept_as_text(acme: Tenant) -> None:
    whole = {
        "target_type": "chatgroups",
        "target": [2**63],
        "msg": {"type": "txt", "msg": "x"},
    }

    assert acme.post("/messages", json=whole).json["data"] == {str(2**63): "success"}


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/users/alice/nothing", "/messages/nothing", "/%2e%2e/users", "/a%00b", "/%FF", "/" + "x" * 4000],
)  # fmt: skip
def test_an_unknown_path_is_not_found(acme: Tenant, path: str) -> None:
    answer = acme.get(path)

    assert answer.status_code == 404
    assert answer.json["error"] == "service_resource_not_found"


def test_an_unknown_path_of_an_unknown_app_names_the_app(acme: Tenant) -> None:
    answer = acme.client.get("/acme/none/nothing/at/all")

    assert answer.status_code == 404
    assert answer.json["error"] == "organization_application_not_found"
    assert answer.json["error_description"].endswith("acme/none/nothing/at/all")


def test_a_known_path_tells_its_methods(acme: Tenant) -> None:
    answer = acme.call("PATCH", "/users")

    assert answer.status_code == 405
    assert answer.json["error"] == "unsupported_service_operation"
    assert answer.json["error_description"] == "Service operation not supported"
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST", "DELETE"}


def test_a_method_http_does_not_know(acme: Tenant) -> None:
    assert acme.call("BREW", "/users").status_code == 501


def test_strangers_are_guarded_and_spend_nothing(acme: Tenant) -> None:
    """The default admits 60 a second from one address."""
    nobody = acme.as_nobody()

    statuses = [nobody.get("/users/alice").status_code for _ in range(61)]
    refused = nobody.get("/users/alice")
    other = nobody.get("/users/alice", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})

    assert statuses == [401] * 60 + [429]
    assert refused.json["error"] == "reach_limit"
    assert refused.headers["Retry-After"] == "1"
    assert "RateLimit" not in refused.headers
    assert other.status_code == 401
    assert acme.get("/users/alice").status_code == 200
    assert acme.get("/limits").json["data"][0]["rules"][0]["remaining"] == 9


def test_one_ipv6_host_is_one_stranger(acme: Tenant) -> None:
    nobody = acme.as_nobody()
    for n in range(60):
        nobody.get("/users/a", environ_overrides={"REMOTE_ADDR": f"2001:db8::{n:x}"})

    same = nobody.get("/users/a", environ_overrides={"REMOTE_ADDR": "2001:db8::ffff"})
    other = nobody.get("/users/a", environ_overrides={"REMOTE_ADDR": "2001:db8:0:1::1"})

    assert same.status_code == 429
    assert other.status_code == 401


def test_tokens_are_guarded_too(acme: Tenant) -> None:
    nobody = acme.as_nobody()
    guesses = [
        nobody.post("/token", json={"grant_type": "client_credentials"}).status_code
        for _ in range(61)
    ]

    assert guesses == [400] * 60 + [429]


def test_user_tokens_that_may_not_are_guarded(acme: Tenant) -> None:
    alice = acme.as_user("alice")

    statuses = {alice.get("/users/bob").status_code for _ in range(60)}

    assert statuses == {401}
    assert alice.get("/users/bob").status_code == 429
    assert acme.get("/limits").json["data"][0]["rules"][0]["remaining"] == 10


# Over a socket: bytes that no client has a reason to send.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    place = tmp_path_factory.mktemp("hostile") / "state"
    with serving(place, workers="1", guard_calls="100000") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Gunicorn) -> str:
    tree = Path(__file__).parent.parent.parent
    made = orjson.loads(
        flask(tree, server.state_dir, "apps", "create", "quirk/app", "--edition", "enterprise", "--json")
    )  # fmt: skip
    grant = {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "ttl": "",
    }
    _, _, answer = server.call("POST", "/quirk/app/token", grant)
    return str(answer["access_token"])


def exchange(
    server: Gunicorn, token: str, request: bytes
) -> tuple[int, dict[str, str], object]:
    return parse(server.raw(request.replace(b"TOKEN", token.encode())))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /quirk/app/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        b"POST /quirk/app/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /quirk/app/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /quirk/app/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"GET /quirk/app/users\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)  # fmt: skip
def test_a_request_that_smuggles_is_not_served(
    server: Gunicorn, request_bytes: bytes
) -> None:
    raw = server.raw(request_bytes)

    assert raw.count(b"HTTP/1.1 ") <= 1
    assert b" 200 " not in raw.split(b"\r\n")[0]


def test_a_chunked_body_without_end_is_bounded(server: Gunicorn, token: str) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    request_bytes = (
        b"POST /quirk/app/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 8
        + b"0\r\n\r\n"
    )

    assert exchange(server, token, request_bytes)[0] == 413


def test_a_hostile_host_stays_a_string(server: Gunicorn, token: str) -> None:
    request_bytes = (
        b'GET /quirk/app/limits HTTP/1.1\r\nHost: x"},{"\r\n'
        b"Authorization: Bearer TOKEN\r\nConnection: close\r\n\r\n"
    )

    raw = server.raw(request_bytes.replace(b"TOKEN", token.encode()))

    assert raw.startswith(b"HTTP/1.1 400") or parse(raw)[0] == 200


SEND = {"target_type": "users", "target": ["bob"], "msg": {"type": "txt", "msg": "x"}}
GROUP = {"groupname": "n", "desc": "d", "owner": "alice", "members": ["bob"]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/users/alice", {"nickname": "a\x00b"}),
        ("POST", "/users", {"username": "carol", "nickname": "a\x00b"}),
        ("POST", "/messages", SEND | {"target": ["a\x00b"]}),
        ("POST", "/messages", SEND | {"from": "a\x00b"}),
        ("POST", "/chatgroups", GROUP | {"groupname": "a\x00b"}),
        ("POST", "/chatgroups", GROUP | {"desc": "a\x00b"}),
    ],
)
def test_a_text_with_u_0000_is_kept_nowhere(
    acme: Tenant, method: str, path: str, body: dict[str, object]
) -> None:
    """PostgreSQL cannot keep it; callers do not meet the database."""
    answer = acme.call(method, path, json=body)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"


def test_a_body_with_u_0000_is_a_body(acme: Tenant) -> None:
    """It is kept as JSON, in which the character is written in six others."""
    sent = {"msg": {"type": "txt", "msg": "a\x00b"}, "ext": {"a\x00": "b"}}

    assert acme.post("/messages", json=SEND | sent).status_code == 200


@pytest.mark.parametrize(
    "path", ["/users/a%00b", "/chatgroups/a%00b", "/chatfiles/a%00b", "/users/a%00b/blocks/users"]
)  # fmt: skip
def test_nothing_is_found_by_u_0000(acme: Tenant, path: str) -> None:
    assert acme.get(path).status_code in (400, 404)
