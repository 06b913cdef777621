"""Streams as far as one process and a clock that stands still can tell."""

from contextlib import closing
from itertools import islice

import pytest

from server.clock import now_ms
from server.kinds import Kept, Membership, Stated
from server.store import events, inbox, leases, users
from server.store.messages import first_id
from server.store.models import Connection, Event, Recalled, Waiting
from tests import facts
from tests.conftest import Clock, Tenant

HELLO = {"type": "txt", "msg": "hello"}
PASSING = facts.bound("offline.passing_event")[0][1]
TICKET = facts.bound("offline.stream_ticket")[0][1]
PATH = "/users/alice/stream"


def send(tenant: Tenant, target: str, **more: object) -> str:
    whole = {"target_type": "users", "target": [target], "msg": HELLO} | more
    return tenant.post("/messages?useMsgId=true", json=whole).json["data"][target]


def ticket(tenant: Tenant) -> str:
    return tenant.as_user("alice").post(f"{PATH}/ticket").json["data"]["ticket"]


def test_a_ticket_is_answered_with_its_time(acme: Tenant) -> None:
    answer = acme.as_user("alice").post(f"{PATH}/ticket")

    assert answer.status_code == 200
    assert answer.json["data"]["expires_in"] == TICKET


def test_a_ticket_is_good_for_as_long_as_the_table_says(
    acme: Tenant, clock: Clock
) -> None:
    path = f"{PATH}?ticket={ticket(acme)}"
    clock.forward(TICKET - 1)
    with closing(acme.as_nobody().get(path)) as good:
        assert good.status_code == 200
    clock.forward(1)

    refused = acme.as_nobody().get(path)

    assert refused.status_code == 401
    assert refused.json["error_description"] == (
        "Unable to authenticate due to expired access token"
    )


def test_a_ticket_ends_with_the_users_tokens(acme: Tenant) -> None:
    path = f"{PATH}?ticket={ticket(acme)}"

    acme.put("/users/alice/password", json={"newpassword": "other"})

    assert acme.as_nobody().get(path).status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "W10.x", "%00", "é" * 50])
def test_what_is_no_ticket_is_refused(acme: Tenant, forged: str) -> None:
    answer = acme.as_nobody().get(PATH, query_string={"ticket": forged})

    assert answer.status_code == 401
    assert answer.json["error"] == "auth_bad_access_token"


def test_a_ticket_is_of_one_app_and_one_user(acme: Tenant, globex: Tenant) -> None:
    users.add(globex.id, [users.NewUser("alice", None)], at_most=Membership(""))
    its = ticket(acme)

    foreign = globex.as_nobody().get(f"{PATH}?ticket={its}")
    others = acme.as_nobody().get(f"/users/bob/stream?ticket={its}")
    elsewhere = acme.as_nobody().get(f"/users/alice/offline_msg_count?ticket={its}")

    assert foreign.json["error"] == "auth_bad_access_token"
    assert others.json["error"] == "unauthorized"
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/ticket"), ("POST", "/ack")],
)
def test_a_stream_is_its_users_alone(acme: Tenant, method: str, path: str) -> None:
    for tenant in (acme, acme.as_user("bob"), acme.as_nobody()):
        answer = tenant.call(method, PATH + path, json={"upto": "1"})

        assert answer.status_code == 401
        assert answer.json["error_description"].startswith(
            "Subject does not have permission"
        )


@pytest.mark.parametrize("resource", ["a/b", "a b", "é", "%00"])
def test_a_device_has_a_name_that_a_path_can_hold(acme: Tenant, resource: str) -> None:
    answer = acme.as_user("alice").get(PATH, query_string={"resource": resource})

    assert answer.status_code == 400
    assert Connection.select().count() == 0


def test_a_head_opens_no_stream(acme: Tenant) -> None:
    answer = acme.as_user("alice").call("HEAD", PATH)

    assert answer.status_code == 200
    assert answer.content_type == "text/event-stream; charset=utf-8"
    assert Connection.select().count() == 0


