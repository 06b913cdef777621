"""Accounts that are closed, devices that are put out, users that are muted."""

import pytest

from server.clock import now_ms
from server.kinds import Membership
from server.store import blocking, blocking_mutes, leases, users
from server.store.database import Statement
from server.store.models import Connection, Message, Mute
from tests import plans
from tests.conftest import ALICES_PASSWORD, Clock, Tenant

INVALID = "this is an invalid request."
NOT_A_USER = "Entity user requires a property named username"
HELLO = {"type": "txt", "msg": "hello"}


def row(tenant: Tenant, name: str) -> users.User:
    found = users.find(tenant.id, name)
    assert found is not None
    return found


def receive(tenant: Tenant, name: str, resource: str, seconds: int = 60) -> None:
    Connection.create(
        user=row(tenant, name).id,
        resource=resource,
        device_uuid=f"uuid of {resource}",
        device_name=f"{name}'s {resource}",
        expires=now_ms() + seconds * 1000,
    )


def sign_in(tenant: Tenant):
    body = {"grant_type": "password", "username": "alice", "password": ALICES_PASSWORD}
    return tenant.as_nobody().post("/token", json=body)


def works(tenant: Tenant) -> bool:
    return tenant.get("/metadata/user/alice").status_code == 200


def test_deactivating_answers_as_the_reference_does(acme: Tenant, clock: Clock) -> None:
    clock.forward(5)

    answer = acme.post("/users/Alice/deactivate")
    again = acme.post("/users/alice/deactivate", data=b"null")

    assert answer.status_code == 200
    assert answer.json == {
        "action": "Deactivate user",
        "entities": [
            {
                "uuid": row(acme, "alice").uuid,
                "type": "user",
                "created": 1_700_000_000_000,
                "modified": 1_700_000_000_000,
                "username": "alice",
                "activated": False,
                "nickname": "Alice L",
            }
        ],
        "timestamp": 1_700_000_005_000,
        "duration": answer.json["duration"],
    }
    assert again.json["entities"] == answer.json["entities"]


def test_activating_answers_as_the_reference_does(acme: Tenant) -> None:
    acme.post("/users/alice/deactivate")

    answer = acme.post("/users/alice/activate")
    again = acme.post("/users/ALICE/activate")

    assert answer.status_code == 200
    assert answer.json == {
        "action": "activate user",
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
    }
    assert again.status_code == 200
    assert acme.get("/users/alice").json["entities"][0]["activated"] is True
    assert row(acme, "alice").modified == 1_700_000_000_000


def test_a_deactivated_user_cannot_sign_in_until_activated(acme: Tenant) -> None:
    acme.post("/users/alice/deactivate")
    refused = sign_in(acme)
    acme.post("/users/alice/activate")

    assert refused.status_code == 400
    assert refused.json == {
        "error": "invalid_grant",
        "error_description": "user not activated",
    }
    assert sign_in(acme).status_code == 200


def test_tokens_of_a_deactivated_user_stay_dead(acme: Tenant) -> None:
    token = acme.as_user("alice")
    before = works(token)
    acme.post("/users/alice/deactivate")
    while_closed = works(token)
    acme.post("/users/alice/activate")

    assert (before, while_closed, works(token)) == (True, False, False)
    assert works(acme.as_user("alice"))
    assert works(acme.as_user("bob"))


def test_deactivating_closes_connections_and_leaves_relations(acme: Tenant) -> None:
    acme.post("/users/alice/contacts/users/bob")
    for name in ("alice", "bob"):
        receive(acme, name, "ios_1")

    acme.post("/users/alice/deactivate")

    assert acme.get("/users/alice/status").json["data"] == {"alice": "offline"}
    assert acme.get("/users/bob/status").json["data"] == {"bob": "online"}
    assert acme.get("/users/bob/contacts/users").json["data"] == ["alice"]


