"""A line for each call: what came, what became of it, and nothing secret of it.

Where it goes and in which form is for the operator to say; what it holds is fixed, for
programs read it: ``flask limits replay`` decides these calls again by another table.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import TypedDict

import orjson

from server import metrics
from server.log_stream import Stream
from server.logs import STDOUT, file_of_calls, is_text
from server.settings import Settings
from server.visible import visible


class Line(TypedDict, total=False):
    """What is known of a call; what does not apply is left out.

    ``operation`` is a route, with the names of its parts in the place of values: a path
    may hold a secret, and a query or a body does.
    """

    time: str
    """UTC, to the microsecond: when it was counted, or began if it was not."""
    request_id: str
    app: str
    edition: str
    interface: str
    operation: str
    caller: str
    """``app``, or ``user:NAME``; left out for whoever has no good token."""
    status: int
    ms: float
    """Until the answer was ready; not until it was sent."""
    rule: str
    """Which refused it."""
    quota: int
    """The recipients that the app's daily quota counts."""
    remote: str


Form = Callable[[Line], bytes]
Write = Callable[[bytes], bool]

_write: Write | None = None
_form: Form
_stream: Stream | None = None


def start(settings: Settings) -> None:
    """Write lines from now on, as the settings want them.

    Raises:
        UnusableLog: as it says.
    """
    global _write, _form, _stream  # one app a process
    stop()
    if settings.access_log == STDOUT:
        stdout = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
        _form = _text if is_text(settings, stdout) else _json
        if settings.log_format == "auto" and _form is _text:
            _form = _coloured
        _stream = Stream(stdout)
        _write = _stream.write
        return
    file = file_of_calls(settings)
    if file is None:
        return
    logging.getLogger("weir.access").addHandler(file)
    _form = _text if settings.log_format == "text" else _json
    _write = file.write


def stop() -> None:
    """Write no more lines."""
    global _write, _stream
    _write = None
    if _stream is not None:
        _stream.close()
        _stream = None
    logger = logging.getLogger("weir.access")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def is_on() -> bool:
    """Whether lines are written."""
    return _write is not None


def write(line: Line) -> None:
    """Write a line; one that nobody takes is lost, and counted."""
    if _write is not None and not _write(_form(line)):
        metrics.log_line_lost()


_second = (0, "")


def utc(unix_ns: int) -> str:
    """``2026-11-23T06:37:23.123456Z``"""
    global _second
    seconds, ns = divmod(unix_ns, 1_000_000_000)
    known = _second  # another thread may replace it
    if known[0] != seconds:
        words = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        known = _second = (seconds, words)
    return f"{known[1]}.{ns // 1000:06d}Z"


def _json(line: Line) -> bytes:
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate is no UTF-8
        return json.dumps(line).encode() + b"\n"


def _text(line: Line) -> bytes:
    parts = (
        line["time"][11:23],
        str(line["status"]),
        f"{line['ms']:8.2f} ms",
        line.get("app", "-"),
        line.get("caller", "-"),
        line["operation"],
        line.get("rule", ""),
    )
    words = "  ".join(visible(part) for part in parts)
    return words.rstrip().encode("utf-8", "backslashreplace") + b"\n"


def _coloured(line: Line) -> bytes:
    """Refused and failed calls stand out."""
    words = _text(line)
    if line["status"] < 400:
        return words
    colour = b"\x1b[31m" if line["status"] >= 500 else b"\x1b[33m"
    return colour + words.rstrip(b"\n") + b"\x1b[0m\n"
