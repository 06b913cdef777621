"""Connections: too many for the descriptors, idle ones, slow ones."""

import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from tests.faults.stage import Report, Stage, served

FILES = 256
"""What a process may open, where descriptors run out."""


def raise_own_limit(files: int) -> int:
    """How many connections this process may hold, of so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files + 200:
        most = files + 200 if hard == resource.RLIM_INFINITY else min(hard, files + 200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return min(files, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)


def _open(
    stage: Stage, stack: ExitStack, count: int, begin: bytes = b""
) -> list[socket.socket]:
    made = []
    for _ in range(count):
        with suppress(OSError):  # the queue may be full for a moment
            connection = stack.enter_context(
                socket.create_connection(stage.server.place(), 5)
            )
            connection.sendall(begin)
            made.append(connection)
    return made


def _answers_well(stage: Stage, seconds: float = 1.0) -> None:
    """New callers are answered soon, while all that is open stays so."""
    for _ in range(10):
        began = time.monotonic()
        status = stage.server.call(
            "GET", f"/{stage.app.key}/users/nobody", token=stage.app.token
        )[0]
        took = time.monotonic() - began
        stage.require(status in (404, 429), f"a new caller was answered {status}")
        # Patience with a machine that does other things; without the remedy it is 5 s.
        stage.require(took < 4 * seconds, f"a new caller waited {took:.1f} s")
        stage.done["new callers, slowest in ms"] = max(
            stage.done["new callers, slowest in ms"], round(took * 1000)
        )


def descriptors(stage: Stage) -> Report:
    """Twice as many connections as files; the idle give way, and afterwards all is well."""
    limit = ("prlimit", f"--nofile={FILES}:{FILES}")
    raise_own_limit(4 * FILES)
    with served(stage, within=limit, threads="4"):
        for _ in stage.turns():
            with ExitStack() as stack:
                _open(stage, stack, 4 * FILES)
                stage.did("exhausted")
                stage.go_on(36)
                _answers_well(stage)
            stage.go_on(36)
        return stage.report()


def idle(stage: Stage) -> Report:
    """Thousands of connections that say nothing, beside calls."""
    count = raise_own_limit(5_000 if stage.seconds > 15 else 400)
    with served(stage), ExitStack() as stack:
        for turn in stage.turns():
            if turn == 0:
                stage.done["idle connections"] = len(_open(stage, stack, count))
            stage.go_on(120)
            _answers_well(stage)
        stack.close()
        return stage.report()


def slow(stage: Stage) -> Report:
    """Slow heads, slow bodies and slow receivers, more than there are threads."""
    with served(stage, threads="8"), ExitStack() as stack:
        head = b"POST /globex/one/messages HTTP/1.1\r\nHost: a\r\nX: "
        token = f"Authorization: Bearer {stage.app.token}\r\n".encode()
        small = (
            b"POST /globex/one/messages HTTP/1.1\r\nHost: a\r\n%bContent-Length: 900\r\n\r\n{"
            % token
        )
        large = (
            b"POST /globex/one/chatfiles HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/"
            b"form-data; boundary=x\r\n%bContent-Length: 900000\r\n\r\n--x\r\n" % token
        )
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 20
        for _ in stage.turns():
            dripping = [
                connection
                for begin in (head, small, large, asked)
                for connection in _open(stage, stack, 24, begin)
            ]
            drip = _drip(dripping)
            stage.did("96 slow callers")
            stage.go_on(240)
            _answers_well(stage)
            drip()
        stack.close()
        return stage.report()


def _drip(connections: list[socket.socket]) -> Callable[[], None]:
    """A byte to each now and then, until the answer is called."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.3):
            for connection in connections:
                with suppress(OSError):
                    connection.send(b"x", socket.MSG_DONTWAIT)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end
