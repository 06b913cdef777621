"""The figures of Offline messages."""

import time
from contextlib import closing
from itertools import islice

import orjson
from werkzeug.test import TestResponse

from server.clock import now_ms
from server.store.messages import first_id
from server.store.models import Connection, Event, Message, User, Waiting
from tests.conftest import Tenant
from tests.probes.base import CALLS, names, passes, populate, probe, refused_by

PATH = "/users/p000000/offline_msg_count"
STREAM = "/users/p000000/stream"
GONE_SECONDS = 30

CALLS["offline.calls"] = lambda tenant: tenant.get("/users/nobody/offline_msg_count")


@probe("offline.offline_message")
def offline_message(tenant: Tenant, figure: int) -> None:
    """One that will be gone in a moment, and one that just went, as if sent then."""
    populate(tenant, 1)
    for age_ms in (figure * 1000 - 1, figure * 1000):
        Waiting.create(user_id=receiver().id, message_id=sent(tenant, age_ms).id)
    assert passes(tenant.get(PATH)).json["data"] == {"p000000": 1}


def receiver() -> User:
    return User.get(username="p000000")


def sent(tenant: Tenant, age_ms: int) -> Message:
    return Message.create(
        id=first_id(now_ms() - age_ms), app=tenant.id, chat_type="chat",
        sender="admin", target="p000000", timestamp=now_ms() - age_ms, body="{}",
    )  # fmt: skip


@probe("offline.passing_event")
def passing_event(tenant: Tenant, figure: int) -> None:
    """As above, of what passed while a device was away, which names the one before."""
    populate(tenant, 1)
    before = sent(tenant, figure * 1000 + 1)
    gone, there = (sent(tenant, figure * 1000 - n) for n in (0, 1))
    for each in (gone, there):
        Event.create(user=receiver(), id=each.id, kind="message", passing=True)
    user = tenant.as_user("p000000")
    answer = passes(user.get(STREAM, headers={"Last-Event-ID": str(before.id)}))
    with closing(answer):
        told = b"".join(islice(answer.iter_encoded(), 2))
    assert b"id: %d\n" % there.id in told
    assert b"id: %d\n" % gone.id not in told


@probe("offline.stream_ticket")
def stream_ticket(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    answer = passes(tenant.as_user("p000000").post(f"{STREAM}/ticket")).json["data"]
    assert answer["expires_in"] == figure


def gone(resource: str) -> None:
    """A server notices that a device has gone when its thread next looks."""
    ends = time.monotonic() + GONE_SECONDS
    while Connection.select().where(Connection.resource == resource).exists():
        assert time.monotonic() < ends, f"{resource} is held"
        time.sleep(0.01)


@probe("offline.devices_per_user")
def devices_per_user(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    user = tenant.as_user("p000000")

    def hold(resource: str) -> None:
        expires = now_ms() + 60_000
        Connection.create(user=receiver(), resource=resource, expires=expires)

    for resource in names(figure - 1, "ios_"):
        hold(resource)
    passes(user.get(STREAM, query_string={"resource": "web_1"})).close()
    gone("web_1")
    hold("ios_last")
    refused_by("offline.devices_per_user", user.get(STREAM), 403)
    # One that is connected already comes back instead of itself.
    passes(user.get(STREAM, query_string={"resource": "ios_last"})).close()


@probe("offline.device_name")
def device_name(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    user = tenant.as_user("p000000")

    def ask(length: int) -> TestResponse:
        return user.get(STREAM, query_string={"resource": "x" * length})

    refused_by("offline.device_name", ask(figure + 1))
    passes(ask(figure)).close()


@probe("offline.request_body")
def offline_request_body(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    user = tenant.as_user("p000000")

    def ask(size: int) -> TestResponse:
        body = orjson.dumps({"upto": "1"}).ljust(size)
        return user.post(f"{STREAM}/ack", data=body, content_type="application/json")

    refused_by("offline.request_body", ask(figure + 1), 413)
    passes(ask(figure))
