"""History: a file of each hour's messages, made when it is first asked for.

A file holds every message of its hour up to an id, and beside it stands which. Ids grow
in the order of commits, so a larger one among the hour's messages says that some came
after the file was made (with a ``msg_timestamp`` of that hour): then it is made anew.
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
_ENDS = re.compile(r"[0-9]+-([0-9]+)\.(?:gz|upto)")
_BATCH = 1_000
# Half the time of the default, for files a few percent larger.
_LEVEL = 4
_LOCKS = 64

_time_zone: tzinfo
_locks: Path

_NEWEST = Statement(
    "SELECT max(id) FROM message WHERE app_id = ? AND timestamp >= ? AND timestamp < ?"
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


def make(app: App, of: Hour) -> bool:
    """See that the hour's file is there and whole; False: it had no messages.

    One thread of all hosts makes it, others wait and find it made.
    """
    (newest,) = _NEWEST.one(app.id, of.begins, of.ends)
    if newest is None:
        return False
    key = key_of(app, of)
    if _holds(key, newest):
        return True
    with _lock(key):
        if not _holds(key, newest):
            _write(app, of, newest, key)
    return True


@contextmanager
def changing(app: App, timestamp: int) -> Iterator[None]:
    """Around taking a message of this moment out of the history.

    A file of its hour that was made before is to be made again, and nobody makes one
    meanwhile. The note goes first: a process killed here leaves a file that is made
    anew for nothing, never one that still holds the message.
    """
    key = key_of(app, _hour_of(timestamp))
    with _lock(key):
        file_storage.remove(_beside(key))
        yield


def _hour_of(timestamp: int) -> Hour:
    at = datetime.fromtimestamp(timestamp / 1000, _time_zone)
    local = at.replace(minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    return Hour(_unix_ms(local), _unix_ms(local + timedelta(hours=1)))


@contextmanager
def _lock(key: str) -> Iterator[None]:
    """One thread of the host, then one host of those that share the database."""
    number = zlib.crc32(key.encode()) % _LOCKS
    with HostLock(_locks / str(number)), database.alone(number):
        yield


def _beside(key: str) -> str:
    return key.removesuffix(".gz") + ".upto"


def _holds(key: str, newest: int) -> bool:
    """Whether there is a file of *key* with all messages up to *newest*."""
    noted = file_storage.open_stored(_beside(key))
    if noted is None:
        return False
    with noted:
        return int(noted.read()) >= newest


def _write(app: App, of: Hour, newest: int, key: str) -> None:
    """The file first, then what it holds: a crash between has it made again."""
    with file_storage.incoming() as content, file_storage.incoming() as note:
        # A name or a time in the head would make equal files differ.
        with gzip.GzipFile("", "wb", _LEVEL, content.file, mtime=0) as packed:
            for lines in _lines(app, of, newest):
                packed.write(lines)
        content.keep(key)
        database.answers()  # or the lock is lost, and the file may be old by now
        note.file.write(str(newest).encode())
        note.keep(_beside(key))


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
        for entry in file_storage.entries(app.key):
            ended = _ENDS.fullmatch(entry.key.rpartition("/")[2])
            if ended is not None and int(ended[1]) < than_ms:
                file_storage.remove(entry.key)
                removed += entry.key.endswith(".gz")
        if not file_storage.entries(app.key):
            file_storage.remove_folder(app.key)
    return removed
