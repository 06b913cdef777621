"""A message as the history file tells it."""

import math
import re
from collections.abc import Callable
from typing import Any

import orjson

_FILE_URL = re.compile(r"/chatfiles/([0-9a-f-]{36})/?(?:[?#].*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WITH_FILE = frozenset({"img", "audio", "video", "file"})

SizeOf = Callable[[str], int | None]
"""Bytes of an upload of the app, by its uuid; None: it has none of this uuid."""


def line(row: tuple[Any, ...], app_path: str, size_of: SizeOf) -> bytes:
    """One line of the file, newline included.

    *row*: timestamp, id, chat type, sender, target, body and ext, as they are kept.
    *app_path*: ``/{org}/{app}``, by which urls of the app's files are known.
    """
    timestamp, id_, chat_type, sender, target, body, ext = row
    told = orjson.loads(body)
    kind = told.get("type")
    if kind in _WITH_FILE:
        _tell_file_length(told, app_path, size_of)
    elif kind == "loc":
        for degrees in ("lat", "lng"):
            told[degrees] = _number(told.get(degrees))
    record = {
        "msg_id": str(id_),
        "timestamp": timestamp,
        "direction": "outgoing",
        "from": sender,
        "to": target,
        "chat_type": chat_type,
        "payload": {
            "bodies": [told],
            "ext": {} if ext is None else orjson.Fragment(ext),
            "from": sender,
            "to": target,
        },
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _tell_file_length(told: dict[str, Any], app_path: str, size_of: SizeOf) -> None:
    url = told.get("url")
    if not isinstance(url, str):
        return
    _, found, after = url.rpartition(app_path + "/chatfiles/")
    named = _FILE_URL.fullmatch("/chatfiles/" + after) if found else None
    size = None if named is None else size_of(named[1])
    if size is not None:
        told["file_length"] = size


def _number(said: object) -> object:
    """Degrees as a number, where they are one; else as they were sent."""
    if isinstance(said, str) and _NUMBER.fullmatch(said.strip()):
        number = float(said)
        if math.isfinite(number):
            return number
    return said