def test_deactivating_who_the_app_does_not_have(acme: Tenant, globex: Tenant) -> None:
    for name in ("nobody", "%00", "a%2Fb"):
        answer = acme.post(f"/users/{name}/deactivate")

        assert answer.status_code == 400
        assert answer.json["error"] == "management"
        assert answer.json["exception"] == (
            "org.apache.usergrid.management.exceptions.ManagementException"
        )
        assert answer.json["error_description"] == (
            f"User with id null does not exist in app {acme.row.uuid}"
        )
    foreign = globex.post(f"/users/{row(acme, 'alice').uuid}/deactivate")
    assert foreign.json["error"] == "management"
    assert row(acme, "alice").activated


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "activate"),
        ("GET", "disconnect"),
        ("GET", "disconnect/ios_1"),
        ("DELETE", "disconnect/ios_1"),
        ("GET", "resources"),
    ],
)
def test_who_the_app_does_not_have_is_not_found(
    acme: Tenant, globex: Tenant, method: str, path: str
) -> None:
    receive(acme, "alice", "ios_1")
    names = (row(acme, "alice").uuid, "alice", "nobody", "%00", "%FF", "..", "a%2Fb")

    answers = [globex.call(method, f"/users/{name}/{path}") for name in names]

    assert {each.status_code for each in answers} == {404}
    assert {each.json["error_description"] for each in answers} == {
        "Service resource not found"
    }
    assert Connection.select().count() == 1


def test_disconnecting_answers_as_the_reference_does(acme: Tenant) -> None:
    receive(acme, "alice", "ios_1")
    receive(acme, "alice", "web_2")
    receive(acme, "bob", "ios_1")

    answer = acme.get("/users/Alice/disconnect")
    offline = acme.get("/users/alice/disconnect")

    assert answer.json == {
        "action": "get",
        "uri": "http://localhost/acme/chat/users/Alice/disconnect",
        "entities": [],
        "data": {"result": True},
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "count": 0,
    }
    assert offline.json["data"] == {"result": True}
    assert acme.get("/users/alice/resources").json["data"] == []
    assert acme.get("/users/bob/status").json["data"] == {"bob": "online"}


def test_disconnecting_leaves_the_tokens(acme: Tenant) -> None:
    token = acme.as_user("alice")

    acme.get("/users/alice/disconnect")

    assert works(token)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_one_device_is_disconnected(acme: Tenant, method: str) -> None:
    for resource in ("ios_1", "web_2"):
        receive(acme, "alice", resource)
    receive(acme, "bob", "ios_1")

    answer = acme.call(method, "/users/alice/disconnect/ios_1")
    again = acme.call(method, "/users/alice/disconnect/ios_1")

    more = {
        "application": acme.row.uuid,
        "organization": "acme",
        "applicationName": "chat",
    }
    assert answer.json == {
        "action": method.lower(),
        "uri": "http://localhost/acme/chat/users/alice/disconnect/ios_1",
        "entities": [],
        "data": {"result": True},
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "count": 0,
    } | (more if method == "DELETE" else {})
    assert again.json["data"] == {"result": False}
    left = [each["res"] for each in acme.get("/users/alice/resources").json["data"]]
    assert left == ["web_2"]
    assert acme.get("/users/bob/status").json["data"] == {"bob": "online"}


def test_a_device_whose_lease_is_over_is_none(acme: Tenant, clock: Clock) -> None:
    receive(acme, "alice", "ios_1", seconds=30)
    clock.forward(30)

    answer = acme.delete("/users/alice/disconnect/ios_1")

    assert answer.json["data"] == {"result": False}


def test_devices_are_listed_as_the_reference_does(acme: Tenant, clock: Clock) -> None:
    receive(acme, "alice", "ios_1")
    receive(acme, "alice", "web_2", seconds=30)
    clock.forward(30)

    answer = acme.get("/users/Alice/resources")

    assert answer.json == {
        "path": "/users/Alice/resources",
        "uri": "http://localhost/acme/chat/users/Alice/resources",
        "timestamp": 1_700_000_030_000,
        "organization": "acme",
        "application": acme.row.uuid,
        "entities": [],
        "action": "get",
        "data": [
            {
                "res": "ios_1",
                "device_uuid": "uuid of ios_1",
                "device_name": "alice's ios_1",
            }
        ],
        "duration": answer.json["duration"],
        "applicationName": "chat",
    }


ALL = [
    ("POST", "/users/alice/deactivate"),
    ("POST", "/users/alice/activate"),
    ("GET", "/users/alice/disconnect"),
    ("GET", "/users/alice/disconnect/ios_1"),
    ("DELETE", "/users/alice/disconnect/ios_1"),
    ("GET", "/users/alice/resources"),
    ("POST", "/mutes"),
    ("GET", "/mutes/alice"),
    ("GET", "/mutes"),
]


