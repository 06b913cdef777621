"""A file of rings of one capacity: header, sets of slots, and their locks.

Words 0 to 511 are the header. Then come sets of up to 16 slots each; a key may lie
in any slot of the set its tag names. The number of the set is also the byte that
is locked while its slots are read or written: the kernel drops such a lock
when its holder dies, however it dies.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from server.limiting.ringslot import LIVE, RING, TAG_B, Slot, Tag
from server.locks import lock, try_lock, unlock

SUPERSEDED = LIVE + (1 << 56)  # word 0 of a file whose rings are in another one now
STATE, CHECK, CAPACITY, SLOTS, SECRET, _, BOOT, OFFSET = range(8)
HEADER = 512  # words: one page
WAYS = 16  # slots in a set
MOST_AMOUNT = 1 << 24  # calls a window
MOST_BYTES = 1 << 30  # of one file

TRIES = 8  # before sleeping for a lock; see `lock_stripe`


def lock_stripe(fd: int, stripe: int) -> None:
    """Wait for one set of slots.

    A holder is done within microseconds, where to be put to sleep and woken takes
    tens: two saturated processes on one key count twice as fast for trying again
    a few times first, and the slowest hundredth of calls ten times as fast.
    """
    for _ in range(TRIES):
        if try_lock(fd, stripe, 1):
            return
    lock(fd, stripe, 1)


def capacity_for(amount: int) -> int:
    """The capacity of the rings that can count *amount* calls: 64, 512, 4096, ..."""
    capacity = 64
    while capacity < amount:
        capacity *= 8
    return capacity


def first_slots(capacity: int) -> int:
    """How many rings a new file has: what fits into about a megabyte, 2 to 1,024."""
    return max(2, min(1024, (1 << 17) // capacity))


def bytes_of(capacity: int, slots: int) -> int:
    """The size of a file."""
    return 8 * (HEADER + slots * (RING + capacity))


class CountersFull(OSError):
    """There is no room for another key's counter, and none can be made."""


class Torn(Exception):
    """What is wrong with a file that is no file of rings."""


