"""Exact sliding windows, counted over all threads and processes of one host.

A limit of N calls per U is kept by remembering when the latest calls came: one
more is admitted when the N-th newest is at least U old. The memory is a ring of
time stamps per key, in files mapped by every process: `ringslot` is one ring,
`ringfile` a file of them, `ringshelf` the files, `ringsearch` finds a key's ring. A
key names a rule and whom it binds, never a figure, so an edited figure finds what
was counted. A key lies in one file only: the one whose rings were large enough for
the largest figure that asked for it.

Two locks guard a ring: one of this process, for its threads, and within it the
kernel's lock on the ring's stripe, for the other processes, which no killed holder
can leave behind.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from server.clock import now_ns
from server.limiting.ringfile import MOST_AMOUNT, CountersFull, lock_stripe
from server.limiting.ringsearch import Search
from server.limiting.ringshelf import Shelf
from server.limiting.ringslot import LONGEST_WINDOW_NS, SKEW_NS, Slot
from server.locks import unlock

__all__ = ["CountersFull", "Rings", "Taken", "Want", "boot_clock", "check"]

# Nanoseconds since the machine started, asleep or not; nobody can set it.
boot_clock: Callable[[], int] = partial(
    time.clock_gettime_ns, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
)
REMEMBERED = 1 << 16  # keys whose place a process keeps in mind
_BEARING_NS = 1_000_000_000  # how long the Unix time at boot is relied on
_GLANCE_NS = 2_000  # two readings of the clock in a row are taken within less

# The kernel's locks are per process and do not tell its threads apart, nor two
# `Rings` of one directory: this lock does. With one per process nothing within it
# can wait for a thread that waits for something else.
_process = threading.Lock()
_abandoned: list[Shelf] = []
_in_memory: weakref.WeakSet[Rings] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for rings in _in_memory:
        rings._places.clear()  # so that they look, and see whose they are
    _process.release()


# A fork waits until no thread is in the midst of counting; the child then has whole
# structures, a free lock, and none of the kernel's locks.
os.register_at_fork(
    before=_process.acquire,
    after_in_parent=_process.release,
    after_in_child=_after_fork_in_child,
)


class Want(NamedTuple):
    """A limit that a call draws on."""

    key: str  # rule name and whom it binds, never a figure: "users.calls/17"
    amount: int  # admitted per window
    window_ns: int
    # For counters that several hosts share; a host's own have no use for them:
    tag: str = ""  # what lies on one server of a cluster, so as to be taken together
    looks_back_ns: int = 0  # how far an edit of the figure must find what was counted


class Taken(NamedTuple):
    """The state of one `Want` after the decision."""

    remaining: int  # how many more would be admitted right now
    reset_ns: int  # until the oldest counted call leaves the window; 0: none counted
    wait_ns: int  # until this limit would admit the call; 0: it would now, or did


class States(list[Taken]):
    """The state of each `Want` after a decision, and when that was, in Unix ns."""

    __slots__ = ("at_ns",)

    def __init__(self, states: Sequence[Taken], at_ns: int) -> None:
        super().__init__(states)
        self.at_ns = at_ns


class Rings:
    """The counters of one host, in the files of a directory.

    Without a directory they are in this process's memory alone. Every method may
    be called from any thread; each raises OSError when the files cannot be used
    (`CountersFull` when a key has no room), and ValueError on a figure out of range.
    """

    def __init__(
        self, directory: Path | None, *, clock: Callable[[], int] = boot_clock
    ) -> None:
        self._clock = clock
        self._places: dict[Want, Slot] = {}  # hints: each is checked under its lock
        self._pid = 0 if directory else os.getpid()
        self._epoch = 0  # the Unix time at the clock's zero
        self._epoch_until = -1
        with _process:
            while _abandoned:
                _abandoned.pop().close()
            self._shelf = Shelf(directory, clock)
            self._search = Search(self._shelf, clock, self._places.clear)
            if not directory:
                _in_memory.add(self)
        # Who is not closed is closed with the next opening. Not at once: garbage is
        # collected at any moment, and closing drops the locks of a call under way.
        weakref.finalize(self, _abandoned.append, self._shelf).atexit = False

    def take(self, wants: Sequence[Want], cost: int = 1) -> tuple[bool, list[Taken]]:
        """Draw *cost* calls on each of *wants* if all admit them, else on none.

        A key may be wanted once.
        """
        return self._decide(wants, cost, count=True)

    def peek(self, wants: Sequence[Want]) -> list[Taken]:
        """What `take` would meet now; takes nothing."""
        return self._decide(wants, 1, count=False)[1]

    def clear(self, key: str) -> None:
        """Forget what was counted for *key*."""
        with _process:
            self._search.clear(key)

    def reset(self) -> int:
        """Forget everything; returns how many keys were known."""
        with _process:
            return self._search.reset()

    def close(self) -> None:
        """Let go of the files; what was counted stays."""
        with _process:
            self._places.clear()
            self._shelf.close()

    def _decide(
        self, wants: Sequence[Want], cost: int, *, count: bool
    ) -> tuple[bool, list[Taken]]:
        if cost < 1:
            raise ValueError(f"a call costs at least 1, not {cost}")
        with _process:
            known = self._one if len(wants) == 1 else self._several
            found = known(wants, cost, count)
            if found is not None:
                return found
            return self._decide_slowly(wants, cost, count)

    def _decide_slowly(
        self, wants: Sequence[Want], cost: int, count: bool
    ) -> tuple[bool, list[Taken]]:
        """Search for the keys, make room for new ones, and remember the places."""
        if self._pid not in (0, os.getpid()):
            raise RuntimeError(
                f"these counters are in the memory of process {self._pid}, of which "
                "this one is a fork: give the counters a directory"
            )
        check(wants)
        if len(self._places) > REMEMBERED:
            self._places.clear()
        slots, result = self._search.find(
            wants, lambda slots: self._judge(slots, wants, cost, count), claim=count
        )
        for want, slot in zip(wants, slots, strict=True):
            if slot:
                self._places[want] = slot
        return result

    def _one(
        self, wants: Sequence[Want], cost: int, count: bool
    ) -> tuple[bool, list[Taken]] | None:
        """The usual case, with nothing to search; None: search first."""
        want = wants[0]
        slot = self._places.get(want)
        if slot is None:
            return None
        _, amount, window, _, _ = want
        fd, stripe = slot.fd, slot.stripe
        try:
            if fd >= 0:
                lock_stripe(fd, stripe)
            if not slot.holds():
                return None
            # The time is taken under the lock: else a call could come with an
            # older time than one counted while it waited.
            now, counted, oldest = slot.look(self._clock(), amount, window)
            admitted = counted + cost <= amount
            wait = 0
            if not admitted:
                wait = _wait(slot, now, want, cost)
            elif count:
                slot.count(now, window, cost)
        finally:
            if fd >= 0:
                unlock(fd, stripe, 1)
        spent = cost if admitted and count else 0
        reset = oldest + window - now if counted else window if spent else 0
        at = now + (self._epoch if now < self._epoch_until else self._bearing(now))
        return admitted, States((Taken(amount - counted - spent, reset, wait),), at)

    def _bearing(self, now: int) -> int:
        """The Unix time at the clock's zero, taken anew: someone may have set it.

        Both clocks tick alike between two settings, so the times that are told of
        calls lie as far apart as the stamps they were decided by.
        """
        for _ in range(3):  # a process that is put to sleep between the readings
            before, unix, after = self._clock(), now_ns(), self._clock()
            if after - before < _GLANCE_NS:
                break
        epoch = unix - (before + after) // 2
        if abs(epoch - self._epoch) > SKEW_NS:
            self._epoch = epoch
        self._epoch_until = now + _BEARING_NS
        return self._epoch

    def _several(
        self, wants: Sequence[Want], cost: int, count: bool
    ) -> tuple[bool, list[Taken]] | None:
        """The same for several limits, or none."""
        slots = []
        for want in wants:
            slot = self._places.get(want)
            if slot is None:
                return None
            slots.append(slot)
        # One order for all, so that no two wait for each other; a set, because
        # two keys may share a stripe.
        locks = sorted({(slot.capacity, slot.stripe, slot.fd) for slot in slots})
        if len(locks) < len(slots):
            check(wants)  # or else it is the same key
        try:
            for _, stripe, fd in locks:
                if fd >= 0:
                    lock_stripe(fd, stripe)
            for slot in slots:
                if not slot.holds():
                    return None
            return self._judge(slots, wants, cost, count)
        finally:
            for _, stripe, fd in locks:
                if fd >= 0:
                    unlock(fd, stripe, 1)

    def _judge(
        self,
        slots: Sequence[Slot | None],
        wants: Sequence[Want],
        cost: int,
        count: bool,
    ) -> tuple[bool, list[Taken]]:
        """Decide under all locks; a slot is None for a key with nothing counted."""
        clock, looks, admitted = self._clock(), [], True
        for slot, (_, amount, window, _, _) in zip(slots, wants, strict=True):
            look = slot.look(clock, amount, window) if slot else (clock, 0, 0)
            looks.append(look)
            if look[1] + cost > amount:
                admitted = False
        spent = cost if admitted and count else 0
        states = []
        for slot, want, (now, counted, oldest) in zip(slots, wants, looks, strict=True):
            _, amount, window, _, _ = want
            wait = 0
            if slot and spent:
                slot.count(now, window, cost)
            elif slot and counted + cost > amount:
                wait = _wait(slot, now, want, cost)
            reset = oldest + window - now if counted else window if spent else 0
            states.append(Taken(amount - counted - spent, reset, wait))
        now = looks[0][0] if looks else clock
        at = now + (self._epoch if now < self._epoch_until else self._bearing(now))
        return admitted, States(states, at)


def check(wants: Sequence[Want]) -> None:
    """Raises ValueError on a figure out of range, and on a key wanted twice."""
    for want in wants:
        if not 1 <= want.amount <= MOST_AMOUNT:
            raise ValueError(f"{want}: the amount is to be 1 to {MOST_AMOUNT}")
        if not 1 <= want.window_ns <= LONGEST_WINDOW_NS:
            raise ValueError(f"{want}: the window is to be 1 to {LONGEST_WINDOW_NS} ns")
    if len({want.key for want in wants}) < len(wants):
        raise ValueError(f"a key is wanted twice: {wants}")


def _wait(slot: Slot, now: int, want: Want, cost: int) -> int:
    """How long until *cost* calls would be admitted; a window if they never are."""
    if cost > want.amount:
        return want.window_ns
    return slot.stamp(want.amount - cost + 1) + want.window_ns - now