@pytest.mark.parametrize(("method", "path"), ALL)
@pytest.mark.parametrize("who", ["alice", None])
def test_blocking_is_the_apps_business(
    acme: Tenant, who: str | None, method: str, path: str
) -> None:
    denied = acme.as_user(who) if who else acme.as_nobody()

    answer = denied.call(method, path)

    whole_user = path == "/users/alice/disconnect"
    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        "Subject does not have permission"
        f" [applications:get:{acme.row.uuid}:/users/{row(acme, 'alice').uuid}]"
        if whole_user
        else "No admin user access authorized"
    )


def of_mutes(tenant: Tenant, answer, action: str, data: object) -> dict[str, object]:
    return {
        "path": "/mutes",
        "uri": f"http://localhost/{tenant.key}/mutes",
        "timestamp": now_ms(),
        "organization": tenant.key.split("/")[0],
        "application": tenant.row.uuid,
        "action": action,
        "data": data,
        "duration": answer.json["duration"],
        "applicationName": "chat",
    }


def mute(tenant: Tenant, username: str = "alice", **seconds: object):
    return tenant.post("/mutes", json={"username": username} | seconds)


def muted(tenant: Tenant, username: str = "alice") -> tuple[int, int, int]:
    data = tenant.get(f"/mutes/{username}").json["data"]
    return data["chat"], data["groupchat"], data["chatroom"]


def all_muted(tenant: Tenant, query: str = "") -> list[dict[str, object]]:
    return tenant.get(f"/mutes{query}").json["data"]["data"]


def test_muting_answers_as_the_reference_does(acme: Tenant, clock: Clock) -> None:
    answer = mute(acme, "Alice", chat=3600, groupchat=0, chatroom=-1)
    assert answer.status_code == 200
    assert answer.json == of_mutes(acme, answer, "post", {"result": "ok"})
    clock.forward(10)

    one = acme.get("/mutes/ALICE")
    every = acme.get("/mutes")

    assert one.json == of_mutes(
        acme,
        one,
        "get",
        {
            "userid": "acme#chat_alice",
            "chat": 3590,
            "groupchat": 0,
            "chatroom": -1,
            "unixtime": 1_700_000_010,
        },
    )
    assert every.json == of_mutes(
        acme,
        every,
        "get",
        {
            "data": [
                {"username": "alice", "chatroom": -1},
                {"username": "alice", "chat": 3590},
            ],
            "unixtime": 1_700_000_010,
        },
    )


def test_a_mute_ends_by_itself_to_the_second(acme: Tenant, clock: Clock) -> None:
    mute(acme, chat=2, groupchat=-1)
    clock.forward(1)
    clock.unix_ns += 999_000_000
    last = muted(acme)
    clock.unix_ns += 1_000_000

    assert last == (1, -1, 0)
    assert muted(acme) == (0, -1, 0)
    assert all_muted(acme) == [{"username": "alice", "groupchat": -1}]


def test_a_new_value_replaces_and_what_is_not_named_stays(acme: Tenant) -> None:
    mute(acme, chat=100, groupchat=100)
    mute(acme, "bob", chat=5)

    mute(acme, chat=50, chatroom=None)
    mute(acme, groupchat=0, chatroom=2147483647)
    mute(acme)

    assert muted(acme) == (50, 0, 2147483647)
    assert [list(each)[1] for each in all_muted(acme)] == ["chatroom", "chat", "chat"]
    assert Mute.select().count() == 3


@pytest.mark.parametrize("value", [-2, 2147483648, 1.5, "60", True, [], {}])
def test_a_mute_of_no_number_of_seconds(acme: Tenant, value: object) -> None:
    answer = mute(acme, chat=60, groupchat=value)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == INVALID
    assert Mute.select().count() == 0


@pytest.mark.parametrize(
    "body", [{"chat": 1}, {"username": None}, {"username": ""}, {"username": "nobody"}]
)
def test_muting_who_the_app_does_not_have(
    acme: Tenant, body: dict[str, object]
) -> None:
    answers = [acme.post("/mutes", json=body), acme.get("/mutes/nobody")]

    for each in answers:
        assert each.status_code == 400
        assert each.json["error"] == "required_property_not_found"
        assert each.json["error_description"] == NOT_A_USER


def test_muting_a_user_of_another_app(acme: Tenant, globex: Tenant) -> None:
    mute(acme, chat=-1)

    answer = mute(globex, row(acme, "alice").uuid, chat=0)

    assert answer.json["error"] == "required_property_not_found"
    assert all_muted(globex) == []
    assert muted(acme) == (-1, 0, 0)


def test_who_was_never_muted(acme: Tenant) -> None:
    assert muted(acme, "bob") == (0, 0, 0)


