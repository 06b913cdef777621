"""What a proposed table would have refused: kept apart, added to by every process.

An SQLite file of its own, never the server's database. Callers do not wait for it:
what they leave is written by a thread once a second, and what it cannot write is lost
and told.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from server.clock import utc_day

FILE = "refusals.db"
MOST_WAITING = 100_000
"""Notes that wait to be written; what comes beyond is lost."""
MOST_APPS = 2_000
"""Apps that are told apart; the refusals of the rest are one app's, number 0."""
_PATIENCE_SECONDS = 2.0
_TABLES = """
CREATE TABLE IF NOT EXISTS counted (one INTEGER PRIMARY KEY CHECK (one = 1),
    digest TEXT NOT NULL, source TEXT NOT NULL, since_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refused (app_id INTEGER NOT NULL, rule TEXT NOT NULL,
    edition TEXT NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, PRIMARY KEY (app_id, rule, edition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used (app_id INTEGER NOT NULL, rule TEXT NOT NULL,
    day INTEGER NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (app_id, rule, day)) WITHOUT ROWID;
"""
_REFUSED = """
INSERT INTO refused VALUES (?1, ?2, ?3, 1, ?4, ?4)
ON CONFLICT DO UPDATE SET count = count + 1, last_ms = max(last_ms, ?4)
"""
_USE = """
INSERT INTO used VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET used = used + ?4 RETURNING used
"""
_GIVE_BACK = """
UPDATE used SET used = used - ?4 WHERE app_id = ?1 AND rule = ?2 AND day = ?3
"""


class Refusal(NamedTuple):
    """A call that a rule of the proposed table would have refused."""

    app_id: int
    rule: str
    edition: str
    at_ms: int


class Use(NamedTuple):
    """What a call asks of a quota of the proposed table; *figure* None: any amount."""

    app_id: int
    rule: str
    edition: str
    at_ms: int
    figure: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class Refused:
    """How often a rule would have refused an app; *app_id* 0: one of the rest."""

    app_id: int
    rule: str
    edition: str
    count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All that was counted under the proposed table since it is what it is."""

    source: str
    since_ms: int
    refused: tuple[Refused, ...]

    def totals(self) -> dict[tuple[str, str], int]:
        """By rule and edition."""
        found: dict[tuple[str, str], int] = {}
        for each in self.refused:
            key = each.rule, each.edition
            found[key] = found.get(key, 0) + each.count
        return found


class ShadowBook:
    """This process's way to the file.

    Raises:
        OSError, sqlite3.Error: the file cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        digest: str,
        source: str,
        now_ms: int,
        told: Callable[[str, str], None],
    ) -> None:
        self._path = directory / FILE
        self._digest = digest
        self._told = told
        self._waiting: deque[Refusal | Use] = deque()
        self._writing = threading.Lock()
        self._today = 0
        self.lost = 0
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite would let the umask say who reads it, and what stands beside it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(_open(self._path)) as file, file:
            file.executescript(_TABLES)
            file.execute("BEGIN IMMEDIATE")
            known = file.execute("SELECT digest FROM counted").fetchone()
            if known != (digest,):
                # Another table's refusals tell nothing of this one. What was used of
                # a quota stays used, as it does when the enforced table is edited.
                file.execute("DELETE FROM refused")
                file.execute(
                    "INSERT OR REPLACE INTO counted VALUES (1, ?, ?, ?)",
                    (digest, source, now_ms),
                )

    def note(self, note: Refusal | Use) -> None:
        """Leave a note to be written; takes no time, and never fails."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(note)
        else:
            self.lost += 1

    def write(self) -> None:
        """Write what waits, in the order it came.

        Raises:
            sqlite3.Error: it cannot be written; it waits on.
        """
        with self._writing:
            batch = [*self._waiting]
            if not batch:
                return
            with closing(_open(self._path)) as file, file:
                file.execute("BEGIN IMMEDIATE")
                refusals = self._write(file, batch)
                self._forget_days_before(file, utc_day(batch[-1].at_ms))
            for _ in batch:
                self._waiting.popleft()
        for refusal in refusals:
            if refusal is not None:
                self._told(refusal.rule, refusal.edition)

    def _forget_days_before(self, file: sqlite3.Connection, today: int) -> None:
        """Yesterday is kept: another process may still have notes of it."""
        if today != self._today:
            file.execute("DELETE FROM used WHERE day < ?", (today - 1,))
            self._today = today

    def _write(
        self, file: sqlite3.Connection, batch: list[Refusal | Use]
    ) -> list[Refusal | None]:
        found = [
            each if isinstance(each, Refusal) else _use(file, each) for each in batch
        ]
        # A worker of before a reload may still count by the table of then.
        if file.execute("SELECT digest FROM counted").fetchone() != (self._digest,):
            return []
        told_apart = {
            row[0] for row in file.execute("SELECT DISTINCT app_id FROM refused")
        }
        for refusal in found:
            if refusal is None:
                continue
            app_id = refusal.app_id
            if app_id not in told_apart:
                app_id = app_id if len(told_apart) < MOST_APPS else 0
                told_apart.add(app_id)
            file.execute(_REFUSED, (app_id, *refusal[1:]))
        return found


def _use(file: sqlite3.Connection, use: Use) -> Refusal | None:
    """Take all of it, or nothing and say so."""
    taken = (use.app_id, use.rule, utc_day(use.at_ms), use.amount)
    (used,) = file.execute(_USE, taken).fetchone()
    if use.figure is None or used <= use.figure:
        return None
    file.execute(_GIVE_BACK, taken)
    return Refusal(use.app_id, use.rule, use.edition, use.at_ms)


def read(directory: Path) -> Standing | None:
    """What every process has written; None: nothing was ever counted here.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    path = directory / FILE
    if not path.exists():
        return None
    with closing(_open(path)) as file:
        file.execute("BEGIN")
        counted = file.execute("SELECT source, since_ms FROM counted").fetchone()
        rows = file.execute("SELECT * FROM refused ORDER BY count DESC, app_id, rule")
        refused = tuple(Refused(*row) for row in rows)
        return counted and Standing(counted[0], counted[1], refused)


def _open(path: Path) -> sqlite3.Connection:
    """Opened each time: no connection outlives a fork, and it is once a second."""
    file = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    # It may be lost with the power; it must not make anyone wait for a disk.
    file.execute("PRAGMA synchronous = OFF")
    return file
