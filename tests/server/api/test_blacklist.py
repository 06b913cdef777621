"""Whom a user wants no messages from."""

import pytest

from server.kinds import Membership
from server.store import blacklist, users
from server.store.models import Block, Contact
from tests import facts, plans
from tests.conftest import Clock, Tenant

MOST = facts.bound("blacklist.blocks_per_user")[0][1]
INVALID = "this is an invalid request."


def register(tenant: Tenant, *names: str) -> None:
    new = [users.NewUser(name, None) for name in names]
    users.add(tenant.id, new, at_most=Membership("none"))


@pytest.fixture
def crowd(globex: Tenant) -> Tenant:
    register(globex, "ada", "linus", "grace", "ken", "joan")
    return globex


def row(tenant: Tenant, name: str) -> users.User:
    found = users.find(tenant.id, name)
    assert found is not None
    return found


def block(tenant: Tenant, owner: str, names: object):
    return tenant.post(f"/users/{owner}/blocks/users", json={"usernames": names})


def listed(tenant: Tenant, owner: str, query: str = "") -> list[str]:
    return tenant.get(f"/users/{owner}/blocks/users{query}").json["data"]


def fill(tenant: Tenant, owner: str, count: int) -> None:
    """Let *owner* block so many, as if they had been added."""
    register(tenant, *(f"f{n:04}" for n in range(count)))
    pairs = [(row(tenant, owner).id, row(tenant, f"f{n:04}").id) for n in range(count)]
    Block.insert_many(pairs, [Block.owner, Block.blocked]).execute()


def test_blocking_answers_as_the_reference_does(crowd: Tenant) -> None:
    answer = block(crowd, "Ada", ["LINUS", "grace", "linus"])

    assert answer.status_code == 200
    assert answer.json == {
        "action": "post",
        "application": crowd.row.uuid,
        "uri": "http://localhost/globex/chat",
        "entities": [],
        "data": ["linus", "grace"],
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "organization": "globex",
        "applicationName": "chat",
    }
    assert listed(crowd, "ada") == ["grace", "linus"]
    assert listed(crowd, "linus") == []


def test_the_list_answers_as_the_reference_does(crowd: Tenant) -> None:
    empty = crowd.get("/users/ada/blocks/users").json
    block(crowd, "ada", ["linus"])
    answer = crowd.get("/users/ada/blocks/users").json

    assert answer == {
        "action": "get",
        "uri": "http://localhost/globex/chat/users/ada/blocks/users",
        "entities": [],
        "data": ["linus"],
        "timestamp": 1_700_000_000_000,
        "duration": answer["duration"],
        "count": 1,
    }
    assert (empty["data"], empty["count"]) == ([], 0)


def test_unblocking_answers_as_the_reference_does(crowd: Tenant) -> None:
    block(crowd, "ada", ["linus", "grace"])

    answer = crowd.delete("/users/ada/blocks/users/Linus")
    again = crowd.delete("/users/ada/blocks/users/linus")

    path = f"/users/{row(crowd, 'ada').uuid}/blocks"
    assert answer.json == {
        "action": "delete",
        "application": crowd.row.uuid,
        "path": path,
        "uri": f"http://localhost/globex/chat{path}",
        "entities": [
            {
                "uuid": row(crowd, "linus").uuid,
                "type": "user",
                "created": 1_700_000_000_000,
                "modified": 1_700_000_000_000,
                "username": "linus",
                "activated": True,
            }
        ],
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "organization": "globex",
        "applicationName": "chat",
    }
    assert again.json["entities"] == answer.json["entities"]
    assert listed(crowd, "ada") == ["grace"]


def test_who_is_listed_already_is_named_and_keeps_the_place(crowd: Tenant) -> None:
    block(crowd, "ada", ["linus"])
    block(crowd, "ada", ["ken"])

    again = block(crowd, "ada", ["joan", "linus"])

    assert again.json["data"] == ["joan", "linus"]
    assert listed(crowd, "ada") == ["joan", "ken", "linus"]


def test_blocking_a_contact_leaves_the_contact(crowd: Tenant) -> None:
    crowd.post("/users/ada/contacts/users/linus")

    block(crowd, "ada", ["linus"])
    crowd.delete("/users/ada/blocks/users/linus")

    assert Contact.select().count() == 2


def test_one_unknown_name_and_nobody_is_blocked(crowd: Tenant) -> None:
    answer = block(crowd, "ADA", ["linus", "No1", "nobody"])

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == (
        "attempt to adding new block[No1] for user[ADA],but user[No1] not found."
    )
    assert listed(crowd, "ada") == []


@pytest.mark.parametrize(
    "names", [None, [], "linus", {"a": 1}, [1], ["linus", None], ["linus", "ADA"]]
)
def test_blocking_nobody_or_oneself(crowd: Tenant, names: object) -> None:
    answer = block(crowd, "ada", names)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == INVALID
    assert listed(crowd, "ada") == []