def test_mutes_in_pages(acme: Tenant, clock: Clock) -> None:
    new = [users.NewUser(f"u{n:02}", None) for n in range(55)]
    users.add(acme.id, new, at_most=Membership("none"))
    for user in users.page(acme.id, 0, 100).users[2:]:
        blocking_mutes.change(acme.id, user.username, {"chat": -1})

    def names(query: str) -> list[object]:
        return [each["username"] for each in all_muted(acme, query)]

    newest = [f"u{n:02}" for n in reversed(range(55))]
    assert names("") == newest[:50]
    assert names("?pageNum=2") == newest[50:]
    assert names("?pagenum=2&PAGESIZE=20") == newest[20:40]
    assert names("?pageNum=3") == []
    assert names("?pageSize=51") == newest[:50]
    clock.forward(1)
    for query in ("?pageNum=0&pageSize=0", "?pageNum=-1&pageSize=x", "?pageNum=x"):
        assert names(query) == newest[:50]
    assert names(f"?pageNum={'9' * 18}") == []


def test_a_deleted_users_mutes_are_gone(acme: Tenant) -> None:
    mute(acme, chat=-1)

    acme.delete("/users/alice")

    assert all_muted(acme) == []


SENDS = {
    "users": ("chat", "/messages/users"),
    "chatgroups": ("groupchat", "/messages/chatgroups"),
    "chatrooms": ("chatroom", "/messages/chatrooms"),
}


def sends(tenant: Tenant, target_type: str, sender: str | None = "Alice"):
    named = {} if sender is None else {"from": sender}
    whole = {"target_type": target_type, "target": ["1"], "msg": HELLO} | named
    flat = {"to": ["1"], "type": "txt", "body": {"msg": "x"}} | named
    return [
        tenant.post("/messages?useMsgId=true", json=whole),
        tenant.post(SENDS[target_type][1], json=flat),
    ]


@pytest.mark.parametrize("target_type", SENDS)
def test_a_mute_stops_the_sends_of_its_kind_alone(
    acme: Tenant, clock: Clock, target_type: str
) -> None:
    mute(acme, **{SENDS[target_type][0]: 60})

    for each in SENDS:
        answers = sends(acme, each)
        if each != target_type:
            assert [answer.status_code for answer in answers] == [200, 200]
            continue
        for refused in answers:
            assert refused.status_code == 403
            assert refused.json["error"] == "forbidden_op"
            assert refused.json["error_description"] == "user Alice is muted"
    assert Message.select().count() == 4
    assert {a.status_code for a in sends(acme, target_type, "bob")} == {200}
    clock.forward(60)
    assert {a.status_code for a in sends(acme, target_type)} == {200}


def test_a_message_of_nobody_is_stopped_only_where_admin_is_muted(
    acme: Tenant,
) -> None:
    mute(acme, chat=-1)
    unmuted = sends(acme, "users", None)
    acme.post("/users", json={"username": "admin", "password": "pw"})
    mute(acme, "admin", chat=-1)
    stopped = sends(acme, "users", None)

    assert {each.status_code for each in unmuted} == {200}
    assert [each.json["error_description"] for each in stopped] == [
        "user admin is muted"
    ] * 2


def test_a_mute_is_told_after_what_is_wrong_with_the_message(acme: Tenant) -> None:
    mute(acme, chat=-1)
    wrong = {"target_type": "users", "target": ["bob"], "from": "alice"}

    unsized = acme.post("/messages", json=wrong | {"msg": {"type": "?"}})
    large = acme.post("/messages", json=wrong | {"msg": HELLO | {"msg": "x" * 5000}})

    assert (unsized.status_code, large.status_code) == (400, 413)


def test_receiving_is_unaffected_and_another_apps_mutes_are_its_own(
    acme: Tenant, globex: Tenant
) -> None:
    mute(acme, chat=-1)
    to_alice = {"target_type": "users", "target": ["alice"], "msg": HELLO}

    assert acme.post("/messages", json=to_alice).status_code == 200
    assert {each.status_code for each in sends(globex, "users")} == {200}


@pytest.mark.parametrize(
    "statement",
    [
        leases._CLOSE_ALL, blocking._CLOSE, blocking._DEVICES,
        blocking_mutes._LIFT, blocking_mutes._OF_USER, blocking_mutes._PAGE,
        Statement(blocking_mutes.MUTE_THAT_HOLDS),
    ],
)  # fmt: skip
def test_everything_is_found_by_an_index(acme: Tenant, statement) -> None:
    plans.assert_by_index(statement, in_order=True)