class RingFile:
    """An open, mapped file; in memory alone when *fd* is -1."""

    def __init__(self, fd: int, pages: mmap.mmap, capacity: int, slots: int) -> None:
        self.fd = fd
        self.words: memoryview[int] = memoryview(pages).cast("q")
        self.secret = bytes(pages[8 * SECRET : 8 * BOOT])
        self.capacity = capacity  # stamps in a ring, a power of two
        self.slots = slots  # a power of two
        self._ways = min(slots, WAYS)
        self._stride = RING + capacity  # words
        self._pages = pages

    @classmethod
    def open(cls, path: Path, capacity: int) -> RingFile:
        """Map the file at *path*.

        Raises:
            Torn: it is not what `create` makes for this capacity.
        """
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            size = os.fstat(fd).st_size
            if size < HEADER * 8:
                raise Torn(f"{size} bytes, shorter than a header")
            if size % 8:
                raise Torn(f"{size} bytes, no whole number of words")
            pages = mmap.mmap(fd, size)
            try:
                with memoryview(pages) as whole, whole.cast("q") as words:
                    state, check, found, slots = words[: SLOTS + 1]
                if state not in (LIVE, SUPERSEDED):
                    raise Torn(f"begins with {state:#x}, no mark of ours")
                if check != _checksum(pages):
                    raise Torn("its header fails its checksum")
                if found != capacity:
                    raise Torn(f"rings of {found} stamps, {capacity} expected")
                if size != bytes_of(capacity, slots):
                    raise Torn(f"{size} bytes do not hold {slots} slots")
            except Torn:
                pages.close()
                raise
        except Torn:
            os.close(fd)
            raise
        return cls(fd, pages, capacity, slots)

    @classmethod
    def create(
        cls, path: Path | None, capacity: int, slots: int, secret: bytes
    ) -> RingFile:
        """Make an empty file at *path* (None: in memory), over what is there.

        Raises:
            CountersFull: it would be too large, or there is no space for it.
        """
        size = bytes_of(capacity, slots)
        if size > MOST_BYTES:
            message = f"{slots} rings of {capacity} stamps would be {size} bytes"
            raise CountersFull(errno.EFBIG, message, path)
        fd = -1
        if path is not None:
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            fd = os.open(path, flags, 0o600)
        try:
            if fd >= 0:
                # All of it now: a store into a page that the disk has no room for
                # would be a SIGBUS, not an exception.
                os.posix_fallocate(fd, 0, size)
            pages = mmap.mmap(fd, size)
        except OSError as error:
            if path is not None:
                os.close(fd)
                path.unlink()
            raise CountersFull(error.errno, error.strerror, path) from error
        pages[8 * SECRET : 8 * BOOT] = secret
        file = cls(fd, pages, capacity, slots)
        file.words[CAPACITY] = capacity
        file.words[SLOTS] = slots
        file.words[CHECK] = _checksum(pages)
        file.words[STATE] = LIVE
        return file

    def close(self) -> None:
        """Let go of file and mapping; no lock on it may be held in this process.

        Closing *any* descriptor of a file (a mapping has one too) drops all locks
        that the process holds on it. So this too happens under the process's own
        lock, and never by garbage collection, which may come amid a call.
        """
        self.words.release()
        self._pages.close()
        if self.fd >= 0:
            os.close(self.fd)

    def tag(self, key: str) -> Tag:
        """What stands for *key* in this file.

        The secret is the file's own, so nobody can think up keys (a key may hold a
        remote address) that crowd into one set and make the file grow.
        """
        name = key.encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=16, key=self.secret).digest()
        tag_a = int.from_bytes(digest[:8], "big", signed=True)
        return tag_a | 1, int.from_bytes(digest[8:], "big", signed=True)

    def stripe(self, tag: Tag) -> int:
        """The set of slots for *tag*, and the byte to lock."""
        return tag[1] & (self.slots // self._ways - 1)

    def lock(self, stripe: int) -> None:
        """Wait for the set; callers take several by rising capacity, then stripe."""
        if self.fd >= 0:
            lock_stripe(self.fd, stripe)

    def unlock(self, stripe: int) -> None:
        """Let go of the set."""
        if self.fd >= 0:
            unlock(self.fd, stripe, 1)

    def lock_whole(self) -> None:
        """Wait for all sets; for those who hold none."""
        if self.fd >= 0:
            lock(self.fd)

    def unlock_whole(self) -> None:
        """Let go of all sets."""
        if self.fd >= 0:
            unlock(self.fd)

    def search(self, tag: Tag) -> Iterator[tuple[Slot, bool]]:
        """The slots with this tag, and of each whether it was being moved."""
        tag_a, tag_b = tag
        words = self.words
        for at in self._set(self.stripe(tag)):
            if words[at] | 1 == tag_a and words[at] and words[at + TAG_B] == tag_b:
                yield Slot(self, at, tag), words[at] != tag_a

    def vacancy(self, tag: Tag, now: int) -> Slot | None:
        """A slot for *tag* that nobody needs: an empty one before an idle one."""
        places = self._set(self.stripe(tag))
        for at in places:
            if not self.words[at]:
                return Slot(self, at, tag)
        for at in places:
            slot = Slot(self, at, tag)
            if slot.idle(now):
                return slot
        return None

    def used(self) -> Iterator[Slot]:
        """Every slot that is somebody's."""
        for stripe in range(self.slots // self._ways):
            for at in self._set(stripe):
                if self.words[at]:
                    tag = self.words[at] | 1, self.words[at + TAG_B]
                    yield Slot(self, at, tag)

    def copy_live(self, to: RingFile, shift: int, now: int) -> bool:
        """Copy what still counts, every stamp *shift* ns later but none after *now*.

        Returns: False when *to* has no room for it.
        """
        for slot in self.used():
            target = to.vacancy(slot.tag, now)
            if target is None:
                return False
            span = self._stride
            source = self.words[slot.at : slot.at + span]
            to.words[target.at : target.at + span] = source
            if shift:
                target.shift(shift, now)
            if target.idle(now):
                target.clear()
        return True

    def _set(self, stripe: int) -> range:
        start = HEADER + stripe * self._ways * self._stride
        return range(start, start + self._ways * self._stride, self._stride)


def _checksum(pages: mmap.mmap) -> int:
    """Of the header's words that never change."""
    digest = blake2b(pages[8 * CAPACITY : 8 * BOOT], digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
