"""What a message is made of: one schema a type, checked and made fit to keep."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from marshmallow import ValidationError, fields

from server.errors import INVALID_REQUEST, IllegalArgument
from server.payload import Lenient, Text, Words, load
from server.rules import messages as rules

_EVENT = re.compile(r"[a-zA-Z0-9_/. -]+")


def _needed(name: str) -> Words:
    return {
        "required": f"{name} must be provided",
        "null": f"{name} must be provided",
        "invalid": INVALID_REQUEST,
    }


def _text(name: str) -> Text:
    return Text(required=True, error_messages=_needed(name))


class _Whole(fields.Integer):
    """A whole number that is not negative, as a number."""

    def __init__(self, name: str) -> None:
        super().__init__(
            required=True, strict=True, error_messages=_needed(name), validate=_natural
        )


def _natural(value: int) -> None:
    if value < 0:
        raise ValidationError(INVALID_REQUEST)


class _Degrees(fields.Field[Any]):
    """A latitude or longitude, as a number or as text; kept as it came."""

    def __init__(self, name: str) -> None:
        super().__init__(required=True, error_messages=_needed(name))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError(INVALID_REQUEST)
        return value


class Txt(Lenient):
    msg = _text("msg")


class Img(Lenient):
    url = _text("url")
    filename = _text("filename")


class Audio(Img):
    length = _Whole("length")


class Video(Lenient):
    url = _text("url")
    length = _Whole("length")


class File(Img):
    pass


class Loc(Lenient):
    lat = _Degrees("lat")
    lng = _Degrees("lng")
    addr = _text("addr")


class Cmd(Lenient):
    action = _text("action")


def _event(name: str) -> None:
    if not _EVENT.fullmatch(name):
        message = "customEvent is not legal"
        raise ValidationError(message)


def _scalars(extensions: Mapping[str, object]) -> None:
    if not all(
        isinstance(each, str | bool | int | float) for each in extensions.values()
    ):
        message = "customExts values must be strings"
        raise ValidationError(message)


class Custom(Lenient):
    event = Text(
        data_key="customEvent",
        required=True,
        error_messages=_needed("customEvent"),
        validate=[
            rules.CUSTOM_EVENT.says("customEvent exceeds the limit of {max}"),
            _event,
        ],
    )
    extensions = fields.Dict(
        data_key="customExts",
        error_messages={"invalid": INVALID_REQUEST},
        validate=[
            rules.CUSTOM_EXTENSIONS.says("customExts exceeds the limit of {max}"),
            _scalars,
        ],
    )


_SCHEMAS: Mapping[str, Lenient] = {
    "txt": Txt(),
    "img": Img(),
    "audio": Audio(),
    "video": Video(),
    "file": File(),
    "loc": Loc(),
    "cmd": Cmd(),
    "custom": Custom(),
}
_ALIASES = {"text": "txt"}  # some clients say so


def check(msg: Mapping[str, Any]) -> dict[str, Any]:
    """*msg* as it is kept: its type by its own name, everything else as it came.

    Raises:
        IllegalArgument: no such type, or a field of its type is missing or wrong.
    """
    kind = msg.get("type")
    if kind is None:
        message = "type must be provided"
        raise IllegalArgument(message)
    name = _ALIASES.get(kind, kind) if isinstance(kind, str) else ""
    schema = _SCHEMAS.get(name)
    if schema is None:
        message = f"unsupported message type: {kind}"
        raise IllegalArgument(message)
    load(schema, msg)
    kept = {**msg, "type": name}
    if name == "custom" and kept.get("customExts"):
        kept["customExts"] = {
            key: each if isinstance(each, str) else orjson.dumps(each).decode()
            for key, each in kept["customExts"].items()
        }
    return kept
