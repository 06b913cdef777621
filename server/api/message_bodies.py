"""What a message is made of: what each type needs, checked and made fit to keep."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from server.errors import IllegalArgument
from server.rules import messages as rules

Check = Callable[[Any], bool]


def text(value: object) -> bool:
    return isinstance(value, str)


def natural(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def degrees(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_URL, _FILENAME, _LENGTH = ("url", text), ("filename", text), ("length", natural)

NEEDS: Mapping[str, tuple[tuple[str, Check], ...]] = {
    "txt": (("msg", text),),
    "img": (_URL, _FILENAME),
    "audio": (_URL, _FILENAME, _LENGTH),
    "video": (_URL, _LENGTH),
    "file": (_URL, _FILENAME),
    "loc": (("lat", degrees), ("lng", degrees), ("addr", text)),
    "cmd": (("action", text),),
    "custom": (("customEvent", text),),
}
ALIASES = {"text": "txt"}  # some clients say so
EVENT = re.compile(r"[a-zA-Z0-9_/. -]+")


def check(msg: Mapping[str, Any]) -> dict[str, Any]:
    """*msg* as it is kept: its type by its own name, everything else as it came.

    Raises:
        IllegalArgument: no such type, or a field of its type is missing or wrong.
    """
    kind = msg.get("type")
    if kind is None:
        raise _missing("type")
    name = ALIASES.get(kind, kind) if isinstance(kind, str) else ""
    if name not in NEEDS:
        message = f"unsupported message type: {kind}"
        raise IllegalArgument(message)
    for field, fits in NEEDS[name]:
        value = msg.get(field)
        if value is None:
            raise _missing(field)
        if not fits(value):
            raise IllegalArgument
    kept = {**msg, "type": name}
    if name == "custom":
        _check_custom(kept)
    return kept


def _missing(field: str) -> IllegalArgument:
    return IllegalArgument(f"{field} must be provided")


def _check_custom(kept: dict[str, Any]) -> None:
    """Names and extensions within bounds; values become strings, as clients expect."""
    event = kept["customEvent"]
    rules.CUSTOM_EVENT.check(len(event), text="customEvent exceeds the limit of {max}")
    if not EVENT.fullmatch(event):
        message = "customEvent is not legal"
        raise IllegalArgument(message)
    extensions = kept.get("customExts")
    if extensions is None:
        return
    if not isinstance(extensions, dict):
        raise IllegalArgument
    rules.CUSTOM_EXTENSIONS.check(
        len(extensions), text="customExts exceeds the limit of {max}"
    )
    if not all(
        isinstance(each, str | bool | int | float) for each in extensions.values()
    ):
        message = "customExts values must be strings"
        raise IllegalArgument(message)
    kept["customExts"] = {
        key: each if isinstance(each, str) else orjson.dumps(each).decode()
        for key, each in extensions.items()
    }
