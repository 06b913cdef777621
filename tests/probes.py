"""For each rule, an experiment that finds its figure by calling the server.

A probe is told the figure it should find: what is just within it passes, one more is
refused under the rule's name. So the same probes show that behaviour follows the table
when its figures are changed. ``python -m tests.probes`` tries figures given as JSON.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.app import create_app
from server.clock import now_ms, utc_day
from server.kinds import Membership
from server.settings import Settings
from server.store import user_metadata, users
from server.store.database import Statement
from server.store.models import App, QuotaUse
from tests.conftest import SECOND_NS, Clock, Tenant, make_tenant, still

Probe = Callable[[Tenant, int], None]
PROBES: dict[str, Probe] = {}
HELLO = {"type": "txt", "msg": "hello"}


def probe(rule: str) -> Callable[[Probe], Probe]:
    def keep(function: Probe) -> Probe:
        PROBES[rule] = function
        return function

    return keep


def passes(answer: TestResponse) -> TestResponse:
    assert answer.status_code == 200, answer.text
    return answer


def refused_by(rule: str, answer: TestResponse, status: int = 400) -> TestResponse:
    assert answer.status_code == status, answer.text
    assert answer.json["rule"] == rule
    line = Path("limits.md").read_text().splitlines()
    number = int(answer.json["doc"].removeprefix("limits.md:"))
    assert answer.json["limit"] in line[number - 1]
    return answer


def names(count: int, prefix: str = "u") -> list[str]:
    return [f"{prefix}{n:06}" for n in range(count)]


def populate(tenant: Tenant, count: int) -> None:
    new = [users.NewUser(name, None) for name in names(count, "p")]
    users.add(tenant.id, new, at_most=Membership("none"))


def register(tenant: Tenant, **fields: object) -> TestResponse:
    return tenant.post("/users", json={"username": "new", "password": "pw"} | fields)


def send(tenant: Tenant, **fields: object) -> TestResponse:
    whole = {"target_type": "users", "target": ["ada"], "msg": HELLO}
    return tenant.post("/messages", json=whole | fields)


@probe("users.user_id")
def user_id(tenant: Tenant, figure: int) -> None:
    refused_by("users.user_id", register(tenant, username="x" * (figure + 1)))
    passes(register(tenant, username="x" * figure))


@probe("users.bulk_registration")
def bulk_registration(tenant: Tenant, figure: int) -> None:
    bulk = [{"username": name, "password": "pw"} for name in names(figure + 1)]
    refused_by("users.bulk_registration", tenant.post("/users", json=bulk))
    passes(tenant.post("/users", json=bulk[:-1]))


@probe("users.password")
def password(tenant: Tenant, figure: int) -> None:
    refused_by("users.password", register(tenant, password="x" * (figure + 1)))
    passes(register(tenant, password="x" * figure))


@probe("users.nickname")
def nickname(tenant: Tenant, figure: int) -> None:
    refused_by("users.nickname", register(tenant, nickname="x" * (figure + 1)))
    passes(register(tenant, nickname="x" * figure))


@probe("users.batch_status")
def batch_status(tenant: Tenant, figure: int) -> None:
    def ask(count: int) -> TestResponse:
        return tenant.post("/users/batch/status", json={"usernames": ["x"] * count})

    refused_by("users.batch_status", ask(figure + 1))
    passes(ask(figure))


@probe("users.batch_nickname")
def batch_nickname(tenant: Tenant, figure: int) -> None:
    one = {"username": "x", "push_nickname": "y"}
    over = tenant.put("/push/nickname", json=[one] * (figure + 1))
    refused_by("users.batch_nickname", over)
    passes(tenant.put("/push/nickname", json=[one] * figure))


@probe("users.batch_attributes")
def batch_attributes(tenant: Tenant, figure: int) -> None:
    def ask(count: int) -> TestResponse:
        body = {"targets": ["x"] * count, "properties": []}
        return tenant.post("/metadata/user/get", json=body)

    refused_by("users.batch_attributes", ask(figure + 1), 403)
    passes(ask(figure))


@probe("users.user_list")
def user_list(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 1)
    assert tenant.get(f"/users?limit={figure + 1}").json["count"] == figure


@probe("users.bulk_deletion")
def bulk_deletion(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 1)
    gone = tenant.delete(f"/users?limit={figure + 1}").json["entities"]
    assert len(gone) == figure


def write_attributes(tenant: Tenant, username: str, size: int) -> TestResponse:
    return tenant.put(
        f"/metadata/user/{username}",
        data="k=" + "x" * (size - 1),
        content_type="application/x-www-form-urlencoded",
    )


@probe("users.attributes")
def attributes(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    over = write_attributes(tenant, "p000000", figure + 1)
    refused_by("users.attributes", over, 403)
    passes(write_attributes(tenant, "p000000", figure))


@probe("users.app_attributes")
def app_attributes(tenant: Tenant, figure: int) -> None:
    """The app holds all but ten bytes of its figure, as if it had written them."""
    populate(tenant, 1)
    App.update(attribute_bytes=figure - 10).execute()
    over = write_attributes(tenant, "p000000", 11)
    refused_by("users.app_attributes", over, 403)
    passes(write_attributes(tenant, "p000000", 10))
    assert user_metadata.total(tenant.id) == figure


@probe("users.request_body")
def users_request_body(tenant: Tenant, figure: int) -> None:
    def ask(size: int) -> TestResponse:
        body = b'{"usernames":[]}'.ljust(size)
        return tenant.post(
            "/users/batch/status", data=body, content_type="application/json"
        )

    refused_by("users.request_body", ask(figure + 1), 413)
    passes(ask(figure))


@probe("users.users_per_app")
def users_per_app(tenant: Tenant, figure: int) -> None:
    """The app has all but one of its users, as if they were there."""
    App.update(user_count=figure - 1).execute()
    two = [{"username": name, "password": "pw"} for name in names(2)]
    refused_by("users.users_per_app", tenant.post("/users", json=two), 429)
    passes(register(tenant))
    refused_by("users.users_per_app", register(tenant, username="other"), 429)


@probe("messages.message_and_extension")
def message_and_extension(tenant: Tenant, figure: int) -> None:
    empty = len(orjson.dumps(HELLO | {"msg": ""})) + len(b'{"k":"v"}')

    def ask(size: int) -> TestResponse:
        msg = HELLO | {"msg": "x" * (size - empty)}
        return send(tenant, msg=msg, ext={"k": "v"})

    refused_by("messages.message_and_extension", ask(figure + 1), 413)
    passes(ask(figure))


@probe("messages.daily_system_push_messages")
def daily_messages(tenant: Tenant, figure: int) -> None:
    """The app has sent all but two of the day's messages, as if it had."""
    rule = "messages.daily_system_push_messages"
    today = utc_day(now_ms())
    QuotaUse.create(app=tenant.id, rule=rule, day=today, used=figure - 2)
    refused_by(rule, send(tenant, target=names(3)), 429)
    passes(send(tenant, target=names(2)))
    refused_by(rule, send(tenant), 429)


