"""Sending messages: to users, groups and rooms, in the two forms clients have."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson
from flask import Response
from marshmallow import ValidationError, fields, validate

from server import answers as told
from server import envelope
from server.answers import Answer, Part, answers
from server.api import message_bodies
from server.auth import deny_all_with
from server.caller import caller
from server.errors import (
    INVALID_REQUEST,
    ForbiddenOp,
    MessagesDenied,
    TooLarge,
)
from server.kinds import MaxItems
from server.payload import SWITCH, Choice, Lenient, Text, body
from server.rules import messages as rules
from server.store import blocking_mutes
from server.store import messages as store

blueprint = rules.blueprint
deny_all_with(blueprint, MessagesDenied)

PATH = "/messages"
NOBODY = "admin"
"""The sender of a message that names none."""
_ONLINE_ONLY = "ROUTE_ONLINE"
_LEVELS = ("high", "normal", "low")
_TARGET_TYPES = tuple(store.CHAT_TYPES)


class Targets(fields.Field[list[str]]):
    """An array of names or ids, at least one; a number is read as its decimal text."""

    def __init__(self, name: str, at_most: MaxItems) -> None:
        missing = f"{name} must be provided"
        super().__init__(
            required=True,
            error_messages={"required": missing, "null": missing},
            validate=at_most.says(name + " exceeds the limit of {max}"),
        )
        self._missing = missing

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        if not isinstance(value, list) or not value:
            raise ValidationError(self._missing)
        return [self._name(each) for each in value]

    def _name(self, each: object) -> str:
        if isinstance(each, int) and not isinstance(each, bool):
            return str(each)
        if isinstance(each, str) and each:
            return each
        raise ValidationError(INVALID_REQUEST)


_LAST_MS = 253_402_300_799_999
"""Of the year 9999."""


_moment = validate.Range(0, _LAST_MS, error=INVALID_REQUEST)


class Options(Lenient):
    """What every send may say, after its own fields."""

    nulls_count: ClassVar[frozenset[str]] = frozenset({"ext"})

    sender = Text(
        data_key="from", validate=validate.Length(min=1, error="from can't be empty")
    )
    ext = fields.Dict(
        error_messages={"null": "ext can't be null", "invalid": INVALID_REQUEST}
    )
    sync_device = Choice(SWITCH)
    routetype = fields.Raw()
    msg_timestamp = fields.Integer(
        strict=True, error_messages={"invalid": INVALID_REQUEST}, validate=_moment
    )
    chatroom_msg_level = Text(validate=validate.OneOf(_LEVELS, error=INVALID_REQUEST))


class NewMessage(Options):
    class Meta(Options.Meta):
        # The order the reference checks in.
        fields = (
            "target_type",
            "target",
            "sender",
            "msg",
            "ext",
            "sync_device",
            "routetype",
            "msg_timestamp",
            "chatroom_msg_level",
        )

    target_type = Text(
        required=True,
        error_messages={
            "required": "target_type must be provided",
            "invalid": "target_type can only be 'users' or 'chatgroups' or 'chatrooms'",
        },
        validate=validate.OneOf(
            _TARGET_TYPES,
            error="target_type can only be 'users' or 'chatgroups' or 'chatrooms'",
        ),
    )
    target = Targets("target", rules.TARGETS)
    msg = fields.Dict(
        required=True,
        error_messages={
            "required": "msg must be provided",
            "invalid": "msg must be provided",
        },
    )


def sent(each: Part) -> Answer:
    """What :func:`_sent` answers: of each target, in the caller's spelling."""
    return told.of_app(
        action="post",
        params=told.params(),
        path=told.text(),
        uri=told.uri(),
        entities=told.nothing(),
        data=told.by_name(each),
    )


@blueprint.post("/messages")
@answers(sent(told.text('"success", or the message\'s id if asked for.')))
@body(NewMessage, at_most=rules.REQUEST_BODY)
def send(
    *, target_type: str, target: list[str], msg: dict[str, Any], **options: Any
) -> Response:
    """Send to each target; the answer names each, or gives the ids if asked."""
    ids = _send(target_type, target, msg, options)
    if envelope.asks_for("useMsgId"):
        return _sent(PATH, ids)
    return _sent(PATH, dict.fromkeys(ids, "success"))


