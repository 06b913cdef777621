"""Thumbnails: a small picture of an upload that is one.

Pictures are decoded in a process of their own (server/thumbnailer.py), one for each
worker: a picture may take more memory than the rest of a worker together, and what
crashes a decoder must not end the calls of others.
"""

import atexit
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from server.pacing import Slots

SMALL = 10 * 1024
"""An image of so few bytes is its own thumbnail, as the reference has it."""

_SECONDS = 10
"""A picture that takes longer has no thumbnail."""
ASKED = struct.Struct("II")
"""The box; the open file comes with it."""
MADE = struct.Struct("II")
"""Bytes of the content type and of the thumbnail, which follow; none: there is none."""


_waiting = 8
"""Threads that may have a picture decoded, or wait for it, at once."""


class _Decoder:
    """The process, from when it is first needed, and the way to it."""

    def __init__(self) -> None:
        # One at a time, so that what they take in memory does not add up.
        self._one = threading.Lock()
        # A thread that waits for it answers nobody else meanwhile.
        self._room = Slots(_waiting)
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None

    def make(self, source: BinaryIO, box: tuple[int, int]) -> tuple[bytes, str] | None:
        slot = self._room.take()
        if slot is None:
            return None
        try:
            return self._make(source, box)
        finally:
            slot.give_back()

    def _make(self, source: BinaryIO, box: tuple[int, int]) -> tuple[bytes, str] | None:
        with self._one:
            link = self._ready()
            try:
                socket.send_fds(link, [ASKED.pack(*box)], [source.fileno()])
                kind, size = MADE.unpack(_receive(link, MADE.size))
                told, content = _receive(link, kind), _receive(link, size)
            except (OSError, EOFError):  # too long, or its end
                self._end()
                return None
        return (content, told.decode()) if content else None

    def _ready(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._link is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 (all of it is ours)
                    [sys.executable, "-m", "server.thumbnailer", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    cwd=Path(__file__).parent.parent,
                    start_new_session=True,  # it ends with us, not with our terminal
                )
            ours.settimeout(_SECONDS)
            self._link = ours
        return self._link

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._link = None

    def end(self) -> None:
        """Let it go, with this process."""
        with self._one:
            self._end()


def _receive(link: socket.socket, size: int) -> bytes:
    came = bytearray()
    while len(came) < size:
        chunk = link.recv(size - len(came))
        if not chunk:
            raise EOFError
        came += chunk
    return bytes(came)


_decoder = _Decoder()
atexit.register(lambda: _decoder.end())


def _forget() -> None:
    """It is the parent's, not the child's."""
    global _decoder
    _decoder = _Decoder()


os.register_at_fork(after_in_child=_forget)


def init_app(threads: int) -> None:
    """Half of a worker's threads may wait for pictures; to the rest they have none."""
    global _waiting  # one app a process
    _waiting = max(1, threads // 2)
    _decoder.end()
    _forget()


def make(source: BinaryIO, box: tuple[int, int]) -> tuple[bytes, str] | None:
    """*source*, an open file, made to fit *box*, ratio kept, never enlarged; with its
    content type.

    None if it is no image, or one too large to decode, or too many are at it.
    """
    return _decoder.make(source, box)
