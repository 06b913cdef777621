"""What recording costs a call: ``python -m tests.bench.record``.

Each part by itself, in one thread, on the path a call takes; then a whole call through
Flask with all of it and with none, turn by turn.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from server import access_log, activity, metrics, record
from server.app import create_app
from server.caller import App, Call, Caller, Kind, begin, call
from server.errors import Breach
from server.refusal_ring import Seen
from server.settings import Settings
from server.store import apps, database, tokens

CALLS, ROUNDS = 20_000, 9
APPS = 2_000  # no app meets its rate


def microseconds(what: Callable[[], object], calls: int = CALLS) -> float:
    """The median over the rounds of one call's CPU time: others may be at work."""
    took = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for _ in range(calls):
            what()
        took.append((time.thread_time_ns() - began) / calls / 1000)
    return statistics.median(took)


def parts(app: Flask) -> dict[str, Callable[[], object]]:
    """What is done of a call, as record.py does it."""
    found = apps.every()[0]
    marks = metrics.marks("messages", "community", ["messages.calls"])
    column = activity.column("messages")
    seen = Seen(
        time.time_ns(), "user:alice", "POST /messages", "messages.calls",
        "single app call limit 10 times/second", "limits.md:25", 429, "0" * 32,
    )  # fmt: skip
    at = _call_of(found)
    place = record.Place("POST /messages", "messages", marks, column)

    return {
        "metrics": lambda: metrics.answered(marks, 0, 1_234_567, admitted=True),
        "activity": lambda: activity.answered(column, refused=False),
        "access log line": lambda: access_log.write(
            record._line(at, found, place, 429, 1_234_567)
        ),
        "a refusal remembered": lambda: activity.refused(found.uuid, seen),
        "a refusal counted": lambda: metrics.refused("messages.calls", "community"),
    }


def _call_of(app: App) -> Call:
    begin()
    at = call()
    at.caller, at.app = Caller(app, Kind.USER, 1, "alice"), app
    at.request_id, at.counted_ns, at.recipients = "0" * 32, time.time_ns(), 3
    at.breach = Breach("messages.calls", "words", "limits.md:25")
    return at


def whole(app: Flask, callers: list[tuple[str, str]]) -> dict[str, float]:
    """A counted call for a user that is not there, recorded and not."""
    before, after = app.before_request_funcs[None], app.after_request_funcs[None]
    ours = {record._identify, record._record}
    took: dict[str, list[float]] = {"not recorded": [], "no line": [], "recorded": []}
    for _ in range(ROUNDS):
        for name, times in took.items():
            without = ours if name == "not recorded" else set()
            app.before_request_funcs[None] = [f for f in before if f not in without]
            app.after_request_funcs[None] = [f for f in after if f not in without]
            writing = access_log._write
            access_log._write = writing if name == "recorded" else None
            began = time.thread_time_ns()
            for path, token in callers:
                run(app.wsgi_app, path, token)
            access_log._write = writing
            times.append((time.thread_time_ns() - began) / len(callers) / 1000)
    return {name: statistics.median(times[1:]) for name, times in took.items()}


def run(serves: Any, path: str, token: str) -> None:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "RAW_URI": path,
        "SERVER_NAME": "x", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": f"Bearer {token}", "wsgi.input": None,
    }  # fmt: skip
    serves(environ, lambda *_: None).close()


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(
            state_dir=Path(place), access_log=str(Path(place) / "access.log")
        )
        app = create_app(settings)
        with database.writing(database.INSTALLATION):
            for n in range(APPS):
                apps._insert("bench", f"app{n}", "enterprise")
        access_log.start(settings)
        callers = [
            (
                f"/{each.org}/{each.name}/users/nobody",
                tokens.issue(each.id, None, None, each.token_key),
            )
            for each in apps.every()
        ]
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": "127.0.0.1"}):
            for name, part in parts(app).items():
                print(f"{name:<22} {microseconds(part):7.2f} µs")
        for name, took in whole(app, callers).items():
            print(f"{'a call, ' + name:<22} {took:7.1f} µs")
        size = Path(settings.access_log).stat().st_size
        print(f"{size:,} bytes of log; {ROUNDS} rounds, medians; one thread")
        access_log.stop()
        database.disconnect()


if __name__ == "__main__":
    main()
