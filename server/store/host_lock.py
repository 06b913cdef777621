"""Locks among the processes and threads of a host; the kernel frees a dead one's."""

import fcntl
import os
from pathlib import Path


class HostLock:
    """A file of the state dir that one thread of the host holds at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, *, wait: bool) -> bool:
        """Whether it is ours now; without *wait*, False where it is another's."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self._path, flags, 0o600)
        try:
            # flock, not lockf: it is of the open file, so threads exclude each other.
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            return False
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return True

    def give_back(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> None:
        self.take(wait=True)

    def __exit__(self, *_: object) -> None:
        self.give_back()
