"""What waits for users who are not receiving: how much, and which."""

from collections.abc import Iterator

import pytest

from server.clock import now_ms
from server.kinds import Membership
from server.store import messages, offline, users
from server.store.database import Statement
from server.store.models import (
    App,
    Connection,
    Message,
    Muc,
    MucMember,
    QuotaUse,
    Waiting,
)
from tests import facts, plans
from tests.conftest import Clock, Tenant

HELLO = {"type": "txt", "msg": "hello"}
KEPT = facts.bound("offline.offline_message")[0][1]


def row(tenant: Tenant, name: str) -> users.User:
    found = users.find(tenant.id, name)
    assert found is not None
    return found


def receive(tenant: Tenant, name: str, seconds: int = 60) -> None:
    expires = now_ms() + seconds * 1000
    Connection.create(user=row(tenant, name).id, resource="ios_1", expires=expires)


def send(tenant: Tenant, *target: str, kind: str = "users", **more: object):
    whole = {"target_type": kind, "target": target, "msg": HELLO} | more
    answer = tenant.post("/messages?useMsgId=true", json=whole)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def count(tenant: Tenant, name: str) -> int:
    return tenant.get(f"/users/{name}/offline_msg_count").json["data"][name]


def status(tenant: Tenant, name: str, message_id: str) -> str:
    answer = tenant.get(f"/users/{name}/offline_msg_status/{message_id}")
    assert answer.status_code == 200
    return answer.json["data"][message_id]


@pytest.fixture
def muc(acme: Tenant) -> Iterator[Muc]:
    """A group of Acme's: Alice, Bob and Carol; Dave is in no group."""
    new = [users.NewUser(name, None) for name in ("carol", "dave")]
    users.add(acme.id, new, at_most=Membership("none"))
    muc = make_muc(acme, 70, "group")
    join(muc, acme, "alice", "bob", "carol")
    return muc


def make_muc(tenant: Tenant, number: int, kind: str) -> Muc:
    return Muc.create(
        id=number, app=tenant.id, kind=kind, name="n", description="d", max_users=200,
        owner=row(tenant, "alice").id, created=0, modified=0,
    )  # fmt: skip


def join(muc: Muc, tenant: Tenant, *names: str) -> None:
    for name in names:
        MucMember.create(muc=muc.id, user=row(tenant, name).id, kind=muc.kind)


def queues() -> list[tuple[str, int]]:
    return Statement(
        """
        SELECT username, count(*) FROM waiting JOIN user ON user.id = user_id
        GROUP BY username ORDER BY username
        """
    ).all()


def test_the_count_answers_as_the_reference_does(acme: Tenant) -> None:
    send(acme, "alice", "bob")
    send(acme, "ALICE", msg={"type": "cmd", "action": "ring"})

    answer = acme.get("/users/Alice/offline_msg_count", data=b"null")

    assert answer.status_code == 200
    assert answer.json == {
        "action": "get",
        "uri": "http://localhost/acme/chat/users/Alice/offline_msg_count",
        "entities": [],
        "data": {"Alice": 2},
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "count": 0,
    }
    assert count(acme, "bob") == 1


def test_the_status_answers_as_the_reference_does(acme: Tenant) -> None:
    number = send(acme, "alice")["alice"]

    answer = acme.get(f"/users/Alice/offline_msg_status/{number}")

    assert answer.status_code == 200
    assert answer.json == {
        "action": "get",
        "uri": f"http://localhost/acme/chat/users/Alice/offline_msg_status/{number}",
        "entities": [],
        "data": {number: "undelivered"},
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "count": 0,
    }
    assert status(acme, "bob", number) == "delivered"


@pytest.mark.parametrize("unknown", ["0", "90871", "x", "-1", "9" * 19, "9" * 30, "٣"])
def test_what_nobody_knows_is_delivered(acme: Tenant, unknown: str) -> None:
    number = send(acme, "alice")["alice"]

    assert status(acme, "alice", unknown) == "delivered"
    assert status(acme, "alice", f"0{number}") == "delivered"


