"""Lines to stdout, stderr or a file: each in one write, and never waited for.

Whoever reads our output may stop reading. A pipe is full then, and a write to it would
wait for as long as that takes, with a caller waiting behind it. So a line that a pipe,
a terminal or a socket does not take at once is lost, and counted. A disk is waited for.
"""

import contextlib
import errno
import logging
import os
import select
import socket
import stat
from collections.abc import Callable

log = logging.getLogger("weir")

_FILE_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_AGAIN_FLAGS = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WHOLE = select.PIPE_BUF
"""A pipe that says it has room takes so much in one piece."""
_NOWHERE = -1
"""A descriptor that every write to fails."""

Write = Callable[[bytes], int]


class Stream:
    """stdout or stderr, whatever it is."""

    def __init__(self, fd: int) -> None:
        self._own = contextlib.ExitStack()
        self._write = _writer(fd, self._own)
        self._torn = False

    def close(self) -> None:
        """Let go of what was opened beside it; the stream itself stays."""
        self._write = _closed
        self._own.close()

    def write(self, line: bytes) -> bool:
        """Whether *line*, which ends in a newline, was written."""
        if self._torn:  # the rest of the last one is lost: do not go on in its line
            line = b"\n" + line
        try:
            written = self._write(line)
        except OSError:
            return False
        if written:
            self._torn = written < len(line)
        return written == len(line)


def _closed(_line: bytes) -> int:
    raise OSError(errno.EBADF, "this log is closed")


def _writer(fd: int, close_with: contextlib.ExitStack) -> Write:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:  # started without one: every line is lost
        return _closed
    if stat.S_ISSOCK(mode):
        connection = close_with.enter_context(socket.socket(fileno=os.dup(fd)))
        return lambda line: connection.send(line, socket.MSG_DONTWAIT)
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        # Not O_NONBLOCK on fd itself: the shell that gave it to us shares that.
        with contextlib.suppress(OSError):
            own = os.open(f"/proc/self/fd/{fd}", _AGAIN_FLAGS)
            close_with.callback(os.close, own)
            return lambda line: os.write(own, line)
        return lambda line: _write_if_room(fd, line)
    return lambda line: os.write(fd, line)


def _write_if_room(fd: int, line: bytes) -> int:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return os.write(fd, line[:_WHOLE]) if poll.poll(0) else 0


class File(logging.FileHandler):
    """A file that lines are added to; opened again when gunicorn is sent USR1.

    gunicorn does that with every FileHandler it finds on a logger, so this is on one,
    though nothing is logged through it: the lines come whole.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._opened = False
        self._torn = False
        super().__init__(path)

    def _open(self) -> "_Appending":  # type: ignore[override]  # bytes, not text
        try:
            opened = _Appending(os.open(self.baseFilename, _FILE_FLAGS, 0o600))
        except OSError as error:
            if not self._opened:
                raise
            # In a signal handler of a worker, which must not end of it.
            log.error("%s: %s; calls are not logged", error.filename, error.strerror)
            opened = _Appending(_NOWHERE)
        self._opened = True
        self._now = opened
        return opened

    def emit(self, record: logging.LogRecord) -> None:
        """Nothing is logged through it."""

    def write(self, line: bytes) -> bool:
        """Whether *line*, which ends in a newline, was written."""
        if self._torn:
            line = b"\n" + line
        self.acquire()  # or else it could be closed under us, its number another file's
        try:
            written = os.write(self._now.fileno(), line)
        except OSError:
            return False
        finally:
            self.release()
        self._torn = written < len(line)
        return not self._torn


class _Appending:
    """A descriptor, as logging wants its streams: it can be closed."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        if self._fd != _NOWHERE:
            os.close(self._fd)
