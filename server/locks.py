"""Locks on ranges of bytes of a file, which the kernel frees when their holder dies.

They are the open file's (``F_OFD``), not the process's: the kernel looks for deadlocks
among processes, and where threads of two processes wait for what other threads of them
are about to release it sees one, and fails a wait with ``EDEADLK``. Threads of one
process that share the open file must exclude each other by other means.
"""

import fcntl
import os
import struct
from functools import lru_cache

_FLOCK = "@hhqqi0q"  # struct flock: type, whence, start, length, pid


def lock(fd: int, start: int = 0, length: int = 0) -> None:
    """Wait for *length* bytes from *start*; 0: to the end."""
    _set(fd, fcntl.F_OFD_SETLKW, fcntl.F_WRLCK, start, length)


def try_lock(fd: int, start: int = 0, length: int = 0) -> bool:
    """As :func:`lock`, or False at once where somebody holds some of it."""
    try:
        _set(fd, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, start, length)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES
        return False
    return True


def unlock(fd: int, start: int = 0, length: int = 0) -> None:
    """Let go of it."""
    _set(fd, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, start, length)


def _set(fd: int, command: int, kind: int, start: int, length: int) -> None:
    fcntl.fcntl(fd, command, _packed(kind, start, length))


@lru_cache(maxsize=4096)  # a few stripes and gates, at every call
def _packed(kind: int, start: int, length: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)