def test_who_the_app_does_not_have_is_not_found(acme: Tenant, globex: Tenant) -> None:
    number = send(acme, "alice")["alice"]
    names = ("alice", row(acme, "alice").uuid, "nobody", "%00", "%FF", "..", "a%2Fb")

    for name in names:
        for path in ("offline_msg_count", f"offline_msg_status/{number}"):
            answer = globex.get(f"/users/{name}/{path}")

            assert answer.status_code == 404
            assert answer.json["error"] == "service_resource_not_found"
            assert answer.json["error_description"] == "Service resource not found"


@pytest.mark.parametrize("path", ["offline_msg_count", "offline_msg_status/1"])
@pytest.mark.parametrize("who", ["alice", None])
def test_queues_are_the_apps_business(acme: Tenant, who: str | None, path: str) -> None:
    denied = acme.as_user(who) if who else acme.as_nobody()

    answer = denied.get(f"/users/alice/{path}")

    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        "Subject does not have permission"
        f" [applications:get:{acme.row.uuid}:/users/{row(acme, 'alice').uuid}]"
    )


def test_who_is_receiving_has_nothing_waiting(acme: Tenant, clock: Clock) -> None:
    """Until they are gone without a word that they received it."""
    before = send(acme, "alice")["alice"]
    receive(acme, "alice", 60)
    received = send(acme, "alice", "bob")["alice"]
    online = count(acme, "alice"), status(acme, "alice", before)
    clock.forward(60)
    later = send(acme, "alice")["alice"]

    assert online == (0, "delivered")
    assert status(acme, "alice", received) == "undelivered"
    assert status(acme, "alice", later) == "undelivered"
    assert count(acme, "bob") == 1


def test_a_message_waits_as_long_as_the_table_says(acme: Tenant, clock: Clock) -> None:
    first = send(acme, "alice")["alice"]
    clock.forward(1)
    second = send(acme, "alice")["alice"]
    clock.forward(KEPT - 2)
    both = count(acme, "alice")
    clock.forward(1)

    assert both == 2
    assert count(acme, "alice") == 1
    assert status(acme, "alice", first) == "delivered"
    assert status(acme, "alice", second) == "undelivered"
    clock.forward(1)
    assert count(acme, "alice") == 0


def test_the_time_that_is_stated_for_a_message_does_not_make_it_old(
    acme: Tenant,
) -> None:
    send(acme, "alice", msg_timestamp=1)

    assert count(acme, "alice") == 1


def test_nobody_gets_a_queue_for_being_named(acme: Tenant, globex: Tenant) -> None:
    send(globex, "alice", "bob")
    send(acme, "nobody")

    assert queues() == []
    assert Message.select().count() == 3


def test_one_user_named_twice_has_one_message_waiting(acme: Tenant) -> None:
    send(acme, "Alice", "alice", "ALICE")

    assert count(acme, "alice") == 1


def test_a_deactivated_user_keeps_a_queue(acme: Tenant) -> None:
    acme.post("/users/alice/deactivate")

    send(acme, "alice")

    assert count(acme, "alice") == 1


@pytest.mark.parametrize("kind", ["users", "chatgroups"])
def test_what_is_for_those_online_waits_for_nobody(
    acme: Tenant, muc: Muc, kind: str
) -> None:
    target = "alice" if kind == "users" else str(muc.id)

    send(acme, target, kind=kind, routetype="ROUTE_ONLINE")
    only_online = queues()
    send(acme, target, kind=kind, routetype="ROUTE_ANY")

    assert only_online == []
    assert ("alice", 1) in queues()