def _send(
    target_type: str,
    targets: Sequence[str],
    msg: Mapping[str, Any],
    options: Mapping[str, Any],
) -> dict[str, str]:
    """The message id of each target, in the caller's spelling."""
    ext = options.get("ext")
    kept = message_bodies.check(msg)
    packed = orjson.dumps(ext) if ext is not None else b""
    rules.MESSAGE_AND_EXTENSION.check(len(orjson.dumps(msg)) + len(packed), TooLarge)
    sender = options.get("sender", NOBODY)
    _check_not_muted(sender, store.CHAT_TYPES[target_type])
    stored = {each: _stored_form(target_type, each) for each in targets}
    distinct = list(dict.fromkeys(stored.values()))
    ids = store.keep(
        caller().app.id,
        store.Outgoing(
            target_type=target_type,
            targets=distinct,
            sender=sender.lower(),
            body=orjson.dumps(kept).decode(),
            ext=packed.decode() or None,
            timestamp=options.get("msg_timestamp"),
            online_only=options.get("routetype") == _ONLINE_ONLY,
            sync_device=options.get("sync_device", False),
            level=options.get("chatroom_msg_level"),
        ),
        at_most=rules.DAILY_SYSTEM_PUSH_MESSAGES,
    )
    given = dict(zip(distinct, map(str, ids), strict=True))
    return {said: given[each] for said, each in stored.items()}


def _check_not_muted(sender: str, chat_type: str) -> None:
    if blocking_mutes.is_muted(caller().app.id, sender.lower(), chat_type):
        message = f"user {sender} is muted"
        raise ForbiddenOp(message)


def _stored_form(target_type: str, target: str) -> str:
    """User names are one in every case; ids of groups and rooms are digits."""
    return target.lower() if target_type == "users" else target


def _sent(path: str, data: Mapping[str, str]) -> Response:
    return envelope.of_app(
        action="post",
        params=envelope.params(),
        path=path,
        uri=envelope.base() + path,
        entities=[],
        data=data,
    )


class Flat(Options):
    """The later form: the kind of target in the path, the message's fields flat."""

    class Meta(Options.Meta):
        fields = (
            "to",
            "sender",
            "kind",
            "content",
            "ext",
            "sync_device",
            "routetype",
            "msg_timestamp",
            "chatroom_msg_level",
        )

    kind = fields.Raw(
        data_key="type",
        required=True,
        error_messages={"required": "type must be provided"},
    )
    content = fields.Dict(
        data_key="body",
        required=True,
        error_messages={
            "required": "body must be provided",
            "invalid": "body must be provided",
        },
    )


class ToUsers(Flat):
    to = Targets("to", rules.TARGETS)


class ToGroups(Flat):
    to = Targets("to", rules.GROUP_TARGETS)


class ToRooms(Flat):
    to = Targets("to", rules.CHAT_ROOM_TARGETS)


@blueprint.post("/messages/users")
@answers(sent(told.text("The message's id.")))
@body(ToUsers, at_most=rules.REQUEST_BODY)
def send_to_users(**flat: Any) -> Response:
    """Send to users, flat form."""
    return _send_flat("users", **flat)


@blueprint.post("/messages/chatgroups")
@answers(sent(told.text("The message's id.")))
@body(ToGroups, at_most=rules.REQUEST_BODY)
def send_to_groups(**flat: Any) -> Response:
    """Send to groups, flat form."""
    return _send_flat("chatgroups", **flat)


@blueprint.post("/messages/chatrooms")
@answers(sent(told.text("The message's id.")))
@body(ToRooms, at_most=rules.REQUEST_BODY)
def send_to_rooms(**flat: Any) -> Response:
    """Send to chat rooms, flat form."""
    return _send_flat("chatrooms", **flat)


def _send_flat(
    target_type: str,
    *,
    to: list[str],
    kind: object,
    content: dict[str, Any],
    **options: Any,
) -> Response:
    msg = {**content, "type": kind}
    return _sent(f"{PATH}/{target_type}", _send(target_type, to, msg, options))
