"""Where a key's ring lies, and where a new one may: searched under every lock.

A key has one ring, in whichever file. To be sure that it has none, its stripe is
held in every file there is; so no other process can put it anywhere meanwhile, not
even into a file made after the search began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from server.limiting.ringfile import RingFile, capacity_for
from server.limiting.ringshelf import Shelf
from server.limiting.ringslot import LIVE, Slot

if TYPE_CHECKING:
    from server.limiting.rings import Want

Result = TypeVar("Result")


class Search:
    """Searches the files of one directory; *forget* drops every known slot."""

    def __init__(
        self, shelf: Shelf, clock: Callable[[], int], forget: Callable[[], None]
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._forget = forget

    def find(
        self,
        wants: Sequence[Want],
        then: Callable[[list[Slot | None]], Result],
        *,
        claim: bool,
    ) -> tuple[list[Slot | None], Result]:
        """Find the slots of *wants* and call *then* on them, their stripes held.

        A key without a slot gets one if *claim*, and is None otherwise.
        """
        return self._retry(lambda: self._find(wants, then, claim))

    def clear(self, key: str) -> None:
        """Take the key's slot away."""
        self._retry(lambda: self._clear(key))

    def reset(self) -> int:
        """Take every slot away; returns how many there were."""
        self._shelf.refresh()
        return sum(
            self._retry(partial(self._empty, capacity))
            for capacity in tuple(self._shelf.files)
        )

    def _retry(self, attempt: Callable[[], Result]) -> Result:
        """Attempt until the files stand still under it.

        Files are opened and replaced here, where no stripe is held: their lock
        comes before the stripes.
        """
        while True:
            try:
                return attempt()
            except _Appeared:
                self._shelf.refresh()
            except _Stale as stale:
                self._forget()  # before the file goes: slots point into it
                self._shelf.renew(stale.file)
            except _Full as full:
                self._forget()
                self._shelf.grow(full.file)

    def _find(
        self,
        wants: Sequence[Want],
        then: Callable[[list[Slot | None]], Result],
        claim: bool,
    ) -> tuple[list[Slot | None], Result]:
        for want in wants:
            self._shelf.have(capacity_for(want.amount))
        with self._locked([want.key for want in wants]):
            slots = [self._seat(want, claim) for want in wants]
            for slot in slots:
                if slot and not slot.holds():  # a later one of ours took its room
                    raise _Full(slot.file)
            return slots, then(slots)

    def _seat(self, want: Want, claim: bool) -> Slot | None:
        """The key's one slot, with a ring large enough for the amount."""
        slot = self._only_slot(want.key)
        if slot and slot.capacity >= want.amount:
            return slot
        if slot is None and self._shelf.has_news():
            # The key may lie in a file made since. We look after the locks were
            # taken: the maker of a later file needs one of ours to use the key.
            raise _Appeared
        if slot is None and not claim:
            return None
        home = self._shelf.files[capacity_for(want.amount)]
        now = self._clock()
        target = home.vacancy(home.tag(want.key), now)
        if target is None:
            raise _Full(home)
        if slot:
            slot.move(target, want.window_ns, now)
        else:
            target.claim(want.window_ns)
        return target

    def _only_slot(self, key: str) -> Slot | None:
        """Search for the key, and end what a killed mover of it left undone."""
        only, half_moved = None, None
        for slot, moving in self._all_slots(key):
            if moving:
                half_moved = slot
                continue
            if only:  # a damaged file: the larger ring knows more
                only.clear()
            only = slot
        if half_moved and only:
            half_moved.clear()  # the copy was whole
        elif half_moved:
            half_moved.restore()
        return only or half_moved

    def _all_slots(self, key: str) -> Iterator[tuple[Slot, bool]]:
        for file in self._shelf.files.values():
            yield from file.search(file.tag(key))

    @contextmanager
    def _locked(self, keys: Sequence[str]) -> Iterator[None]:
        """Hold the stripes of *keys* in every file, in the one order for all."""
        files = self._shelf.files
        held = []
        try:
            for file in files.values():  # by rising capacity
                for stripe in sorted({file.stripe(file.tag(key)) for key in keys}):
                    held.append((file, stripe))
                    file.lock(stripe)
                    if file.words[0] != LIVE:
                        raise _Stale(file)
            yield
        finally:
            for file, stripe in held:
                file.unlock(stripe)

    def _clear(self, key: str) -> None:
        with self._locked([key]):
            if self._shelf.has_news():
                raise _Appeared
            for slot, _ in self._all_slots(key):
                slot.clear()

    def _empty(self, capacity: int) -> int:
        file = self._shelf.files[capacity]
        file.lock_whole()
        try:
            if file.words[0] != LIVE:
                raise _Stale(file)
            slots = list(file.used())
            for slot in slots:
                slot.clear()
            return len(slots)
        finally:
            file.unlock_whole()


class _Appeared(Exception):
    """Another process has made a file that is not open here."""


class _Stale(Exception):
    """The file is no longer counted in."""

    def __init__(self, file: RingFile) -> None:
        self.file = file


class _Full(Exception):
    """The file has no slot for a key."""

    def __init__(self, file: RingFile) -> None:
        self.file = file