def test_a_group_message_waits_for_every_member_but_the_sender(
    acme: Tenant, muc: Muc
) -> None:
    receive(acme, "carol")

    by_member = send(acme, "70", kind="chatgroups", **{"from": "BOB"})["70"]
    by_nobody = send(acme, "70", kind="chatgroups")["70"]
    by_other = send(acme, "70", kind="chatgroups", **{"from": "dave"})["70"]

    assert queues() == [("alice", 3), ("bob", 2), ("carol", 3)]
    assert count(acme, "carol") == 0
    assert status(acme, "bob", by_member) == "delivered"
    assert status(acme, "bob", by_nobody) == "undelivered"
    assert status(acme, "alice", by_other) == "undelivered"


def test_a_message_to_several_groups_waits_once_for_each(
    acme: Tenant, muc: Muc
) -> None:
    join(make_muc(acme, 71, "group"), acme, "bob", "dave")

    send(acme, "70", "71", "72", kind="chatgroups")

    assert queues() == [("alice", 1), ("bob", 2), ("carol", 1), ("dave", 1)]


def test_what_is_no_group_of_the_app_has_no_members(
    acme: Tenant, globex: Tenant, muc: Muc
) -> None:
    join(make_muc(acme, 72, "chatroom"), acme, "alice")

    send(globex, "70", kind="chatgroups")
    send(
        acme, "070", "70 ", "70x", "7e1", "72", "+70", "9" * 30, "x", kind="chatgroups"
    )
    send(acme, "70", "72", kind="chatrooms")
    send(acme, "70", kind="users")

    assert queues() == []


def test_a_refused_send_queues_nothing(acme: Tenant) -> None:
    most = facts.bound("messages.daily_system_push_messages")[0][1]
    QuotaUse.create(
        app=acme.id,
        rule="messages.daily_system_push_messages",
        day=now_ms() // 86_400_000,
        used=most - 1,
    )

    whole = {"target_type": "users", "target": ["alice", "bob"], "msg": HELLO}
    refused = acme.post("/messages", json=whole)

    assert refused.status_code == 429
    assert (queues(), Message.select().count()) == ([], 0)


def test_a_deleted_users_queue_is_gone(acme: Tenant) -> None:
    send(acme, "alice", "bob")

    acme.delete("/users/alice")

    assert queues() == [("bob", 1)]


def test_what_waits_goes_with_its_message(acme: Tenant) -> None:
    send(acme, "alice", "bob")
    first, second = Message.select().order_by(Message.id)

    Message.delete().where(Message.id == first.id).execute()

    assert [row.message_id for row in Waiting.select()] == [second.id]


def test_what_waits_goes_with_its_app(acme: Tenant) -> None:
    send(acme, "alice")

    App.delete().where(App.id == acme.id).execute()

    assert Waiting.select().count() == 0


def test_a_sweep_removes_what_is_older_and_no_more(acme: Tenant, clock: Clock) -> None:
    for _ in range(5):
        send(acme, "alice")
    clock.forward(1)
    send(acme, "alice", "bob")

    swept = list(offline.sweep_offline(now_ms(), batch=2))
    again = list(offline.sweep_offline(now_ms(), batch=2))

    assert (swept, again) == ([2, 2, 1], [])
    assert queues() == [("alice", 1), ("bob", 1)]
    assert sum(offline.sweep_offline(now_ms() + 1, batch=1)) == 2
    assert Waiting.select().count() == 0
    assert Message.select().count() == 7


@pytest.mark.parametrize(
    "statement",
    [
        messages._QUEUE_FOR_USERS, messages._QUEUE_FOR_MEMBERS,
        offline._COUNT, offline._WAITS, offline._OLD,
        offline._REMOVE,
    ],
)  # fmt: skip
def test_queues_are_filled_and_read_by_an_index(acme: Tenant, statement) -> None:
    plans.assert_by_index(statement)


def test_a_send_that_queues_nothing_asks_for_nothing_more(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(messages, "_queue", lambda *_: asked.append(1))

    send(acme, "1", kind="chatrooms")
    send(acme, "alice", routetype="ROUTE_ONLINE")
    send(acme, "alice")

    assert asked == [1]
