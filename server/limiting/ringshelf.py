"""The files of rings in one directory: made, opened, doubled, replaced.

Whoever changes which file is current holds the directory's own lock (`rings.lock`)
first, and then all stripes of the file that goes. Callers hold no stripe meanwhile,
so no two can wait for each other. In this process everything here happens under
the one lock of `rings.py`.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from server.limiting.ringfile import (
    BOOT,
    MOST_AMOUNT,
    OFFSET,
    STATE,
    SUPERSEDED,
    RingFile,
    Torn,
    capacity_for,
    first_slots,
)
from server.limiting.ringslot import LIVE
from server.locks import lock, unlock

log = logging.getLogger("weir.counters")


def boot_id() -> int:
    """A number that differs from boot to boot (a constant where none is known)."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        text = b""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


class Shelf:
    """The current files, by capacity; in memory alone without a directory."""

    def __init__(self, directory: Path | None, clock: Callable[[], int]) -> None:
        self.files: dict[int, RingFile] = {}  # by rising capacity
        self._directory = directory
        self._clock = clock
        self._lock_fd = -1
        self._closed = False
        if directory is not None:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._lock_fd = os.open(directory / "rings.lock", flags, 0o600)

    def have(self, capacity: int) -> None:
        """See to it that there is a file of *capacity*, and that it is open here.

        Raises:
            CountersFull: there is no space for one.
        """
        if self._closed:
            raise ValueError("these counters are closed")
        if capacity not in self.files:
            self._put(capacity, self._open(capacity))

    def has_news(self) -> bool:
        """Whether another process has made a file that is not open here."""
        return bool(self._unopened())

    def refresh(self) -> None:
        """Open what other processes have made."""
        for capacity in self._unopened():
            self.have(capacity)

    def _unopened(self) -> set[int]:
        if self._directory is None:
            return set()
        found = set()
        for name in os.listdir(self._directory):  # noqa: PTH208  (a path each is slow)
            kind, _, rest = name.partition("-")
            if kind == "rings" and rest.isdecimal() and rest.isascii():
                capacity = int(rest)
                # Any other number is no file of ours.
                if capacity == capacity_for(min(capacity, MOST_AMOUNT)):
                    found.add(capacity)
        return found - set(self.files)

    def renew(self, file: RingFile) -> None:
        """Open the file that took the place of one no longer counted in."""
        if self.files.get(file.capacity) is file:
            self._put(file.capacity, self._open(file.capacity))
            file.close()

    def grow(self, file: RingFile) -> None:
        """Give a file that is full twice the slots.

        Raises:
            CountersFull: there is no space; the file stays as it is.
        """
        with self._alone():
            if file.words[STATE] == LIVE:
                self._put(file.capacity, self._rebuild(file, file.slots * 2))
                file.close()
                return
        self.renew(file)  # another process was first

    def close(self) -> None:
        """Let go of every file."""
        for file in self.files.values():
            file.close()
        self.files.clear()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
        self._lock_fd = -1
        self._closed = True

    def _put(self, capacity: int, file: RingFile) -> None:
        self.files[capacity] = file
        self.files = dict(sorted(self.files.items()))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._lock_fd < 0:
            yield
            return
        lock(self._lock_fd)
        try:
            yield
        finally:
            unlock(self._lock_fd)

    def _path(self, capacity: int) -> Path | None:
        return self._directory and self._directory / f"rings-{capacity}"

    def _open(self, capacity: int) -> RingFile:
        path = self._path(capacity)
        if path is None:
            return self._fresh(capacity)
        with self._alone():
            try:
                file = RingFile.open(path, capacity)
            except FileNotFoundError:
                return self._fresh(capacity)
            except Torn as torn:
                log.error(
                    "counters: %s is torn (%s); it is moved aside and counting "
                    "begins anew, so calls of the last window may be admitted twice",
                    path,
                    torn,
                )
                _set_aside(path)
                return self._fresh(capacity)
            if file.words[STATE] == LIVE and file.words[BOOT] == boot_id():
                file.words[OFFSET] = time.time_ns() - self._clock()
                return file
            # Of another boot; or whoever rebuilt it was killed before the new
            # file had its name (we hold the directory's lock, so it is not
            # still at work). Nobody counts in it: every stamp is there.
            try:
                return self._rebuild(file, file.slots)
            finally:
                file.close()

    def _fresh(self, capacity: int) -> RingFile:
        secret = secrets.token_bytes(16)
        return self._publish(self._blank(capacity, first_slots(capacity), secret))

    def _blank(self, capacity: int, slots: int, secret: bytes) -> RingFile:
        path = self._path(capacity)
        path = path and path.with_suffix(".new")
        file = RingFile.create(path, capacity, slots, secret)
        file.words[BOOT] = boot_id()
        file.words[OFFSET] = time.time_ns() - self._clock()
        return file

    def _publish(self, file: RingFile) -> RingFile:
        path = self._path(file.capacity)
        if path is not None:
            path.with_suffix(".new").replace(path)
        return file

    def _rebuild(self, old: RingFile, slots: int) -> RingFile:
        """A new file with the rings of *old*, in its place.

        Kill-proof by order: the new file is whole before the old one is marked,
        and the old one is marked before the new one has its name. So nobody counts
        in a file of the past, and a marked file that still has its name holds
        all that was counted.
        """
        old.lock_whole()
        try:
            while True:
                new = self._blank(old.capacity, slots, old.secret)
                shift = 0
                if old.words[BOOT] != new.words[BOOT]:
                    shift = old.words[OFFSET] - new.words[OFFSET]
                if old.copy_live(new, shift, self._clock()):
                    break
                new.close()  # only a damaged file: its rings lie in wrong sets
                slots *= 2
            old.words[STATE] = SUPERSEDED
            return self._publish(new)
        finally:
            old.unlock_whole()


def _set_aside(path: Path) -> None:
    """Rename a torn file, after telling those who may still count in it."""
    fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        lock(fd)
        if os.fstat(fd).st_size >= 8:
            os.pwrite(fd, SUPERSEDED.to_bytes(8, sys.byteorder), 0)
        path.replace(path.with_suffix(".torn"))
    finally:
        os.close(fd)
