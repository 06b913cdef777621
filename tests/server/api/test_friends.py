"""Friendships: made and ended by the app, mutual, listed newest first."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.kinds import Membership
from server.settings import Settings
from server.store import friends, users
from server.store.models import Block, Contact, User
from tests import databases, facts, plans
from tests.conftest import Clock, Tenant

ROOT = Path(__file__).parent.parent.parent.parent
MOST_IN_COMMUNITY = facts.bound("friends.contacts_per_user")[0][1]
INVALID = "this is an invalid request."
RACERS = 6


def register(tenant: Tenant, *names: str) -> None:
    new = [users.NewUser(name, None) for name in names]
    users.add(tenant.id, new, at_most=Membership("none"))


@pytest.fixture
def crowd(globex: Tenant) -> Tenant:
    register(globex, "ada", "linus", "grace", "ken", "joan")
    return globex


def befriend(tenant: Tenant, owner: str, contact: str):
    return tenant.post(f"/users/{owner}/contacts/users/{contact}")


def listed(tenant: Tenant, owner: str) -> list[str]:
    return tenant.get(f"/users/{owner}/contacts/users").json["data"]


def row(tenant: Tenant, name: str) -> users.User:
    found = users.find(tenant.id, name)
    assert found is not None
    return found


def fill(tenant: Tenant, owner: str, count: int) -> None:
    """Give *owner* so many contacts, as if they had been added."""
    register(tenant, *(f"f{n:04}" for n in range(count)))
    pairs = [(row(tenant, owner).id, row(tenant, f"f{n:04}").id) for n in range(count)]
    both = [pair for one, other in pairs for pair in ((one, other), (other, one))]
    Contact.insert_many(both, [Contact.owner, Contact.friend]).execute()


def changed(tenant: Tenant, action: str, duration: int) -> dict[str, object]:
    path = f"/users/{row(tenant, 'alice').uuid}/contacts"
    return {
        "action": action,
        "application": tenant.row.uuid,
        "path": path,
        "uri": f"http://localhost/acme/chat{path}",
        "entities": [
            {
                "uuid": row(tenant, "bob").uuid,
                "type": "user",
                "created": 1_700_000_000_000,
                "modified": 1_700_000_000_000,
                "username": "bob",
                "activated": True,
            }
        ],
        "timestamp": 1_700_000_000_000,
        "duration": duration,
        "organization": "acme",
        "applicationName": "chat",
    }


def test_adding_answers_as_the_reference_does(acme: Tenant) -> None:
    answer = befriend(acme, "Alice", "BOB")

    assert answer.status_code == 200
    assert answer.json == changed(acme, "post", answer.json["duration"])
    assert listed(acme, "alice") == ["bob"]
    assert listed(acme, "bob") == ["alice"]


def test_removing_answers_as_the_reference_does(acme: Tenant) -> None:
    befriend(acme, "alice", "bob")

    answer = acme.delete("/users/alice/contacts/users/bob")
    again = acme.delete("/users/alice/contacts/users/bob")

    assert answer.json == changed(acme, "delete", answer.json["duration"])
    assert again.json == changed(acme, "delete", again.json["duration"])
    assert (listed(acme, "alice"), listed(acme, "bob")) == ([], [])


def test_the_newest_contact_is_first_and_adding_again_moves_nothing(
    crowd: Tenant,
) -> None:
    for name in ("linus", "grace", "ken"):
        befriend(crowd, "ada", name)

    again = befriend(crowd, "linus", "ada")

    assert again.status_code == 200
    assert listed(crowd, "ada") == ["ken", "grace", "linus"]


def test_the_list_answers_as_the_reference_does(acme: Tenant) -> None:
    empty = acme.get("/users/Alice/contacts/users").json
    befriend(acme, "alice", "bob")
    answer = acme.get("/users/Alice/contacts/users?x=1").json

    assert answer == {
        "action": "get",
        "uri": "http://localhost/acme/chat/users/Alice/contacts/users",
        "entities": [],
        "data": ["bob"],
        "timestamp": 1_700_000_000_000,
        "duration": answer["duration"],
        "count": 1,
    }
    assert (empty["data"], empty["count"]) == ([], 0)


def test_users_are_addressed_by_uuid_too(acme: Tenant) -> None:
    answer = befriend(acme, row(acme, "alice").uuid, row(acme, "bob").uuid.upper())

    assert answer.json["entities"][0]["username"] == "bob"
    assert listed(acme, "alice") == ["bob"]


def test_a_deactivated_user_can_be_added(acme: Tenant) -> None:
    User.update(activated=False).where(User.username == "bob").execute()

    assert befriend(acme, "alice", "bob").json["entities"][0]["activated"] is False


def test_nobody_is_their_own_friend(acme: Tenant) -> None:
    for name in ("ALICE", row(acme, "alice").uuid):
        answer = befriend(acme, "alice", name)

        assert answer.status_code == 400
        assert answer.json["error"] == "illegal_argument"
        assert answer.json["error_description"] == INVALID
    assert Contact.select().count() == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/{}/contacts/users/bob"),
        ("POST", "/users/alice/contacts/users/{}"),
        ("DELETE", "/users/{}/contacts/users/bob"),
        ("DELETE", "/users/alice/contacts/users/{}"),
        ("GET", "/users/{}/contacts/users"),
        ("GET", "/user/{}/contacts"),
        ("GET", "/users/{}/contacts"),
        ("PUT", "/user/{}/contacts/users/bob"),
        ("PUT", "/user/alice/contacts/users/{}"),
        ("POST", "/users/{}/contacts/import"),
        ("DELETE", "/contacts/users/{}"),
    ],
)
def test_who_the_app_does_not_have_is_not_found(
    acme: Tenant, crowd: Tenant, clock: Clock, method: str, path: str
) -> None:
    befriend(acme, "alice", "bob")

    for name in ("ada", row(crowd, "ada").uuid, "x" * 65, "%00", "%FF", "..", "a%2Fb"):
        clock.forward(1)
        body = {"remark": "x", "usernames": ["bob"]}
        answer = acme.call(method, path.format(name), json=body)

        assert answer.status_code == 404, name
        assert answer.json["error"] == "service_resource_not_found"
        assert answer.json["error_description"] == "Service resource not found"
    assert listed(acme, "alice") == ["bob"]


@pytest.mark.parametrize("side", ["owner", "contact"])
def test_a_full_list_takes_no_more(acme: Tenant, side: str) -> None:
    fill(acme, "alice", MOST_IN_COMMUNITY)
    pair = ("alice", "bob") if side == "owner" else ("bob", "alice")

    answer = befriend(acme, *pair)
    again = befriend(acme, "alice", "f0000")

    assert answer.status_code == 403
    assert answer.json["error"] == "exceed_limit"
    assert answer.json["exception"] == "ChatServiceException"
    assert answer.json["error_description"] == "user contact number exceed limit"
    assert answer.json["rule"] == "friends.contacts_per_user"
    assert again.status_code == 200  # who is a contact already needs no place
    assert listed(acme, "bob") == []
    assert len(listed(acme, "alice")) == MOST_IN_COMMUNITY


RACER = """
import os, sys
from server.errors import ContactsExceeded
from server.kinds import Membership, Stated
from server.settings import Settings
from server.store import database, friends
database.connect(Settings.from_env(os.environ))
at_most = Membership("contacts", Stated(3, "three", "here"))
print("ready", flush=True)
sys.stdin.readline()
try:
    friends.add(int(sys.argv[1]), sys.argv[2], sys.argv[3], at_most=at_most)
