"""The figures of Sending messages."""

import orjson
from werkzeug.test import TestResponse

from server.clock import now_ms, utc_day
from server.store.messages import first_id
from server.store.models import Message, QuotaUse
from tests.conftest import Tenant
from tests.probes.base import CALLS, names, passes, probe, refused_by

HELLO = {"type": "txt", "msg": "hello"}


def send(tenant: Tenant, **fields: object) -> TestResponse:
    whole = {"target_type": "users", "target": ["ada"], "msg": HELLO}
    return tenant.post("/messages", json=whole | fields)


CALLS["messages.calls"] = send


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


@probe("messages.recallable_message")
def recallable_message(tenant: Tenant, figure: int) -> None:
    """One that is recallable for a moment more, and one that just was."""

    def ask(age_ms: int) -> str:
        message = Message.create(
            id=first_id(now_ms() - age_ms), app=tenant.id, chat_type="chat",
            sender="admin", target="ada", timestamp=now_ms() - age_ms, body="{}",
        )  # fmt: skip
        recall = {"msg_id": str(message.id), "to": "ada", "chat_type": "chat"}
        answer = passes(tenant.post("/messages/recall", json={"msgs": [recall]}))
        return answer.json["msgs"][0]["recalled"]

    assert ask(figure * 1000 - 1) == "yes"
    assert ask(figure * 1000) == "exceed recall time limit"
