"""Callers of several hosts at once, who write down what they were told and when.

All times are of one clock, as all callers are of one process.
"""

import random
import re
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import orjson

from tests.bench.load import request

PATIENCE_SECONDS = 60  # a write waits for the locks of a host that went silent


@dataclass(frozen=True)
class App:
    """Whom calls are made for."""

    key: str
    token: str
    file: str = ""
    """The path of an upload."""


@dataclass(frozen=True)
class Outcome:
    """What became of one call."""

    host: int
    app: str
    interface: str
    began: float
    ended: float
    status: int
    """0: no answer came."""
    marker: str = ""
    """Part of the message, and of no other."""
    ids: tuple[int, ...] = ()
    """Of the messages, in the order of the targets."""
    error: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether it may have been done, for all that the caller knows."""
        return self.status == 0 or self.status >= 500


@dataclass
class Calls:
    """What all callers were told; grows as they are."""

    targets: Sequence[str]
    interfaces: Sequence[str] = ("messages", "messages", "files", "users")
    """Which are called, each as often as it stands here."""
    rest: float = 0.0
    """Seconds that each caller pauses after a call."""
    outcomes: list[Outcome] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _admitted: Counter[tuple[str, int]] = field(default_factory=Counter)
    _grown: threading.Condition = field(default_factory=threading.Condition)

    def add(self, outcome: Outcome) -> None:
        with self._grown:
            self.outcomes.append(outcome)
            if outcome.status in (200, 404):
                self._admitted[outcome.app, outcome.host] += 1
                self._grown.notify_all()

    def wait_for_more(
        self, count: int, apps: Sequence[str], hosts: Sequence[int]
    ) -> None:
        """Until each of these hosts has admitted so many more calls of each app."""
        each = [(app, host) for app in apps for host in hosts]
        with self._grown:
            self._admitted.clear()
            enough = self._grown.wait_for(
                lambda: all(self._admitted[one] >= count for one in each), 120
            )
            assert enough, self._admitted

    def of(self, interface: str, status: int = 200) -> list[Outcome]:
        return [
            each
            for each in self.outcomes
            if each.interface == interface and each.status == status
        ]


class Caller(threading.Thread):
    """One connection to one host, and a call after the other."""

    def __init__(
        self,
        calls: Calls,
        host: int,
        place: Callable[[], tuple[str, int]],
        apps: Sequence[App],
        seed: int,
    ) -> None:
        super().__init__(daemon=True)
        self._calls, self._host, self._place, self._apps = calls, host, place, apps
        self._chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self._connection: socket.socket | None = None

    def run(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._close)
            while not self._calls.stop.is_set():
                self._call(self._chance.choice(self._apps))

    def _call(self, app: App) -> None:
        interface = self._chance.choice(self._calls.interfaces)
        marker = uuid.uuid4().hex if interface == "messages" else ""
        began = time.monotonic()
        try:
            status, content = self._ask(self._request(app, interface, marker))
        except OSError:
            self._close()
            status, content = 0, b""
        told = (self._host, app.key, interface, began, time.monotonic(), status, marker)
        self._calls.add(Outcome(*told, *self._said(interface, status, content)))
        if not status:
            self._calls.stop.wait(0.05)  # a dead host refuses at once
        elif self._calls.rest:
            self._calls.stop.wait(self._calls.rest)

    def _request(self, app: App, interface: str, marker: str) -> bytes:
        if interface == "files":
            return request("GET", app.file, app.token)
        if interface == "users":
            return request("GET", f"/{app.key}/users/nobody", app.token)
        body = {
            "target_type": "users",
            "target": list(self._calls.targets),
            "msg": {"type": "txt", "msg": marker},
        }
        path = f"/{app.key}/messages?useMsgId=true"
        return request("POST", path, app.token, orjson.dumps(body))

    def _said(
        self, interface: str, status: int, content: bytes
    ) -> tuple[tuple[int, ...], str]:
        if interface == "messages" and status == 200:
            found = orjson.loads(content)["data"]
            return tuple(int(found[target]) for target in self._calls.targets), ""
        return (), orjson.loads(content).get("error", "") if status >= 400 else ""

    def _ask(self, whole: bytes) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = socket.create_connection(self._place(), 5)
            self._connection.settimeout(PATIENCE_SECONDS)
        self._connection.sendall(whole)
        answer = self._receive(b"")
        while b"\r\n\r\n" not in answer:
            answer = self._receive(answer)
        head, _, content = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(content) < length:
            content = self._receive(content)
        if b"\r\nconnection: close" in head.lower():
            self._close()
        return int(head[9:12]), content

    def _receive(self, so_far: bytes) -> bytes:
        chunk = self._connection.recv(65_536)
        if not chunk:
            raise ConnectionResetError("closed before the answer was whole")
        return so_far + chunk

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
