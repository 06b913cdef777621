"""How users say they are, and who is told."""

import pytest

from server.clock import now_ms
from server.store import users
from server.store.models import Connection, Event
from tests.conftest import Clock, Tenant

OF_ALICE = "/users/Alice/presence"


def say(acme: Tenant, name: str, status: str, ext: str = "", resource: str = "ios_1"):
    path = f"/users/{name}/presence/{resource}/{status}"
    return acme.post(path, json={"ext": ext})


def receive(acme: Tenant, name: str, resource: str) -> None:
    found = users.find(acme.id, name)
    assert found is not None
    Connection.create(
        user=found.id, app=acme.id, resource=resource, expires=now_ms() + 60_000
    )


def test_presence_answers_as_the_reference_does(acme: Tenant, clock: Clock) -> None:
    watched = acme.post(f"{OF_ALICE}/86400", json={"usernames": ["Bob", "nobody"]})
    clock.forward(1)
    said = say(acme, "bob", "busy", "in a meeting")
    asked = acme.post(OF_ALICE, json={"usernames": ["bob", "nobody"]})
    listed = acme.get(f"{OF_ALICE}/sublist?pageNum=1&pageSize=100")

    assert watched.json["result"] == [
        {
            "uid": "bob",
            "last_time": "0",
            "expiry": "1700086400",
            "ext": "",
            "status": {},
        }
    ]
    assert said.json["result"] == "ok"
    assert asked.json["result"] == [
        {
            "uid": "bob",
            "last_time": "1700000001",
            "ext": "in a meeting",
            "status": {"ios_1": "busy"},
        },
        {"uid": "nobody", "last_time": "0", "ext": "", "status": {}},
    ]
    assert listed.json["result"] == {
        "totalnum": "1",
        "sublist": [{"uid": "bob", "expiry": "1700086400"}],
    }


def test_a_device_that_receives_is_online_by_itself(acme: Tenant) -> None:
    receive(acme, "bob", "web_2")
    say(acme, "bob", "busy")

    def status() -> dict[str, str]:
        answer = acme.post(OF_ALICE, json={"usernames": ["bob"]})
        return answer.json["result"][0]["status"]

    before = status()
    say(acme, "bob", "0")

    assert before == {"web_2": "1", "ios_1": "busy"}
    assert status() == {"web_2": "1"}


def test_who_watches_and_receives_is_told(acme: Tenant, clock: Clock) -> None:
    acme.post(f"{OF_ALICE}/60", json={"usernames": ["bob"]})
    say(acme, "bob", "away")
    receive(acme, "alice", "web_1")
    say(acme, "bob", "busy")
    clock.forward(59)
    acme.delete(OF_ALICE, json={"users": ["bob"]})
    say(acme, "bob", "back")

    (event,) = Event.select()
    assert (event.user.username, event.kind, event.passing) == (
        "alice",
        "presence",
        True,
    )
    assert '"status":{"ios_1":"busy"}' in event.data


def test_a_subscription_ends(acme: Tenant, clock: Clock) -> None:
    acme.post(f"{OF_ALICE}/60", json={"usernames": ["bob"]})
    receive(acme, "alice", "web_1")
    clock.forward(60)

    say(acme, "bob", "busy")

    assert Event.select().count() == 0
    assert acme.get(f"{OF_ALICE}/sublist").json["result"]["totalnum"] == "0"


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "/ios_1/1", {"ext": "x" * 65}, "ext is too big"),
        ("POST", "/60", {"usernames": ["alice"]}, "you can't sub yourself"),
        ("POST", "/60", {"usernames": ["u"] * 101}, "too many sub presence"),
        ("POST", "", {"usernames": ["u"] * 101}, "too many get presences"),
        ("DELETE", "", ["u"] * 101, "too many unsub presences"),
        ("DELETE", "", {}, "this is an invalid request."),
        ("POST", "/x", {"usernames": ["bob"]}, "this is an invalid request."),
        ("POST", "/0", {"usernames": ["bob"]}, "this is an invalid request."),
    ],
)
def test_what_is_refused(
    acme: Tenant, method: str, path: str, body: object, text: str
) -> None:
    answer = acme.call(method, OF_ALICE + path, json=body)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == text


def test_presence_is_the_apps_business(acme: Tenant) -> None:
    denied = acme.as_user("alice").post(OF_ALICE, json={"usernames": []})
    unknown = acme.post("/users/nobody/presence", json={"usernames": []})

    assert denied.status_code == 401
    assert unknown.status_code == 404