@probe("messages.targets")
def targets(tenant: Tenant, figure: int) -> None:
    refused_by("messages.targets", send(tenant, target=names(figure + 1)))
    passes(send(tenant, target=names(figure)))
    flat = {"to": names(figure + 1), "type": "txt", "body": {"msg": "x"}}
    refused_by("messages.targets", tenant.post("/messages/users", json=flat))


def flat_form(kind: str, rule: str) -> None:
    @probe(rule)
    def flat(tenant: Tenant, figure: int) -> None:
        def ask(count: int) -> TestResponse:
            body = {"to": names(count), "type": "txt", "body": {"msg": "x"}}
            return tenant.post(f"/messages/{kind}", json=body)

        refused_by(rule, ask(figure + 1))
        passes(ask(figure))


flat_form("chatgroups", "messages.group_targets")
flat_form("chatrooms", "messages.chat_room_targets")


@probe("messages.custom_event")
def custom_event(tenant: Tenant, figure: int) -> None:
    def ask(length: int) -> TestResponse:
        return send(tenant, msg={"type": "custom", "customEvent": "x" * length})

    refused_by("messages.custom_event", ask(figure + 1))
    passes(ask(figure))


@probe("messages.custom_extensions")
def custom_extensions(tenant: Tenant, figure: int) -> None:
    def ask(count: int) -> TestResponse:
        extensions = dict.fromkeys(names(count), "v")
        msg = {"type": "custom", "customEvent": "x", "customExts": extensions}
        return send(tenant, msg=msg)

    refused_by("messages.custom_extensions", ask(figure + 1))
    passes(ask(figure))


@probe("messages.request_body")
def messages_request_body(tenant: Tenant, figure: int) -> None:
    whole = {"target_type": "users", "target": ["ada"], "msg": HELLO}

    def ask(size: int) -> TestResponse:
        body = orjson.dumps(whole).ljust(size)
        return tenant.post("/messages", data=body, content_type="application/json")

    refused_by("messages.request_body", ask(figure + 1), 413)
    passes(ask(figure))


# One cheap call of each interface, to count with.
CALLS: dict[str, Callable[[Tenant], TestResponse]] = {
    "users.calls": lambda tenant: tenant.get("/users/nobody"),
    "messages.calls": send,
}


def rate(tenant: Tenant, clock: Clock, rule: str, calls: int, seconds: int) -> None:
    """The last allowed call passes, the next does not, a window later one does."""
    began = clock.boot_ns
    for n in range(calls):
        admitted = CALLS[rule](tenant)
        assert admitted.status_code != 429, f"call {n + 1} of {calls} is refused"
        assert admitted.headers["RateLimit-Policy"] == f'"{rule}";q={calls};w={seconds}'
        assert admitted.headers["RateLimit"].startswith(f'"{rule}";r={calls - n - 1};')
        clock.forward(seconds / (2 * calls))
    refused = refused_by(rule, CALLS[rule](tenant), 429)
    assert refused.json["error"] == "reach_limit"
    assert refused.json["retry_after"] == int(refused.headers["Retry-After"])
    # The first call leaves the window first; a moment before, it is still there.
    clock.to(began + seconds * SECOND_NS - 1)
    assert CALLS[rule](tenant).status_code == 429
    clock.to(began + seconds * SECOND_NS)
    assert CALLS[rule](tenant).status_code != 429
    assert CALLS[rule](tenant).status_code == 429


def main(figures: dict[str, Any]) -> None:
    """Try every figure, each with a fresh database; the first that differs ends it."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        still(patch, clock)
        app = create_app(Settings(state_dir=Path(place), counters_url="memory://"))
        app.testing = True
        for rule, (edition, figure) in figures["bounds"].items():
            PROBES[rule](_tenant(app, clock, edition), figure)
            print(f"{rule} is {figure}")
        for rule, by_edition in figures["rates"].items():
            for edition, (calls, seconds) in by_edition.items():
                rate(_tenant(app, clock, edition), clock, rule, calls, seconds)
                print(f"{rule} is {calls} in {seconds} s for {edition}")


def _tenant(app: Flask, clock: Clock, edition: str) -> Tenant:
    Statement("DELETE FROM app").run()
    clock.forward(86_400)
    return make_tenant(app, "acme/chat", edition)


if __name__ == "__main__":
    main(json.load(sys.stdin))
