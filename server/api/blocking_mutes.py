"""Global mutes: stop a user from sending, by kind of chat."""

from flask import Response
from marshmallow import Schema, fields, validate

from server import answers as told
from server import envelope
from server.answers import Answer, answers
from server.auth import deny_with
from server.caller import caller
from server.clock import now_ms
from server.errors import INVALID_REQUEST, AdminOnly, RequiredPropertyNotFound
from server.payload import Lenient, Text, body, whole_in_any_case
from server.rules import blocking as rules
from server.store import blocking_mutes as store

blueprint = rules.blueprint

PATH = "/mutes"
KINDS = ("chat", "groupchat", "chatroom")
_INT_MAX = (1 << 31) - 1  # the wire's integers have 32 bits


class Seconds(fields.Integer):
    """How long a mute lasts; -1: for ever, 0: it is lifted."""

    def __init__(self) -> None:
        super().__init__(
            strict=True,
            error_messages={"invalid": INVALID_REQUEST},
            validate=validate.Range(store.FOR_EVER, _INT_MAX, error=INVALID_REQUEST),
        )


class NewMute(Lenient):
    username = Text()
    chat = Seconds()
    groupchat = Seconds()
    chatroom = Seconds()


class Muted(Schema):
    result = told.constant("ok")


class MutesOfUser(Schema):
    userid = told.text()
    chat = told.number("Seconds left; -1: for ever, 0: none.")
    groupchat = told.number("Likewise.")
    chatroom = told.number("Likewise.")
    unixtime = told.number("The server's time, in seconds.")


class Mute(Schema):
    username = told.text()
    chat = fields.Integer()
    groupchat = fields.Integer()
    chatroom = fields.Integer()


class MutePage(Schema):
    data = fields.List(fields.Nested(Mute), required=True)
    unixtime = told.number("The server's time, in seconds.")


def _told(action: str, data: type[Schema]) -> Answer:
    return told.of_app(action=action, path=PATH, uri=told.uri(), data=data)


@blueprint.post("/mutes")
@answers(_told("post", Muted))
@deny_with(AdminOnly)
@body(NewMute, at_most=rules.REQUEST_BODY)
def mute(*, username: str | None = None, **seconds: int) -> Response:
    """Mute a user for some seconds, for ever or no more; what is not named stays."""
    if username is None:
        raise RequiredPropertyNotFound
    store.change(caller().app.id, username, seconds)
    return _of_mutes("post", result="ok")


@blueprint.get("/mutes/<username>")
@answers(_told("get", MutesOfUser))
@deny_with(AdminOnly)
def read_mutes(*, username: str) -> Response:
    """The seconds left of a user's mutes."""
    app = caller().app
    found, left = store.of_user(app.id, username)
    return _of_mutes(
        "get",
        userid=f"{app.org}#{app.name}_{found.username}",
        **{kind: left.get(kind, store.LIFTED) for kind in KINDS},
        unixtime=now_ms() // 1000,
    )


@blueprint.get("/mutes")
@answers(_told("get", MutePage))
@deny_with(AdminOnly)
def list_mutes() -> Response:
    """Every mute that holds, the last set first, a page a call."""
    most = rules.MUTE_LIST.value
    number = max(whole_in_any_case("pageNum") or 1, 1)
    size = rules.MUTE_LIST.clamp(whole_in_any_case("pageSize"), default=most)
    page = store.page(caller().app.id, number, size)
    shown = [{"username": each.username, each.chat_type: each.seconds} for each in page]
    return _of_mutes("get", data=shown, unixtime=now_ms() // 1000)


def _of_mutes(action: str, **data: object) -> Response:
    return envelope.of_app(
        action=action, path=PATH, uri=envelope.base() + PATH, data=data
    )
