"""Giving back the space of what is gone: by ``flask retention sweep`` and by itself.

What is past its time is gone for callers at once, because reads look at the time. The
sweep removes it, and what a crash has left: bytes that no row names.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta

from peewee import PeeweeException

from server.clock import now_ms
from server.kinds import Kept
from server.rules import files as files_rules
from server.rules import history as history_rules
from server.rules import offline as offline_rules
from server.settings import Settings
from server.store import (
    blocking_mutes,
    database,
    events,
    file_storage,
    files,
    history,
    leases,
    message_retention,
    muc_lists,
    offline,
    quotas,
)
from server.store.host_lock import HostLock

log = logging.getLogger("weir")

EVERY = timedelta(minutes=1)
FIRST = timedelta(seconds=20)
"""After the start, which has enough to do."""
FOLDERS_EACH = 5
"""Sweeps from one look into every app's history files to the next: each is a listing of
a folder, or of a bucket."""
ORPHANS_EACH = 60
"""And to the next look at every file there is."""
_ORPHAN_AGE_MS = 3_600_000
"""An upload under way is younger; nothing of it is an orphan."""
_BATCH = 200
"""Rows that one transaction removes: a send waits for no more."""
_RESTS = 1
"""So many times as long as a batch took, the background rests after it, for callers
wait for the same disk, lock and cores; a second at most. What rows and rests cost
them: tests/bench/sweep.py."""
_LONGEST_REST_SECONDS = 1.0
_ALONE = 1_000
"""The number of sweeping among the works that one thread of all hosts is at."""
_KINDS = 5

Tell = Callable[[str, int, int], None]
Rest = Callable[[float], None]


@dataclass(slots=True)
class Swept:
    """How many of each were removed."""

    files: int = 0
    history_files: int = 0
    orphans: int = 0
    messages: int = 0
    offline_entries: int = 0
    events: int = 0
    connections: int = 0
    mutes: int = 0
    quota_days: int = 0

    def __str__(self) -> str:
        counts = (
            f"{getattr(self, each.name)} {each.name.replace('_', ' ')}"
            for each in fields(self)
        )
        return ", ".join(counts)

    @property
    def any(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))


def _before(kept: Kept) -> int | None:
    """The moment before which a thing is gone in every edition."""
    return None if kept.longest is None else now_ms() - kept.longest * 1000


def _nobody(_what: str, _done: int, _of: int) -> None:
    """Nobody wants to know how far it is."""


def _no_rest(_seconds: float) -> None:
    """Whoever asks for a sweep waits for it."""


def _rest(seconds: float) -> None:
    time.sleep(min(_RESTS * seconds, _LONGEST_REST_SECONDS))


def sweep(
    *,
    folders: bool = True,
    orphans: bool = True,
    tell: Tell = _nobody,
    rest: Rest = _no_rest,
) -> Swept:
    """Remove what is past its time.

    *folders* looks for history files as well, *orphans* at every upload there is.
    *tell* is told what is looked at, and how many kinds of how many are done; *rest*,
    after each batch, how many seconds that took.
    """

    def total(batches: Iterator[int]) -> int:
        removed, began = 0, time.monotonic()
        for count in batches:
            removed += count
            rest(time.monotonic() - began)
            began = time.monotonic()
        return removed

    swept = Swept()
    tell("uploads", 0, _KINDS)
    uploaded = _before(files_rules.UPLOADED_FILE)
    if uploaded is not None:
        swept.files = total(files.delete_older(uploaded, batch=_BATCH))
    tell("history files", 1, _KINDS)
    told = _before(history_rules.HISTORY_FILE)
    if told is not None and folders:
        swept.history_files = history.remove_older(told)
    tell("offline queues", 2, _KINDS)
    waited = _before(offline_rules.OFFLINE_MESSAGE)
    if waited is not None:
        swept.offline_entries = total(offline.sweep_offline(waited, batch=_BATCH))
        passed = _before(offline_rules.PASSING_EVENT)
        passed = waited if passed is None else passed
        swept.events = total(events.sweep_events(passed, waited, batch=_BATCH))
    swept.connections = total(leases.remove_over(batch=_BATCH))
    tell("messages", 3, _KINDS)
    if told is not None and waited is not None:
        swept.messages = total(
            message_retention.delete_older(
                min(told, waited), told - _LONGEST_HOUR_MS, batch=_BATCH
            )
        )
    swept.mutes = total(blocking_mutes.remove_ended(now_ms(), batch=_BATCH))
    swept.mutes += total(muc_lists.remove_ended_mutes(now_ms(), batch=_BATCH))
    swept.quota_days = total(quotas.remove_past(batch=_BATCH))
    if orphans:
        swept.orphans = _remove_orphans(tell)
    return swept


# An hour's file is kept from the hour's end, and needs the messages of its beginning;
# where clocks are put back, an hour takes two.
_LONGEST_HOUR_MS = 2 * 3_600_000


def _remove_orphans(tell: Tell) -> int:
    """Bytes that were never kept, or of no row, too old to be under way."""
    young = now_ms() - _ORPHAN_AGE_MS
    removed = file_storage.remove_leftovers(young)
    tell("orphans", 4, _KINDS)
    folders = list(file_storage.entries(files.FOLDER))
    for n, folder in enumerate(folders):
        tell(f"orphans, folder {n} of {len(folders)}", 4, _KINDS)
        for entry in file_storage.entries(folder.key) if folder.is_folder else []:
            if entry.modified_ms < young and not files.has_row(entry.key):
                file_storage.remove(entry.key)
                removed += 1
    return removed


class Sweeper:
    """Sweeps again and again, while no other process does, on this host or another."""

    def __init__(self, settings: Settings) -> None:
        self._lock = HostLock(settings.state_dir / "sweeper.lock")
        self._turn = 0

    def turn(self) -> Swept | None:
        """Sweep; None where another process is the one that does.

        The lock is kept from turn to turn: it is free again when this process ends.
        """
        if not self._lock.take(wait=False):
            return None
        try:
            with database.alone(_ALONE, wait=False) as ours:
                if not ours:
                    return None
                swept = sweep(
                    folders=self._turn % FOLDERS_EACH == 0,
                    orphans=self._turn % ORPHANS_EACH == 0,
                    rest=_rest,
                )
        except (OSError, PeeweeException) as error:
            self.stop()  # perhaps another process can
            log.error("the retention sweep failed: %s", error)
            return None
        finally:
            database.disconnect()
        self._turn += 1
        if swept.any:
            log.info("retention: removed %s", swept)
        return swept

    def stop(self) -> None:
        """Let another process sweep."""
        self._lock.give_back()

    def run(self) -> None:
        """For a thread of its own."""
        never = threading.Event()
        never.wait(FIRST.total_seconds())
        try:
            while True:
                begun = time.monotonic()
                self.turn()
                never.wait(EVERY.total_seconds() - (time.monotonic() - begun))
        finally:
            self.stop()


def start(settings: Settings) -> None:
    """Sweep in the background of a process that serves."""
    run = Sweeper(settings).run
    threading.Thread(target=run, name="retention", daemon=True).start()
