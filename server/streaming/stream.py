"""One stream: it waits to be handed what there is, writes it, and waits again.

A stream costs a thread under gthread and a greenlet under gevent; what it writes is
read for it by the process's reader (reader.py). While it is slow to write nothing more
is read for it, so nobody's backlog is in memory: what is not taken stays in the queue.
"""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto

from server import connections
from server.store.inbox import Place
from server.store.leases import Lease
from server.streaming import frames as wire

HEARTBEAT_SECONDS = 15.0
STALLED_SECONDS = 15.0
"""A reader that takes nothing for so long is dropped; its queue is kept."""

_RETRY_MS = 2_000
_RETRY_AT_ONCE_MS = 200
_RETRY_LATER_MS = 60_000
_PIECE_BYTES = 16 * 1024
# What the kernel takes for one that does not read; and memory that a stream costs.
_SEND_BUFFER_BYTES = 64 * 1024


class Heard(Enum):
    """What ended a wait."""

    BELL = auto()
    CALLER = auto()
    """Who is at the other end sent something, or has gone."""
    NOTHING = auto()


class Bell:
    """What one thread waits at and others ring, a signal's handler too."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self._fd, 1)

    def wait(self, seconds: float | None, caller: socket.socket | None = None) -> Heard:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if caller is not None:
            poll.register(caller, select.POLLIN)
        timeout = None if seconds is None else max(0, round(seconds * 1000))
        ready = dict(poll.poll(timeout))
        if self._fd in ready:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._fd)
            return Heard.BELL
        return Heard.CALLER if ready else Heard.NOTHING

    def close(self) -> None:
        """Nobody may ring it any more: the number may be another file's soon."""
        os.close(self._fd)


class Stream:
    """What is handed to one device."""

    def __init__(
        self,
        lease: Lease,
        at: Place,
        app_path: str,
        caller: socket.socket | None,
        look: "Callable[[Stream], None]",
        written: "Callable[[Stream], None]",
    ) -> None:
        """*look* has the reader look for it; *written* tells it that it can go on."""
        self.lease = lease
        self.at = at
        self.app_path = app_path
        self.bell = Bell()
        self._caller = caller
        self._look = look
        self._written = written
        self.frames: Sequence[bytes] = ()
        """What it was handed: the reader's to change while it is not writing."""
        self.writing = False
        self.wanted = False
        """Whether the reader is to look again when it has written."""
        self.begun = time.monotonic()
        self.lapsed = False
        """Whether its lease may have ended by itself; the reader's alone."""
        self.kicked: str | None = None
        self.ended = False
        if caller is not None:
            connections.keep(caller, STALLED_SECONDS)
            with contextlib.suppress(OSError):  # a socket of another kind
                caller.setsockopt(
                    socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES
                )

    def pieces(self) -> Iterator[bytes]:
        """What goes over the wire, until the device is gone or has to be."""
        yield wire.retry(_RETRY_MS)
        self._look(self)
        beat = time.monotonic() + HEARTBEAT_SECONDS
        while True:
            heard = self.bell.wait(beat - time.monotonic(), self._caller)
            if heard is Heard.CALLER and self._has_gone():
                return
            if heard is Heard.NOTHING:
                yield wire.HEARTBEAT
            elif self.writing:
                yield from wire.joined(self.frames, _PIECE_BYTES)
                self._written(self)
            if self.kicked is not None:
                yield wire.retry(_RETRY_LATER_MS)
                yield wire.told("kicked", {"reason": self.kicked})
                return
            if self.ended:
                yield wire.retry(_RETRY_AT_ONCE_MS)
                return
            if heard is Heard.NOTHING:
                self._look(self)
            if heard is not Heard.CALLER:
                beat = time.monotonic() + HEARTBEAT_SECONDS

    def _has_gone(self) -> bool:
        """Whether the other end has closed; what it sends is nothing to us."""
        caller = self._caller
        if caller is None:
            return False
        try:
            came = caller.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (OSError, ValueError):  # a TLS socket does not let us peek
            came = b"?"
        if came:
            self._caller = None  # it would be ready at once, again and again
        return not came
