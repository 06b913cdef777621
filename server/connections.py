"""A caller's connection, and for how long a thread waits for its other end.

A worker has few threads, and a caller who sends or takes slowly could keep one for as
long as he likes; a handful of such callers, all of them. So a thread waits a moment by
right, and longer only as one of the threads that may be kept for long (pacing.py), of
which some are always left for calls.
"""

import errno
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from server.pacing import CHUNK, Slots

# Nobody notices such a wait, and a body that comes over a network needs a few of them.
GRACE_SECONDS = 0.1
# A caller who has not taken an answer by then is let go.
ANSWER_SECONDS = 30


class NoThreadToWait(TimeoutError):
    """As many threads wait for slow callers as may."""

    wants_thread = True


def wants_thread(error: OSError) -> bool:
    """Whether it is one of those.

    gunicorn's master has imported this module before its workers do so again, to find
    new code after an upgrade; so the classes of the sockets are not the handlers'.
    """
    return getattr(error, "wants_thread", False)


def _late() -> TimeoutError:
    """What gunicorn, where it reads a head, takes for a caller who hung up."""
    return TimeoutError(errno.ECONNRESET, "the call has had its time")


class Connection(socket.socket):
    """Waits for bytes until the time its worker gave it, and not with every thread.

    Outside of a call it is like any other socket.
    """

    moved_at = math.inf
    """When the thread that answers last began to read or write (of the monotonic
    clock); never, while it waits for the other end, and outside of a call."""
    thread: int | None = None
    """Which it is."""
    _slots: Slots | None = None
    _ends = 0.0
    _kept = False

    def begin(self, slots: Slots, body_seconds: float) -> None:
        """A thread answers a call, whose body is to be whole in so many seconds."""
        self._slots, self._kept = slots, False
        self.thread = threading.get_ident()
        self.moved_at = time.monotonic()
        self._ends = self.moved_at + body_seconds

    def end(self) -> None:
        """The call is answered."""
        self._slots = None
        self.moved_at = math.inf

    def keep(self, seconds: float) -> None:
        """Whoever answers this call may keep the thread: it has a slot already."""
        self._kept = True
        self.settimeout(seconds)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """
        Raises:
            NoThreadToWait: it would have to wait, and too many do.
            TimeoutError: the call has had its time.
        """
        if self._slots is None or flags:
            return super().recv(size, flags)
        self.moved_at = time.monotonic()
        try:
            return super().recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        with self._timeout(min(GRACE_SECONDS, self._left())):
            try:
                return super().recv(size)
            except TimeoutError:
                pass
        with self._waiting(), self._timeout(self._left()):
            try:
                return super().recv(size)
            except TimeoutError:
                raise _late() from None

    def sendall(self, content: Any, flags: int = 0, /) -> None:
        """
        Raises:
            NoThreadToWait, TimeoutError: it was not all taken; the rest is lost.
        """
        if self._slots is not None:
            self.moved_at = time.monotonic()
        if self._slots is None or self._kept or flags:
            super().sendall(content, flags)
            return
        rest = self._send_soon(memoryview(content))
        if rest:
            with self._waiting(), self._timeout(ANSWER_SECONDS):
                super().sendall(rest)

    def _send_soon(self, rest: memoryview) -> memoryview:
        """What of it was not taken at once, or in a moment."""
        with suppress(BlockingIOError):
            rest = rest[super().send(rest, socket.MSG_DONTWAIT) :]
        ends = time.monotonic() + GRACE_SECONDS if rest else 0.0
        while rest and (left := ends - time.monotonic()) > 0:
            with self._timeout(left), suppress(TimeoutError):
                rest = rest[super().send(rest) :]
        return rest

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """By :meth:`sendall`: the kernel's own would wait for ever."""
        file.seek(offset)
        sent = 0
        while piece := file.read(CHUNK if count is None else min(CHUNK, count - sent)):
            self.sendall(piece)
            sent += len(piece)
        return sent

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise _late()
        return left

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        slot = self._slots.take() if self._slots and not self._kept else None
        if slot is None and not self._kept:
            raise NoThreadToWait(errno.ECONNRESET, "too many are slow")
        self.moved_at = math.inf
        try:
            yield
        finally:
            self.moved_at = time.monotonic()
            if slot is not None:
                slot.give_back()

    @contextmanager
    def _timeout(self, seconds: float) -> Iterator[None]:
        before = self.gettimeout()
        self.settimeout(seconds)
        try:
            yield
        finally:
            self.settimeout(before)


def keep(connection: socket.socket, seconds: float) -> None:
    """An answer that has a slot gives its receiver so long for each piece."""
    # Of another server than ours it may be any socket; see also wants_thread.
    getattr(connection, "keep", connection.settimeout)(seconds)
