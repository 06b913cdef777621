"""Numbers that every process of a host keeps for itself and any can read.

A file has a slot for each process that runs at the same time. A process writes its own
slot only, so no two ever wait for each other; the kernel's lock on the slot says that
it is taken, and is free again however its holder ends. What a process has written stays
after it, and whoever takes the slot next goes on from there: sums over all slots never
go back, and the file holds as many slots as processes ever ran at once, not as ran.

The columns of a slot have names, kept in the file's header. An edit of the table adds
names; those that were there keep their places, for processes that still run on the
rules before it write to them too.
"""

import errno
import fcntl
import logging
import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger("weir")

MARK = int.from_bytes(b"WEIRtly1", "big")
_PAGE = mmap.ALLOCATIONGRANULARITY
_WORD = 8
_MARK, _COLUMNS, _SLOT_BYTES, _NAMES = range(4)  # words; the names' begin at the last
_LEAST_COLUMNS = 32


class _Unusable(Exception):
    """A file that is not what this program makes, or has no room for the names."""


class Shape(NamedTuple):
    """What a slot is made of; a file of another shape is replaced."""

    per_column: int
    """Bytes for each name."""
    beside: int = 0
    """Bytes that belong to no name."""

    def slot_bytes(self, columns: int) -> int:
        return -(-(self.per_column * columns + self.beside) // _PAGE) * _PAGE


class Tally:
    """This process's slot of a file, and the sight of all others'.

    Where the file cannot be used, the slot is memory of this process alone, and the log
    says so: counting is no reason to refuse a call. To be opened by the process that
    counts, once: a child has none of its parent's locks, and closing any of a file's
    descriptors gives up all of a process's locks on it.
    """

    def __init__(self, path: Path, names: Sequence[str], shape: Shape) -> None:
        self._path, self._shape = path, shape
        self._lock = threading.Lock()
        self._fd = self._slot = -1
        try:
            self._open(names)
        except OSError as error:
            self._without_file(names, error)

    def _without_file(self, names: Sequence[str], error: OSError) -> None:
        log.error("%s: %s; this process counts by itself", self._path, error.strerror)
        self.close()
        self.columns = _room_for(names)
        self.places = {name: n for n, name in enumerate(names)}
        self.pages = mmap.mmap(-1, self._shape.slot_bytes(self.columns))

    def _open(self, names: Sequence[str]) -> None:
        with _alone(self._path.parent):
            try:
                self._fd = _opened(self._path)
                self.columns, self.places = _place(self._fd, names, self._shape)
            except (_Unusable, FileNotFoundError) as why:
                if isinstance(why, _Unusable):
                    log.warning("%s %s: begun anew", self._path, why)
                self.close()
                self._fd = _made(self._path, names, self._shape)
                self.columns, self.places = _place(self._fd, names, self._shape)
            self._take_slot()

    def _take_slot(self) -> None:
        """The first that no living process has. The directory must be locked."""
        size = self._shape.slot_bytes(self.columns)
        slot = 0
        while not _try_lock(self._fd, slot):
            slot += 1
        begin = _header_bytes(self.columns) + slot * size
        if os.fstat(self._fd).st_size < begin + size:
            # All of it now: a store into a page that the disk has no room for would
            # be a SIGBUS, not an exception.
            os.posix_fallocate(self._fd, begin, size)
        self._slot = slot
        self.pages = mmap.mmap(self._fd, size, offset=begin)

    def every(self) -> list[memoryview]:
        """All slots, own included, as they are now."""
        return [memoryview(content) for _, content in self._slots()]

    def living(self) -> list[memoryview]:
        """The slots of processes that run."""
        found = self._slots()
        if self._fd < 0:
            return [memoryview(content) for _, content in found]
        # One asks at a time, here and on the host: asking is to try the lock.
        with self._lock, _alone(self._path.parent):
            return [
                memoryview(content)
                for slot, content in found
                if slot == self._slot or not self._is_free(slot)
            ]

    def _slots(self) -> Iterator[tuple[int, bytes]]:
        if self._fd < 0:
            yield self._slot, bytes(self.pages)
            return
        size, begin = self._shape.slot_bytes(self.columns), _header_bytes(self.columns)
        for slot in range((os.fstat(self._fd).st_size - begin) // size):
            yield slot, os.pread(self._fd, size, begin + slot * size)

    def _is_free(self, slot: int) -> bool:
        free = _try_lock(self._fd, slot)
        if free:
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, slot)
        return free

    def close(self) -> None:
        """Give the slot to whoever comes next; what is in it stays."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = self._slot = -1


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """No other process of the host opens a file here meanwhile."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        # By itself: gevent closes what is no regular file only once its loop comes
        # round, and a greenlet that opens the next file would wait for its own lock.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def _try_lock(fd: int, slot: int) -> bool:
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _room_for(names: Sequence[str]) -> int:
    """Columns for twice as many names: edits of the table come."""
    room = _LEAST_COLUMNS
    while room < 2 * len(names):
        room *= 2
    return room


def _header_bytes(columns: int) -> int:
    return -(-(_NAMES + columns) * _WORD // _PAGE) * _PAGE


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def _made(path: Path, names: Sequence[str], shape: Shape) -> int:
    """A new file in the place of what is there; who has that open goes on in it."""
    columns = _room_for(names)
    beside = path.with_suffix(".new")
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(beside, flags, 0o600)
    try:
        os.posix_fallocate(fd, 0, _header_bytes(columns))
        words = (MARK, columns, shape.slot_bytes(columns))
        os.pwrite(fd, b"".join(word.to_bytes(_WORD, "little") for word in words), 0)
        beside.replace(path)
    except BaseException:
        os.close(fd)
        beside.unlink(missing_ok=True)
        raise
    return fd


def _place(fd: int, names: Sequence[str], shape: Shape) -> tuple[int, dict[str, int]]:
    """How many columns there are, and which is whose; new names are added."""
    head = os.pread(fd, _NAMES * _WORD, 0)
    words = [
        int.from_bytes(head[at : at + _WORD], "little")
        for at in range(0, len(head), _WORD)
    ]
    if len(words) < _NAMES or words[_MARK] != MARK:
        message = "is none of this program's files"
        raise _Unusable(message)
    columns = words[_COLUMNS]
    if columns > 1 << 20 or words[_SLOT_BYTES] != shape.slot_bytes(columns):
        message = "is of another version"
        raise _Unusable(message)
    if os.fstat(fd).st_size < _header_bytes(columns):
        message = "is cut short"
        raise _Unusable(message)
    return columns, _columns_of(fd, names, columns)


def _columns_of(fd: int, names: Sequence[str], columns: int) -> dict[str, int]:
    kept = os.pread(fd, columns * _WORD, _NAMES * _WORD)
    known = [kept[at : at + _WORD] for at in range(0, len(kept), _WORD)]
    used = known.index(bytes(_WORD)) if bytes(_WORD) in known else columns
    index = {key: n for n, key in enumerate(known[:used])}
    keys = {name: blake2b(name.encode(), digest_size=_WORD).digest() for name in names}
    new = [key for key in keys.values() if key not in index]
    if used + len(new) > columns:
        message = "has no room for the rules as they are now"
        raise _Unusable(message)
    if new:
        os.pwrite(fd, b"".join(new), (_NAMES + used) * _WORD)
        index |= {key: used + n for n, key in enumerate(new)}
    return {name: index[key] for name, key in keys.items()}