def test_too_many_names_in_one_call(crowd: Tenant) -> None:
    answer = block(crowd, "ada", ["linus"] * (MOST + 1))

    assert answer.status_code == 400
    assert answer.json["error_description"] == INVALID
    assert answer.json["rule"] == "blacklist.batch_block"
    assert block(crowd, "ada", ["linus"] * MOST).json["data"] == ["linus"]


def test_a_full_blacklist_takes_no_more(crowd: Tenant) -> None:
    fill(crowd, "ada", MOST - 1)

    two = block(crowd, "ada", ["linus", "grace"])
    one = block(crowd, "ada", ["linus", "f0000"])
    another = block(crowd, "ada", ["f0000", "ken"])
    known = block(crowd, "ada", ["linus", "f0000"])

    for refused in (two, another):
        assert refused.status_code == 403
        assert refused.json["error"] == "exceed_limit"
        assert refused.json["exception"] == "ChatServiceException"
        assert refused.json["error_description"] == "user block number exceed limit"
        assert refused.json["rule"] == "blacklist.blocks_per_user"
    assert (one.status_code, known.status_code) == (200, 200)
    assert len(listed(crowd, "ada")) == MOST
    assert "grace" not in listed(crowd, "ada")


def test_the_list_in_pages(crowd: Tenant) -> None:
    fill(crowd, "ada", 60)
    path = "/users/ada/blocks/users"

    whole = crowd.get(path).json
    first = crowd.get(f"{path}?pageSize=99").json
    rest = crowd.get(f"{path}?cursor={first['cursor']}").json
    from_empty = crowd.get(f"{path}?cursor=").json
    small = crowd.get(f"{path}?pageSize=2").json
    by_default = [crowd.get(f"{path}?pageSize={n}").json["count"] for n in (0, -1, "x")]

    assert (whole["count"], "cursor" in whole) == (60, False)
    assert (first["count"], rest["count"], "cursor" in rest) == (50, 10, False)
    assert first["data"] + rest["data"] == whole["data"]
    assert from_empty["data"] == first["data"]
    assert small["data"] == whole["data"][:2]
    assert by_default == [50, 50, 50]


def test_a_cursor_of_something_else_is_refused(crowd: Tenant) -> None:
    for cursor in ("nonsense", "dXNlcnM6MQ"):
        answer = crowd.get(f"/users/ada/blocks/users?cursor={cursor}")

        assert answer.status_code == 400
        assert answer.json["error_description"] == INVALID


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/{}/blocks/users"),
        ("GET", "/users/{}/blocks/users?pageSize=1"),
        ("POST", "/users/{}/blocks/users"),
        ("DELETE", "/users/{}/blocks/users/bob"),
        ("DELETE", "/users/alice/blocks/users/{}"),
    ],
)
def test_who_the_app_does_not_have_is_not_found(
    acme: Tenant, crowd: Tenant, clock: Clock, method: str, path: str
) -> None:
    block(acme, "alice", ["bob"])

    for name in ("ada", row(crowd, "ada").uuid, "%00", "%FF", "..", "a%2Fb"):
        clock.forward(1)
        body = {"usernames": ["nobody"]}
        answer = acme.call(method, path.format(name), json=body)

        assert answer.status_code == 404, name
        assert answer.json["error"] == "service_resource_not_found"
    assert listed(acme, "alice") == ["bob"]


def test_users_of_another_app_are_unknown(acme: Tenant, crowd: Tenant) -> None:
    answer = block(acme, "alice", ["ada"])

    assert answer.status_code == 400
    assert "user[ada] not found." in answer.json["error_description"]


def test_a_deleted_user_is_on_no_blacklist(acme: Tenant) -> None:
    block(acme, "alice", ["bob"])

    acme.delete("/users/bob")

    assert listed(acme, "alice") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/alice/blocks/users"),
        ("POST", "/users/alice/blocks/users"),
        ("DELETE", "/users/alice/blocks/users/bob"),
    ],
)
@pytest.mark.parametrize("who", ["alice", None])
def test_blacklists_are_the_apps_business(
    acme: Tenant, who: str | None, method: str, path: str
) -> None:
    denied = acme.as_user(who) if who else acme.as_nobody()

    answer = denied.call(method, path)

    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        "Subject does not have permission"
        f" [applications:{method.lower()}:{acme.row.uuid}:/users/{row(acme, 'alice').uuid}]"
    )


@pytest.mark.parametrize("statement", [blacklist._COUNT, blacklist._PAGE])
def test_lists_are_read_from_an_index_in_its_order(acme: Tenant, statement) -> None:
    plans.assert_by_index(statement, in_order=True)
