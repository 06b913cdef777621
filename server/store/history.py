"""History: a file of each hour's messages, made when it is first asked for.

The head of a file says which messages are in it. Where the hour has others by now (sent
with a ``msg_timestamp`` of that hour, or recalled), it is made anew. One thing in one
place, so that a file and what is said of it cannot part, whoever else makes it.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import cast

from server.caller import App
from server.settings import Settings
from server.store import database, file_storage, files, history_records
from server.store.database import Statement
from server.store.host_lock import HostLock

FOLDER = "history"
_HOUR = re.compile(r"[0-9]{10}")
_ENDS = re.compile(r"[0-9]+-([0-9]+)\.gz")
_BATCH = 1_000
# Half the time of the default, for files a few percent larger.
_LEVEL = 4
_LOCKS = 64
_TRIES = 2
_NAME_AT = 10
"""Where the name begins in the head of a gzip file; a zero byte ends it."""

_time_zone: tzinfo
_locks: Path

# Ids are given once: other messages have another sum, or are not as many.
_WHICH = Statement(
    """
    SELECT count(*), max(id), sum(id & 4294967295) FROM message
    WHERE app_id = ? AND timestamp >= ? AND timestamp < ?
    """
)
_NEXT = Statement(
    """
    SELECT timestamp, id, chat_type, sender, target, body, ext FROM message
    WHERE app_id = ? AND (timestamp, id) > (?, ?) AND timestamp < ? AND id <= ?
    ORDER BY timestamp, id LIMIT ?
    """
)


@dataclass(frozen=True, slots=True)
class Hour:
    """From when and before when, Unix ms."""

    begins: int
    ends: int


def connect(settings: Settings) -> None:
    """Read hours in the zone of the settings."""
    global _time_zone, _locks  # one app a process
    _time_zone = settings.time_zone
    _locks = settings.state_dir / "history-locks"


def hour(text: str) -> Hour | None:
    """The hour that ``YYYYMMDDHH`` names; None if it names none.

    It ends where the next one begins: when clocks are put back, the repeated hour
    belongs to it; one that is left out when they are put forward is no hour.
    """
    if not _HOUR.fullmatch(text):
        return None
    try:
        local = datetime(
            int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[8:]), tzinfo=None
        )
    except ValueError:
        return None
    begins = _unix_ms(local)
    try:
        ends = _unix_ms(local + timedelta(hours=1))
    except OverflowError:  # the last hour there is
        ends = begins + 3_600_000
    return Hour(begins, ends) if begins < ends else None


def _unix_ms(local: datetime) -> int:
    return int(local.replace(tzinfo=_time_zone).timestamp() * 1000)


def key_of(app: App, of: Hour) -> str:
    """Where the file of an hour is: by its moments, which no change of zone moves."""
    return f"{FOLDER}/{app.uuid}/{of.begins}-{of.ends}.gz"


@dataclass(frozen=True, slots=True)
class _Which:
    """Which messages an hour has."""

    count: int
    newest: int
    sum: int

    @property
    def name(self) -> str:
        return f"{self.count}-{self.newest}-{self.sum}"


def _which(app: App, of: Hour) -> _Which | None:
    count, newest, total = _WHICH.one(app.id, of.begins, of.ends)
    return _Which(count, newest, int(total)) if count else None


def make(app: App, of: Hour) -> bool:
    """See that the hour's file is there and whole; False: it had no messages.

    One thread of all hosts makes it, others wait and find it made.
    """
    which, key = _which(app, of), key_of(app, of)
    if which is None:
        return False
    if _holds(key, which):
        return True
    with _lock(key):
        # Another host may have lost its lock, so that an older file stays; and not
        # without end, for messages may come all the time.
        for _ in range(_TRIES):
            which = _which(app, of)
            if which is None or _holds(key, which):
                break
            _write(app, of, which, key)
    return which is not None


@contextmanager
def _lock(key: str) -> Iterator[None]:
    """One thread of the host, then one host of those that share the database."""
    number = zlib.crc32(key.encode()) % _LOCKS
    with HostLock(_locks / str(number)), database.alone(number):
        yield


def _holds(key: str, which: _Which) -> bool:
    """Whether there is a file of *key* with these messages."""
    stored = file_storage.open_stored(key)
    if stored is None:
        return False
    wanted = which.name.encode() + b"\0"
    with stored:
        return stored.read(_NAME_AT + len(wanted))[_NAME_AT:] == wanted


def _write(app: App, of: Hour, which: _Which, key: str) -> None:
    with file_storage.incoming() as content:
        # A time in the head would make equal files differ.
        with gzip.GzipFile(which.name, "wb", _LEVEL, content.file, mtime=0) as packed:
            for lines in _lines(app, of, which.newest):
                packed.write(lines)
        content.keep(key)


def _lines(app: App, of: Hour, newest: int) -> Iterator[bytes]:
    """The hour's messages in order, some at a time; each batch is read by itself."""

    def size_of(uuid: str) -> int | None:
        return files.size_of(app.id, uuid)

    path = f"/{app.org}/{app.name}"
    timestamp, id_ = of.begins, -1
    while True:
        rows = _NEXT.all(app.id, timestamp, id_, of.ends, newest, _BATCH)
        yield b"".join(history_records.line(row, path, size_of) for row in rows)
        if len(rows) < _BATCH:
            return
        timestamp, id_ = cast(tuple[int, int], rows[-1][:2])


def remove_older(than_ms: int) -> int:
    """Remove the files of hours that ended before *than_ms*; how many."""
    removed = 0
    for app in file_storage.entries(FOLDER):
        stay = False
        for entry in file_storage.entries(app.key):
            ended = _ENDS.fullmatch(entry.key.rpartition("/")[2])
            if ended is not None and int(ended[1]) < than_ms:
                file_storage.remove(entry.key)
                removed += 1
            else:
                stay = True
        if not stay and not file_storage.entries(app.key):
            file_storage.remove_folder(app.key)
    return removed
