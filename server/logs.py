"""The server's own log, and gunicorn's: on stderr, for people or for programs.

At ``WEIR_LOG_LEVEL``, a line a message: text on a terminal, else JSON. In neither form
can what a caller sent begin a line of its own or reach the terminal's controls, and
what gunicorn would tell of a request it could not read is cut to the kind of mistake.
"""

import logging
import logging.config
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

from flask import has_request_context
from pythonjsonlogger.orjson import OrjsonFormatter

from server.caller import call
from server.log_stream import File, Stream
from server.settings import Settings
from server.visible import visible

_FIELDS = ("levelname", "name", "process", "message")
_NAMES = {
    "levelname": "level",
    "name": "logger",
    "process": "pid",
    "exc_info": "exception",
}


STDOUT, OFF = "-", "off"
"""What ``WEIR_ACCESS_LOG`` may be instead of a file."""


class UnusableLog(RuntimeError):
    """The file cannot be written."""


def file_of_calls(settings: Settings) -> File | None:
    """The file that calls are logged to, opened; None where they go elsewhere.

    Raises:
        UnusableLog: as it says.
    """
    if settings.access_log in (STDOUT, OFF):
        return None
    try:
        return File(settings.access_log)
    except OSError as error:
        message = f"WEIR_ACCESS_LOG: cannot write {error.filename}: {error.strerror}"
        raise UnusableLog(message) from error


def is_text(settings: Settings, fd: int) -> bool:
    """Whether what goes to this stream is for people."""
    if settings.log_format == "auto":
        return os.isatty(fd)
    return settings.log_format == "text"


def start(settings: Settings) -> None:
    """Log as the settings want it, in this process."""
    logging.config.dictConfig(configuration(settings))


def configuration(settings: Settings) -> dict[str, Any]:
    """The same for ``logging.config``; gunicorn's master takes it so."""
    level = settings.log_level.upper()
    stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
    form = TextForm if is_text(settings, stderr) else JsonForm
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": form}},
        "filters": {"discreet": {"()": Discreet}},
        "handlers": {
            "stderr": {
                "()": ToStream,
                "fd": stderr,
                "formatter": "ours",
                "filters": ["discreet"],
            }
        },
        "loggers": {
            "weir": {"level": level},
            "gunicorn.error": {
                "level": level,
                "handlers": ["stderr"],
                "propagate": False,
            },
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
    }


class ToStream(logging.Handler):
    """Writes each message at once, and waits for no reader."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._stream = Stream(fd)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
            self._stream.write(line.encode("utf-8", "backslashreplace"))
        except Exception:  # as every handler of logging does
            self.handleError(record)


class JsonForm(OrjsonFormatter):
    """A JSON object a message."""

    def __init__(self) -> None:
        super().__init__(_FIELDS, rename_fields=_NAMES)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        log_data["level"] = log_data["level"].lower()
        if has_request_context():  # a thread remembers its last call beyond its end
            log_data["request_id"] = call().request_id
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        return {"time": now.replace("+00:00", "Z"), **log_data}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        for key in ("message", "exception"):  # no UTF-8 has a lone surrogate
            if isinstance(text := log_data.get(key), str):
                clean = text.encode("utf-8", "backslashreplace")
                log_data[key] = clean.decode()
        return super().jsonify_log_record(log_data)


class TextForm(logging.Formatter):
    """A line a message; the lines of a traceback follow, indented."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        name = "" if record.name == "gunicorn.error" else f" {record.name}:"
        words = visible(record.getMessage())
        lines = [f"{at} {record.levelname.lower():<7}{name} {words}"]
        if record.exc_info:
            told = self.formatException(record.exc_info)
            lines += ["  " + visible(line) for line in told.split("\n")]
        return "\n".join(lines)


class Discreet(logging.Filter):
    """Cuts what others would log of a request: its address and headers are secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "gunicorn.error":
            _cut(record)
        if record.name == "werkzeug":
            record.msg = _COLOUR.sub("", str(record.msg)).replace("\n *", "")
            # Its own line for each call names the query; we have one without.
            return " - - [" not in record.msg
        return True


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# gunicorn: 'Invalid request from ip=::1: Invalid HTTP Header: "AUTHORIZATION..."'
_UNREADABLE = re.compile(r"(Invalid request from ip=\S*: [A-Za-z \-]*).*", re.DOTALL)


def _cut(record: logging.LogRecord) -> None:
    message = str(record.msg)
    if message.startswith("Invalid request from"):
        record.msg = _UNREADABLE.sub(r"\1", message).rstrip()
    elif message.startswith("Error handling request %s") and record.args:
        record.args = tuple(str(arg).partition("?")[0] for arg in record.args)
