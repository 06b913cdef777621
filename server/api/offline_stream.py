"""Receiving: a user's stream, tickets that open it in browsers, what was received."""

import re
import secrets
from typing import Any

from flask import Response, request
from marshmallow import Schema, ValidationError, fields

from server import answers as told
from server import envelope, streaming
from server.answers import answers
from server.api import offline_tickets
from server.auth import decide
from server.caller import Caller, Kind, caller
from server.errors import INVALID_REQUEST, IllegalArgument
from server.payload import Lenient, body
from server.rules import offline as rules
from server.store import inbox, users
from server.store.messages import read_id

blueprint = rules.blueprint

_RESOURCE = re.compile(r"[A-Za-z0-9_.-]+")


def _is_theirs(found: Caller) -> bool:
    """Whether a user token came, of the very user whom the path names."""
    if found.kind is not Kind.USER:
        return False
    named = users.find(found.app.id, str((request.view_args or {}).get("username")))
    return named is not None and named.id == found.user_id


def _the_user(found: Caller) -> Caller | None:
    return found if _is_theirs(found) else None


def _the_user_or_a_ticket(found: Caller) -> Caller | None:
    ticket = request.args.get("ticket")
    if found.kind is Kind.NOBODY and ticket is not None:
        found = offline_tickets.redeem(found.app, ticket)
    return _the_user(found)


@blueprint.get("/users/<username>/stream")
@decide(_the_user_or_a_ticket, Kind.USER, Kind.NOBODY)
@answers(told.events())
def stream(*, username: str) -> Response:  # noqa: ARG001 (who that is, auth has seen)
    """What waits for a user, then what comes, on one of their devices."""
    if request.method == "HEAD":
        return streaming.head()
    found = caller()
    return streaming.open_stream(
        found.app.id,
        f"/{found.app.org}/{found.app.name}",
        found.user_id or 0,
        _resource(),
        _last_event_id(),
        devices=rules.DEVICES_PER_USER,
        waits=rules.OFFLINE_MESSAGE,
        passes=rules.PASSING_EVENT,
    )


def _resource() -> str:
    """The name of the device: the caller's, or one made up."""
    named = request.args.get("resource")
    if not named:
        return f"web_{secrets.token_hex(6)}"
    rules.DEVICE_NAME.check(len(named), text="resource is longer than {max} characters")
    if not _RESOURCE.fullmatch(named):
        raise IllegalArgument(INVALID_REQUEST)
    return named


def _last_event_id() -> int:
    """Of the header, as browsers send it again, or of the query, which they can set."""
    header = request.headers.get("Last-Event-ID")
    return read_id(header or request.args.get("last_event_id", ""))


class Ticket(Schema):
    ticket = told.text()
    expires_in = told.number("Seconds.")


@blueprint.post("/users/<username>/stream/ticket")
@decide(_the_user, Kind.USER)
@answers(told.of_app(action="post", uri=told.uri(), data=Ticket))
def issue_ticket(*, username: str) -> Response:  # noqa: ARG001 (likewise)
    """What opens the user's stream for a moment, without a header."""
    found = caller()
    ticket = offline_tickets.issue(found, rules.STREAM_TICKET.value)
    data = {"ticket": ticket, "expires_in": rules.STREAM_TICKET.value}
    return envelope.of_app(action="post", uri=envelope.here(), data=data)


class MessageId(fields.Field[int]):
    """An id, as text or as a number."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        id_ = read_id(str(value)) if is_number or isinstance(value, str) else 0
        if not id_:
            raise ValidationError(INVALID_REQUEST)
        return id_


class Received(Lenient):
    upto = MessageId(
        required=True, error_messages={"required": "upto must be provided"}
    )


class Acknowledged(Schema):
    acknowledged = told.number("How many messages it took out of the queue.")


@blueprint.post("/users/<username>/stream/ack")
@decide(_the_user, Kind.USER)
@answers(told.of_app(action="post", uri=told.uri(), data=Acknowledged))
@body(Received, at_most=rules.REQUEST_BODY)
def acknowledge(*, username: str, upto: int) -> Response:  # noqa: ARG001 (likewise)
    """A device has received everything up to an id: it waits no more."""
    found = caller()
    taken = inbox.acknowledge(
        found.app.id, found.user_id or 0, upto, passes=rules.PASSING_EVENT
    )
    return envelope.of_app(
        action="post", uri=envelope.here(), data={"acknowledged": taken}
    )