@pytest.mark.parametrize("upto", [None, "", "x", -1, 0, 1.5, True, "9" * 30])
def test_what_is_no_id_acknowledges_nothing(acme: Tenant, upto: object) -> None:
    send(acme, "alice")

    answer = acme.as_user("alice").post(f"{PATH}/ack", json={"upto": upto})

    assert answer.status_code == 400
    assert Waiting.select().count() == 1


def test_what_was_acknowledged_passes_for_as_long_as_the_table_says(
    acme: Tenant, clock: Clock
) -> None:
    first, second = send(acme, "alice"), send(acme, "alice")
    alice = acme.as_user("alice")
    acknowledged = alice.post(f"{PATH}/ack", json={"upto": int(second)})

    def told() -> bytes:
        headers = {"Last-Event-ID": first}
        with closing(alice.get(PATH, headers=headers)) as answer:
            assert answer.status_code == 200
            send(acme, "alice", routetype="ROUTE_ONLINE", msg=HELLO | {"msg": "end"})
            found = b""
            for piece in islice(answer.iter_encoded(), 9):
                found += piece
                if b'"msg":"end"' in found:
                    return found
        raise AssertionError(found)

    soon = told()
    clock.forward(PASSING)
    late = told()

    assert acknowledged.json["data"] == {"acknowledged": 2}
    assert f"id: {second}\n".encode() in soon
    assert f"id: {second}\n".encode() not in late
    assert f"id: {first}\n".encode() not in soon + late


def test_no_message_is_given_an_events_id(acme: Tenant, clock: Clock) -> None:
    """Within one millisecond, and after the event is gone."""
    number = int(send(acme, "alice"))
    recall = {"msg_id": str(number), "to": "alice", "chat_type": "chat"}
    acme.post("/messages/msg_recall", json=recall)
    event = Event.get()
    Event.delete().execute()

    assert int(send(acme, "alice")) > event.id > number
    assert Recalled.select().count() <= 1


def test_a_sweep_removes_what_passed_and_what_waited_too_long(
    acme: Tenant, clock: Clock
) -> None:
    alice = users.find(acme.id, "alice")
    assert alice is not None
    for passing in (True, False):
        number = first_id(now_ms()) + passing
        Event.create(user=alice.id, id=number, kind="x", passing=passing, data="{}")
    clock.forward(1)

    passed = sum(events.sweep_events(now_ms(), 0, batch=1))
    waited = sum(events.sweep_events(now_ms(), now_ms(), batch=1))

    assert (passed, waited, Event.select().count()) == (1, 1, 0)


def test_the_leases_of_dead_processes_are_swept(acme: Tenant, clock: Clock) -> None:
    alice = users.find(acme.id, "alice")
    for resource, expires in (("old", now_ms()), ("new", now_ms() + 3_600_000)):
        Connection.create(user=alice.id, resource=resource, expires=expires)
    clock.forward(3_600.001)

    assert list(leases.remove_over(batch=1)) == [1]
    assert [each.resource for each in Connection.select()] == ["new"]


def test_two_halves_that_are_cut_off_are_read_without_a_gap(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits and what passed alternate, and one look reads two of each."""
    monkeypatch.setattr(inbox, "_MOST", 2)
    alice = users.find(acme.id, "alice")
    lease = leases.open_lease(
        acme.id, alice.id, "web_1", "test", at_most=Membership("")
    )
    ids = []
    for n in range(11):
        only = {"routetype": "ROUTE_ONLINE"} if n % 3 else {}
        answer = acme.post(
            "/messages?useMsgId=true",
            json={"target_type": "users", "target": ["alice"], "msg": HELLO} | only,
        )
        if answer.status_code == 200:
            ids.append(int(answer.json["data"]["alice"]))
    at = inbox.place(lease, 0, waits=kept(7 * 86_400), passes=kept(600))
    read, more = [], True
    while more:
        look = inbox.look(lease, at)
        read += [item.id for item in look.items]
        at.upto, more = look.upto, look.more

    assert read == ids
    assert len(ids) == 10


def kept(seconds: int) -> Kept:
    return Kept("test", Stated(seconds, "test", "test"))