except ContactsExceeded:
    print("refused")
else:
    print("added")
"""


def test_processes_that_race_for_the_last_place(
    acme: Tenant, settings: Settings
) -> None:
    """Whichever side is full, of six processes one gets the last of three places."""
    racing = [f"r{n}" for n in range(RACERS)]
    register(acme, *racing)
    fill(acme, "alice", 2)
    processes = []
    for n, name in enumerate(racing):
        pair = ("alice", name) if n % 2 else (name, "alice")
        command = [sys.executable, "-c", RACER, str(acme.id)]
        processes.append(
            subprocess.Popen(
                [*command, *pair], cwd=ROOT, text=True, env=databases.environment(settings),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
        )  # fmt: skip
    for each in processes:
        assert each.stdout.readline() == "ready\n"

    for each in processes:
        each.stdin.write("go\n")
        each.stdin.flush()
    told = sorted(each.communicate()[0].strip() for each in processes)

    assert told == ["added"] + ["refused"] * (RACERS - 1)
    assert len(listed(acme, "alice")) == 3
    assert Contact.select().count() == 6


@pytest.mark.parametrize("path", ["/user/ada/contacts", "/users/ada/contacts"])
def test_the_paged_list_answers_as_the_reference_does(crowd: Tenant, path: str) -> None:
    befriend(crowd, "ada", "linus")
    befriend(crowd, "ada", "grace")

    first = crowd.get(f"{path}?limit=1").json

    cursor = first.pop("cursor")
    assert first == {
        "action": "get",
        "uri": f"http://localhost/globex/chat{path}",
        "entities": [],
        "count": 1,
        "data": {
            "contacts": [{"username": "grace", "remark": None}],
            "cursor": cursor,
        },
        "timestamp": 1_700_000_000_000,
        "duration": first["duration"],
    }
    last = crowd.get(f"{path}?limit=1&cursor={cursor}").json
    assert last["data"] == {"contacts": [{"username": "linus", "remark": None}]}
    assert "cursor" not in last


def test_pages_hold_every_contact_once_while_the_list_changes(crowd: Tenant) -> None:
    for name in ("linus", "grace", "ken"):
        befriend(crowd, "ada", name)
    first = crowd.get("/user/ada/contacts?limit=1").json
    befriend(crowd, "ada", "joan")
    crowd.delete("/users/ada/contacts/users/ken")
    crowd.delete("/users/ada/contacts/users/grace")

    rest = crowd.get(f"/user/ada/contacts?limit=1&cursor={first['cursor']}").json

    assert [each["username"] for each in rest["data"]["contacts"]] == ["linus"]
    assert "cursor" not in rest


def test_the_sizes_of_a_page(crowd: Tenant) -> None:
    fill(crowd, "ada", 60)

    def count(query: str) -> int:
        return crowd.get(f"/user/ada/contacts{query}").json["count"]

    assert [
        count(q) for q in ("", "?limit=0", "?limit=-3", "?limit=x", "?cursor=")
    ] == [10] * 5
    assert count("?limit=50") == 50
    over = crowd.get("/user/ada/contacts?limit=51")
    assert over.status_code == 400
    assert over.json["error"] == "illegal_argument"
    assert over.json["error_description"] == (
        "getContacts | page size more than max limit : 50"
    )
    assert over.json["rule"] == "friends.contact_list"


def test_a_cursor_of_something_else_is_refused(crowd: Tenant) -> None:
    for cursor in ("nonsense", "dXNlcnM6MQ"):
        answer = crowd.get(f"/user/ada/contacts?cursor={cursor}")

        assert answer.status_code == 400
        assert answer.json["error_description"] == INVALID


def remark(tenant: Tenant, body: object, path: str = "alice/contacts/users/bob"):
    return tenant.put(f"/user/{path}", json=body)


def remarks(tenant: Tenant, owner: str) -> list[str | None]:
    answer = tenant.get(f"/user/{owner}/contacts?needReturnRemark=true").json
    return [each["remark"] for each in answer["data"]["contacts"]]


def test_a_remark_is_the_owners_alone(acme: Tenant) -> None:
    befriend(acme, "alice", "bob")

    answer = remark(acme, {"remark": "kernel guy"})

    assert answer.json == {
        "action": "put",
        "duration": answer.json["duration"],
        "status": "ok",
        "timestamp": 1_700_000_000_000,
        "uri": "http://localhost/acme/chat/user/alice/contacts/users/bob",
    }
    assert remarks(acme, "alice") == ["kernel guy"]
    assert remarks(acme, "bob") == [None]
    unasked = acme.get("/user/alice/contacts").json["data"]["contacts"]
    assert unasked == [{"username": "bob", "remark": None}]
    remark(acme, {"remark": ""})
    assert remarks(acme, "alice") == [None]


def test_ending_a_friendship_forgets_both_remarks(acme: Tenant) -> None:
    befriend(acme, "alice", "bob")
    remark(acme, {"remark": "B"})
    remark(acme, {"remark": "A"}, "bob/contacts/users/alice")

    acme.delete("/users/bob/contacts/users/alice")
    befriend(acme, "alice", "bob")

    assert (remarks(acme, "alice"), remarks(acme, "bob")) == ([None], [None])


@pytest.mark.parametrize(
    "body", [{}, {"remark": None}, {"remark": 1}, {"remark": "x" * 101}, [], "x"]
)
def test_a_remark_that_is_none(acme: Tenant, body: object) -> None:
    befriend(acme, "alice", "bob")

    answer = remark(acme, body)

    assert answer.status_code == 400
    assert answer.json["error_description"] == INVALID
    assert remark(acme, {"remark": "名" * 100}).status_code == 200


def test_a_remark_on_who_is_no_contact(acme: Tenant) -> None:
    answer = remark(acme, {"remark": "x"})

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == (
        "updateRemark they are not friends, please add as a friend first."
    )


def imports(tenant: Tenant, owner: str, names: object):
    path = f"/users/{owner}/contacts/import?isSendNotice=true"
    return tenant.post(path, json={"usernames": names})


def test_an_import_tells_what_became_of_each_name(crowd: Tenant) -> None:
    befriend(crowd, "ada", "grace")

    answer = imports(crowd, "ada", ["Linus", "nobody", "grace", "ADA", "nobody"])

    assert answer.json == {
        "status": "ok",
        "action": "post",
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "data": {
            "success": ["Linus", "grace"],
            "NotExistFailed": ["nobody"],
            "maxLimitFailed": [],
            "UnKnowFailed": ["ADA"],
        },
    }
    assert listed(crowd, "ada") == ["linus", "grace"]
    assert listed(crowd, "linus") == ["ada"]


def test_an_import_goes_as_far_as_there_is_place(acme: Tenant) -> None:
    fill(acme, "alice", MOST_IN_COMMUNITY - 1)
    register(acme, "carol", "dave")

    part = imports(acme, "alice", ["f0000", "bob", "carol"])
    none = imports(acme, "alice", ["carol"])
    other_side = imports(acme, "dave", ["alice", "carol"])

    assert part.json["data"]["success"] == ["f0000", "bob"]
    assert part.json["data"]["maxLimitFailed"] == ["carol"]
    assert none.status_code == 403
    assert none.json["error"] == "exceed_limit"
    assert none.json["error_description"] == "Inviter's contact max count."
    assert none.json["rule"] == "friends.contacts_per_user"
    assert other_side.json["data"]["maxLimitFailed"] == ["alice"]
    assert other_side.json["data"]["success"] == ["carol"]
    assert len(listed(acme, "alice")) == MOST_IN_COMMUNITY


def test_an_import_of_too_many(acme: Tenant) -> None:
    answer = imports(acme, "alice", ["bob"] + ["nobody"] * 10)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == "request user over flow limit:10."
    assert answer.json["rule"] == "friends.contact_import"
    assert listed(acme, "alice") == []


@pytest.mark.parametrize("names", [None, [], "bob", [1], ["bob", None], {"a": 1}])
def test_an_import_of_no_names(acme: Tenant, names: object) -> None:
    answer = imports(acme, "alice", names)

    assert answer.status_code == 400
    assert answer.json["error_description"] == INVALID
    assert listed(acme, "alice") == []


def test_removing_all_contacts_leaves_the_blacklist(crowd: Tenant) -> None:
    for name in ("linus", "grace"):
        befriend(crowd, "ada", name)
    befriend(crowd, "linus", "grace")
    Block.create(owner=row(crowd, "ada").id, blocked=row(crowd, "linus").id)

    answer = crowd.delete("/contacts/users/ADA")

    assert answer.json == {
        "action": "delete",
        "application": crowd.row.uuid,
        "path": "/contacts/users/ADA",
        "uri": "http://localhost/globex/chat/contacts/users/ADA",
        "entities": [],
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "organization": "globex",
        "applicationName": "chat",
    }
    assert listed(crowd, "ada") == []
    assert listed(crowd, "linus") == ["grace"]
    assert Block.select().count() == 1


def test_a_deleted_user_is_nobodys_friend(acme: Tenant) -> None:
    befriend(acme, "alice", "bob")

    acme.delete("/users/bob")

    assert listed(acme, "alice") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users/alice/contacts/users/bob"),
        ("DELETE", "/users/alice/contacts/users/bob"),
        ("GET", "/users/alice/contacts/users"),
        ("GET", "/user/alice/contacts"),
        ("PUT", "/user/alice/contacts/users/bob"),
        ("POST", "/users/alice/contacts/import"),
        ("DELETE", "/contacts/users/alice"),
    ],
)
@pytest.mark.parametrize("who", ["alice", None])
def test_friends_are_the_apps_business(
    acme: Tenant, globex: Tenant, who: str | None, method: str, path: str
) -> None:
    denied = acme.as_user(who) if who else acme.as_nobody()

    answer = denied.call(method, path)
    foreign = Tenant(acme.client, acme.key, acme.credentials, globex.token)

    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        "Subject does not have permission"
        f" [applications:{method.lower()}:{acme.row.uuid}:/users/{row(acme, 'alice').uuid}]"
    )
    assert foreign.call(method, path).json["error"] == "auth_bad_access_token"


@pytest.mark.parametrize(
    "statement", [friends._COUNT, friends._ARE_FRIENDS, friends._REMOVE_FROM_OTHERS,
                  friends._NAMES, friends._PAGE]
)  # fmt: skip
def test_lists_are_read_from_an_index_in_its_order(acme: Tenant, statement) -> None:
    plans.assert_by_index(statement, in_order=True)
