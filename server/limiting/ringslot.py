"""One key's ring of time stamps: what is counted, and how one more is.

A slot is a row of 8-byte words in a shared mapping: two words of tag (whose ring
it is), the head (how many calls were ever counted here), the longest window seen,
then as many stamps as the file's capacity. Stamp number *i* lies at `i & mask`, so
the ring keeps the latest ones, oldest at the head. Each store is one aligned
8-byte write, which a kill either leaves out or completes.

Everything here wants the lock of the slot's stripe.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.limiting.ringfile import RingFile

NEVER = -(1 << 62)  # the stamp of no call: before any clock, even after a reboot
SKEW_NS = 1_000_000  # two cores' clocks may differ by less; a step is more
LONGEST_WINDOW_NS = 10 * 366 * 86_400 * 10**9
HEADS = 1 << 60  # a head beyond was not written by us
TAG_A, TAG_B, HEAD, WINDOW, RING = range(5)  # words of a slot
LIVE = int.from_bytes(b"WEIRrng1", "big")  # word 0 of a file that may be counted in

Tag = tuple[int, int]  # the first word is odd, so neither empty (0) nor moving (even)


class Slot:
    """A place in a file for the ring of the key with this tag."""

    __slots__ = (
        "at",
        "capacity",
        "fd",
        "file",
        "mask",
        "ring",
        "stripe",
        "tag",
        "tag_a",
        "tag_b",
        "words",
    )

    def __init__(self, file: RingFile, at: int, tag: Tag) -> None:
        self.file = file
        self.words = file.words
        self.fd = file.fd
        self.stripe = file.stripe(tag)
        self.at = at
        self.ring = at + RING
        self.capacity = file.capacity
        self.mask = file.capacity - 1
        self.tag = tag
        self.tag_a, self.tag_b = tag

    def holds(self) -> bool:
        """Whether the file is still counted in and the slot still this key's."""
        words = self.words
        return (
            words[0] == LIVE
            and words[self.at] == self.tag_a
            and words[self.at + TAG_B] == self.tag_b
        )

    def look(self, now: int, amount: int, window: int) -> tuple[int, int, int]:
        """Count the calls of the last *window* ns, at most *amount*.

        Returns: the time to go by (never before the newest stamp), how many are
        counted, and the stamp of the oldest of them (any value when none is).
        """
        words, ring, mask = self.words, self.ring, self.mask
        head = words[self.at + HEAD]
        newest = words[ring + ((head - 1) & mask)]
        if newest > now or not 0 <= head < HEADS:
            now = self._mend(now)
            head = words[self.at + HEAD]
            newest = words[ring + ((head - 1) & mask)]

        edge = now - window
        first, last = (head - amount) & mask, head & mask
        oldest = words[ring + first]
        if oldest > edge:
            counted = amount
        elif first < last:  # the latest *amount* stamps lie in one piece
            at = bisect_right(words, edge, ring + first, ring + last)
            counted = ring + last - at
        elif last and words[ring] <= edge:  # in two, and the older piece is past
            at = bisect_right(words, edge, ring, ring + last)
            counted = ring + last - at
        else:
            at = bisect_right(words, edge, ring + first, ring + mask + 1)
            counted = ring + mask + 1 - at + last
        if not counted:
            return now, 0, now
        oldest = words[ring + ((head - counted) & mask)]
        if oldest > newest:
            # A call was killed between its stamp and the head, and its stamp lies
            # where the oldest is looked for; or the file is damaged.
            self._sort(now)
            return self.look(now, amount, window)
        return now, counted, oldest

    def stamp(self, nth: int) -> int:
        """The *nth* newest stamp, from 1."""
        head = self.words[self.at + HEAD]
        return self.words[self.ring + ((head - nth) & self.mask)]

    def count(self, now: int, window: int, cost: int = 1) -> None:
        """Count *cost* calls at *now*, a time that `look` returned."""
        words, at, ring, mask = self.words, self.at, self.ring, self.mask
        if words[at + WINDOW] < window:
            # Before the stamp: nobody may take the slot for idle too early.
            words[at + WINDOW] = window
        head = words[at + HEAD]
        if cost == 1:
            # The stamp first: it takes the place of the oldest one, which nobody
            # looks at unless *amount* is all the ring holds, and `look` sees then
            # that the order is broken. Killed here, the call was never answered.
            words[ring + (head & mask)] = now
            words[at + HEAD] = head + 1
            return
        words[at + HEAD] = ~head  # so that the next visitor looks for equal stamps
        for number in range(head, head + cost):
            words[ring + (number & mask)] = now
        words[at + HEAD] = head + cost

    def _mend(self, now: int) -> int:
        """Finish what a killed call began; bring the stamps behind the clock."""
        words, ring, mask = self.words, self.ring, self.mask
        head = words[self.at + HEAD]
        if head < 0:
            # Of the stamps of one call, all equal, some may be written.
            head = ~head % HEADS
            begun, newest = words[ring + (head & mask)], self._newest(head)
            written = begun if begun > NEVER and begun >= newest else None
            for _ in range(self.capacity):
                if words[ring + (head & mask)] != written:
                    break
                head += 1
        head %= HEADS
        words[self.at + HEAD] = head
        newest = self._newest(head)
        if newest <= now:
            return now
        if newest - now < SKEW_NS:
            return newest
        self._sort(now)
        return now

    def _newest(self, head: int) -> int:
        return self.words[self.ring + ((head - 1) & self.mask)]

    def _sort(self, now: int) -> None:
        """Bring every stamp to *now* at the latest, and all into order.

        So nothing that befalls a clock or a disk locks a key for more than one
        window, and a clock put back does not free it either.
        """
        turn = self.words[self.at + HEAD] & self.mask
        stamps = sorted(
            min(stamp, now)
            for stamp in self.words[self.ring : self.ring + self.capacity]
        )
        split = self.capacity - turn
        self.words[self.ring : self.ring + self.capacity] = memoryview(
            array("q", stamps[split:] + stamps[:split])
        )

    def shift(self, shift: int, now: int) -> None:
        """Make every stamp *shift* ns later, none after *now*."""
        for at in range(self.ring, self.ring + self.capacity):
            if (stamp := self.words[at]) != NEVER:
                self.words[at] = max(NEVER, min(stamp + shift, now))

    def idle(self, now: int) -> bool:
        """Whether forgetting this ring forgets nothing that counts."""
        window = self.words[self.at + WINDOW]
        if not 0 < window <= LONGEST_WINDOW_NS:
            return True  # no code of ours wrote this: nobody's ring
        return self.look(now, 1, window)[1] == 0

    def clear(self) -> None:
        """Give the slot back."""
        self.words[self.at] = 0

    def restore(self) -> None:
        """Make the slot this key's again, after a move that came to nothing."""
        self.words[self.at] = self.tag_a

    def claim(
        self, window: int, head: int = 0, stamps: array[int] | None = None
    ) -> None:
        """Make the slot this key's, with *stamps* in it (default: none).

        Killed in the middle, it leaves the slot empty: the tag goes first and
        comes last.
        """
        words, at = self.words, self.at
        words[at] = 0
        words[at + TAG_B] = self.tag_b
        words[at + HEAD] = head
        words[at + WINDOW] = window
        words[self.ring : self.ring + self.capacity] = memoryview(
            stamps or array("q", [NEVER]) * self.capacity
        )
        words[at] = self.tag_a

    def move(self, to: Slot, window: int, now: int) -> None:
        """Move this ring into the larger slot *to*; nothing counted is forgiven.

        Calls that the small ring has forgotten are taken to be as young as its
        oldest stamp. They are past under the figure they were counted by, and so
        make a difference only if an edit lengthens the window as well.
        """
        words, mask = self.words, self.mask
        self._mend(now)
        self._sort(now)  # a killed call's stamp must not pass for the oldest
        # From here no one can count in the old slot, whatever they remember; a
        # mover killed before the end is finished by the next visitor.
        words[self.at] = self.tag_a - 1
        head = words[self.at + HEAD]
        oldest = words[self.ring + (head & mask)]
        stamps = array("q", [NEVER]) * to.capacity
        for number in range(max(0, head - to.capacity), head):
            known = number >= head - self.capacity
            stamp = words[self.ring + (number & mask)] if known else oldest
            stamps[number & to.mask] = stamp
        to.claim(max(window, words[self.at + WINDOW]), head, stamps)
        self.clear()
