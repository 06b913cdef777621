"""The last refusals of each app: a file of small rings, a slot a process.

An app's refusals go into the ring that its uuid names. Another app may share it, and
they are told apart when read; a loud app pushes out only those it shares with. It costs
something only where a call is refused.
"""

import threading
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import orjson

from server.tally import Shape, Tally

RINGS = 32
PLACES = 16
RECORD = 768
"""Bytes; words that are too long for it are shortened."""
_RING_BYTES = 8 + PLACES * RECORD
"""How many were ever written, then the places."""
_LONGEST = 96
"""Bytes of a shortened word as JSON; all seven and the numbers fit a record."""


class Seen(NamedTuple):
    """One refusal."""

    unix_ns: int
    caller: str
    """``app``, ``user:NAME``, or empty: nobody with a token."""
    operation: str
    """Method and route, names in the place of values."""
    rule: str
    limit: str
    """The table's words, as they were then."""
    doc: str
    """Where they stand: ``limits.md:25``."""
    status: int
    request_id: str


class Ring:
    """This process's rings."""

    def __init__(self, path: Path) -> None:
        self.tally = Tally(path, (), Shape(0, RINGS * _RING_BYTES))
        self._cells: memoryview = memoryview(self.tally.pages)
        self._lock = threading.Lock()

    def close(self) -> None:
        self.tally.close()

    def add(self, app_uuid: str, seen: Seen) -> None:
        """Write it over the oldest of its ring."""
        record = _packed(app_uuid, seen)
        begin = _ring_of(app_uuid) * _RING_BYTES
        with self._lock:
            written = int.from_bytes(self._cells[begin : begin + 8], "little")
            at = begin + 8 + written % PLACES * RECORD
            self._cells[at : at + RECORD] = record.ljust(RECORD, b"\0")
            self._cells[begin : begin + 8] = (written + 1).to_bytes(8, "little")


def latest(ring: Ring, app_uuid: str) -> list[Seen]:
    """What all processes have of this app, the latest first."""
    begin = _ring_of(app_uuid) * _RING_BYTES + 8
    found = []
    for slot in ring.tally.every():
        for at in range(begin, begin + PLACES * RECORD, RECORD):
            seen = _unpacked(app_uuid, bytes(slot[at : at + RECORD]))
            if seen is not None:
                found.append(seen)
    return sorted(found, key=lambda seen: seen.unix_ns, reverse=True)


def apps(ring: Ring) -> set[str]:
    """The uuids of all apps that there is something of."""
    found = set()
    for slot in ring.tally.every():
        for begin in range(0, RINGS * _RING_BYTES, _RING_BYTES):
            for at in range(begin + 8, begin + _RING_BYTES, RECORD):
                record = bytes(slot[at : at + 64])
                if record.startswith(b'["'):
                    found.add(record[2:].partition(b'"')[0].decode("ascii", "ignore"))
    return found


def _ring_of(app_uuid: str) -> int:
    return blake2b(app_uuid.encode(), digest_size=1).digest()[0] % RINGS


def _packed(app_uuid: str, seen: Seen) -> bytes:
    words = (app_uuid, *seen)
    record = orjson.dumps(words)
    if len(record) <= RECORD:
        return record
    return orjson.dumps([_shortened(w) if isinstance(w, str) else w for w in words])


def _shortened(word: str) -> str:
    if len(orjson.dumps(word)) <= _LONGEST:
        return word
    while len(orjson.dumps(word)) > _LONGEST - len("…".encode()):
        word = word[: len(word) * 7 // 8]
    return word + "…"


def _unpacked(app_uuid: str, record: bytes) -> Seen | None:
    """None for an empty place, another app's, or one being written right now."""
    try:
        app, *words = orjson.loads(record.rstrip(b"\0"))
        return Seen(*words) if app == app_uuid else None
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return None
