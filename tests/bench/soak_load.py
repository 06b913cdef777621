"""An open load of HTTP from one thread: calls come when they come, answered or not.

A call that finds no free connection waits, and its latency counts from when it was due:
so a server that stalls is not asked less for it.
"""

import contextlib
import random
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

RECEIVE = 262_144
LONGEST_WAIT = 2_000
"""Calls that may wait for a connection; one more is not made, and told."""
ANSWER_SECONDS = 60

Answered = Callable[[int, bytes], "str | None"]
"""Looks at status and body; what is wrong with them, if anything."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of an app, and what its answer has to be."""

    kind: str
    request: bytes
    app: str = ""
    interface: str = ""
    answered: Answered | None = None
    expected: frozenset[int] = frozenset({200})
    paced: bool = False
    """Whether the table itself makes it slow."""
    due: float = 0.0
    sent: float = 0.0


class Book(Protocol):
    """Where what happens is written down."""

    def sent(self, call: Call) -> None: ...
    def done(self, call: Call, status: int, body: bytes, now: float) -> None: ...
    def failed(self, call: Call, why: str) -> None: ...


@dataclass(slots=True, eq=False)
class Connection:
    """One that is kept; at most one call at a time."""

    port: int
    wire: socket.socket | None = None
    call: Call | None = None
    came: bytearray = field(default_factory=bytearray)
    wanted: int = -1
    """Bytes of the whole answer; -1: its head is not here yet."""
    left: memoryview = field(default_factory=lambda: memoryview(b""))

    def open(self) -> socket.socket:
        if self.wire is None:
            made = socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setblocking(False)
            self.wire = made
        return self.wire

    def close(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None


class Load:
    """Connections, calls that wait for one, and whatever else is read in between."""

    def __init__(self, port: int, connections: int, book: Book) -> None:
        self.selector = selectors.DefaultSelector()
        self._book = book
        self._free = deque(Connection(port) for _ in range(connections))
        self._all = list(self._free)
        self.waiting: deque[Call] = deque()
        self.refused_to_send = 0

    @property
    def busy(self) -> int:
        return len(self._all) - len(self._free)

    def open_all(self) -> None:
        """One after another, so that the workers can share them out evenly."""
        for each in self._all:
            each.open()
            time.sleep(0.01)

    def add(self, call: Call) -> None:
        """One more that is due."""
        if len(self.waiting) >= LONGEST_WAIT:
            self.refused_to_send += 1
            return
        self.waiting.append(call)

    def flat_out(
        self, make: Callable[[], Call], seconds: float, tick: Callable[[], None]
    ) -> None:
        """Every connection its next call when its answer is whole."""
        ends = time.monotonic() + seconds
        while (now := time.monotonic()) < ends:
            while self._free:
                call = self.waiting.popleft() if self.waiting else make()
                call.due = call.due or now
                self._start(call)
            self._read(0.05)
            tick()

    def at_rate(
        self,
        make: Callable[[], Call],
        rate: float,
        seconds: float,
        tick: Callable[[], None],
    ) -> None:
        """So many a second, at moments of chance."""
        chance = random.Random(20261129)  # noqa: S311 (repeatable, not secret)
        began = time.monotonic()
        due = began
        while (now := time.monotonic()) < began + seconds:
            while due <= now:
                call = make()
                call.due = due
                self.add(call)
                due += chance.expovariate(rate)
            self._send()
            self._read(min(0.05, max(0.0, due - time.monotonic())))
            tick()

    def drain(self, seconds: float = ANSWER_SECONDS) -> None:
        """Wait for what is under way."""
        ends = time.monotonic() + seconds
        while (self.waiting or self.busy) and time.monotonic() < ends:
            self._send()
            self._read(0.05)

    def listen(self, seconds: float) -> None:
        """Only read what comes."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._send()
            self._read(0.05)

    def close(self) -> None:
        for each in self._all:
            if each.call is not None:
                self._book.failed(each.call, "no answer")
            each.close()
        self.selector.close()

    def _send(self) -> None:
        while self.waiting and self._free:
            self._start(self.waiting.popleft())

    def _start(self, call: Call) -> None:
        connection = self._free.popleft()
        connection.call, connection.wanted = call, -1
        connection.came.clear()
        connection.left = memoryview(call.request)
        call.sent = time.monotonic()
        call.due = call.due or call.sent
        self._book.sent(call)
        try:
            opened = connection.open()
            self.selector.register(opened, selectors.EVENT_READ, self._step(connection))
            self._write(connection)
        except OSError as error:
            self._lost(connection, repr(error))

    def _step(self, connection: Connection) -> Callable[[int], None]:
        def step(events: int) -> None:
            try:
                if events & selectors.EVENT_WRITE:
                    self._write(connection)
                if events & selectors.EVENT_READ:
                    self._receive(connection)
            except OSError as error:
                self._lost(connection, repr(error))

        return step

    def _write(self, connection: Connection) -> None:
        opened = connection.open()
        with contextlib.suppress(BlockingIOError):
            connection.left = connection.left[opened.send(connection.left) :]
        events = selectors.EVENT_READ
        if connection.left:
            events |= selectors.EVENT_WRITE
        self.selector.modify(opened, events, self._step(connection))

    def _receive(self, connection: Connection) -> None:
        came = connection.open().recv(RECEIVE)
        if not came:
            self._lost(connection, "the connection was closed")
            return
        connection.came += came
        if connection.wanted < 0:
            connection.wanted = _whole(connection.came)
        if 0 <= connection.wanted <= len(connection.came):
            self._answer(connection)

    def _answer(self, connection: Connection) -> None:
        call, now = connection.call, time.monotonic()
        assert call is not None
        head, _, body = bytes(connection.came).partition(b"\r\n\r\n")
        self.selector.unregister(connection.open())
        if b"connection: close" in head.lower():
            connection.close()
        connection.call = None
        self._free.append(connection)
        self._book.done(call, int(head[9:12]), body, now)

    def _lost(self, connection: Connection, why: str) -> None:
        if connection.wire is not None:
            if connection.wire.fileno() in self.selector.get_map():
                self.selector.unregister(connection.wire)
            connection.close()
        call, connection.call = connection.call, None
        self._free.append(connection)
        if call is not None:
            self._book.failed(call, why)

    def _read(self, seconds: float) -> None:
        for key, events in self.selector.select(seconds):
            ready: Any = key.data
            ready(events)


def _whole(came: bytearray) -> int:
    """How long the answer is with its head; -1: that is not known yet."""
    head = came.find(b"\r\n\r\n")
    if head < 0:
        return -1
    at = came.lower().find(b"content-length:", 0, head)
    if at < 0:
        raise OSError("an answer without Content-Length")
    return head + 4 + int(came[at + 15 : came.index(b"\r\n", at)])
