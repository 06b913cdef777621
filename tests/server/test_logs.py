"""The server's own log: both forms, and what neither of them tells."""

import io
import logging
import sys
from collections.abc import Callable

import orjson
import pytest
from flask import Flask

from server.logs import Discreet, JsonForm, TextForm
from server.store import users
from tests.conftest import Tenant

Write = Callable[..., str]
HOSTILE = "x\n09:00:00 info    all is well\x1b[2J\u202e"


def record(
    message: str, *args: object, name: str = "weir", level: int = logging.ERROR
) -> logging.LogRecord:
    return logging.LogRecord(name, level, "here.py", 1, message, args, None)


def with_a_traceback(message: str) -> logging.LogRecord:
    made = record(message)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_a_message_is_a_json_line() -> None:
    line = JsonForm().format(record("lost %s", HOSTILE, name="weir.counters"))

    told = orjson.loads(line)
    assert "\n" not in line
    assert told["message"] == f"lost {HOSTILE}"
    assert (told["level"], told["logger"]) == ("error", "weir.counters")
    assert told["time"].endswith("Z")
    assert "request_id" not in told


def test_a_traceback_is_part_of_the_json_line() -> None:
    line = JsonForm().format(with_a_traceback("a bug"))

    assert "\n" not in line
    assert "ValueError" in orjson.loads(line)["exception"]


def test_for_people_nothing_that_came_begins_a_line() -> None:
    text = TextForm().format(with_a_traceback(HOSTILE))

    first, *rest = text.split("\n")
    assert "error   weir: x\\n09:00:00 info" in first
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(rest) > 3
    assert all(line.startswith("  ") for line in rest)


@pytest.mark.parametrize("form", [JsonForm, TextForm])
def test_a_lone_surrogate_is_told(form: type[logging.Formatter]) -> None:
    line = form().format(record("name %s", "\ud800"))

    assert "ud800" in line


def test_a_message_within_a_call_names_it(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonForm())
    log = logging.getLogger("weir")
    log.addHandler(handler)

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(users, "find", fail)
    try:
        answer = acme.get("/users/alice", headers={"X-Request-Id": "a-bug"})
        log.error("after it")
    finally:
        log.removeHandler(handler)

    bug, after = map(orjson.loads, out.getvalue().splitlines())
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] == "a-bug"
    assert bug["request_id"] == "a-bug"
    assert "RuntimeError" in bug["exception"]
    assert "request_id" not in after


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Invalid request from ip=::1: Invalid HTTP Header: 'AUTHORIZATION: x'",
            "Invalid request from ip=::1: Invalid HTTP Header",
        ),
        (
            "Invalid request from ip=10.0.0.1: Invalid HTTP request line: 'GET /?s'",
            "Invalid request from ip=10.0.0.1: Invalid HTTP request line",
        ),
        ("Booting worker with pid: 7", "Booting worker with pid: 7"),
    ],
)
def test_what_gunicorn_quotes_of_a_request_is_cut(message: str, told: str) -> None:
    made = record(message, name="gunicorn.error")

    assert Discreet().filter(made)
    assert made.getMessage() == told


def test_an_address_is_told_without_its_query() -> None:
    made = record(
        "Error handling request %s %s", "GET", "/x?Signature=y", name="gunicorn.error"
    )

    assert Discreet().filter(made)
    assert made.getMessage() == "Error handling request GET /x"


def test_what_werkzeug_says_at_start_has_no_colours() -> None:
    made = record("\x1b[31mWARNING\x1b[0m\n * Running on %s", "x", name="werkzeug")

    assert Discreet().filter(made)
    assert made.getMessage() == "WARNING Running on x"


def test_werkzeugs_lines_with_the_query_are_left_out(app: Flask) -> None:
    line = "127.0.0.1 - - [1/Jan/2026 00:00:00] %s"

    assert not Discreet().filter(record(line, "GET /x?s HTTP/1.1", name="werkzeug"))
    assert Discreet().filter(record(" * Running on x", name="werkzeug"))
