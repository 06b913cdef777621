"""What goes on now, on this host: calls of each second, and who was refused lately.

For whoever looks at the server while it runs. Two files of the state dir, with a slot
for each process (see ``tally``): the last 15 minutes of calls by interface, and a few
refusals of each app.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from pathlib import Path

from server.clock import now_ms, now_ns
from server.kinds import Interface
from server.refusal_ring import Ring, Seen, apps, latest
from server.settings import Settings
from server.tally import Shape, Tally

__all__ = ["OTHER", "SECONDS", "Seen", "Series", "calls_per_second", "recent_refusals"]

SECONDS = 900
"""How far back it is known what went on."""
OTHER = "other"
"""Calls of no interface of the table."""

# For each second its time and two numbers a column, 4 bytes each. Of the time the low
# 32 bits: they come again after 136 years, and a clock that is far ahead has more.
_SHAPE = Shape(per_column=SECONDS * 2 * 4, beside=SECONDS * 4)
_LOW_BITS = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Series:
    """Calls of one interface, a number for each second, the oldest first."""

    admitted: list[int]
    refused: list[int]
    """By a figure of the table, or by the guard."""


class _Seconds:
    """This process's slot: when each row was begun, then the rows."""

    def __init__(self, tally: Tally, words: Sequence[str]) -> None:
        self.tally, self.words = tally, words
        self.width = 2 * tally.columns
        self.cells: memoryview[int] = memoryview(tally.pages).cast("I")
        self.nothing = memoryview(bytes(4 * self.width)).cast("I")


_lock = threading.Lock()
_seconds: _Seconds | None = None
_ring: Ring | None = None
_state_dir: Path | None = None
_words: list[str] = []


def connect(settings: Settings, interfaces: Sequence[Interface]) -> None:
    """Keep what goes on in the state dir, from the first call on."""
    global _seconds, _ring, _state_dir, _words  # one app a process
    if _seconds is not None:
        _seconds.tally.close()
        _seconds = None
    if _ring is not None:
        _ring.close()
        _ring = None
    _state_dir = settings.state_dir
    _words = [*(each.name for each in interfaces), OTHER]


def _known() -> tuple[_Seconds, Ring]:
    if _seconds is None or _ring is None:
        return _opened()
    return _seconds, _ring


def _opened() -> tuple[_Seconds, Ring]:
    global _seconds, _ring
    if _state_dir is None:
        message = "activity.connect has not run"
        raise RuntimeError(message)
    with _lock:
        if _seconds is None or _ring is None:
            tally = Tally(_state_dir / "activity", _words, _SHAPE)
            _seconds = _Seconds(tally, _words)
            _ring = Ring(_state_dir / "refusals")
        return _seconds, _ring


def column(interface: str | None) -> int:
    """Where calls of *interface* are counted; of none: :data:`OTHER`."""
    return _known()[0].tally.places[interface or OTHER]


def answered(column: int, *, refused: bool) -> None:
    """Count a call whose answer is ready."""
    seconds, _ = _known()
    second = now_ns() // 1_000_000_000
    row = second % SECONDS
    begun = second & _LOW_BITS
    begin = SECONDS + row * seconds.width
    cells = seconds.cells
    with _lock:
        if cells[row] != begun:
            cells[begin : begin + seconds.width] = seconds.nothing
            cells[row] = begun
        cells[begin + 2 * column + refused] += 1


def calls_per_second(last_seconds: int = SECONDS) -> dict[str, Series]:
    """Each interface's calls in the seconds before this one, over all processes.

    The second that is under way is left out: it would look like a fall. At most
    :data:`SECONDS`; in the table's order, then :data:`OTHER`.
    """
    seconds, _ = _known()
    now = now_ms() // 1000
    wanted = range(now - min(last_seconds, SECONDS - 1), now)
    rows = [[0] * seconds.width for _ in wanted]
    for slot in seconds.tally.every():
        _add_rows(rows, slot.cast("I"), wanted, seconds.width)
    columns = list(zip(*rows, strict=True)) or [()] * seconds.width
    return {
        word: Series(list(columns[at]), list(columns[at + 1]))
        for word in seconds.words
        for at in (2 * seconds.tally.places[word],)
    }


def _add_rows(
    rows: list[list[int]], slot: memoryview, wanted: range, width: int
) -> None:
    begun = slot[:SECONDS].tolist()
    for n, second in enumerate(wanted):
        row = second % SECONDS
        if begun[row] == second & _LOW_BITS:
            begin = SECONDS + row * width
            rows[n] = list(map(add, rows[n], slot[begin : begin + width].tolist()))


def refused(app_uuid: str, seen: Seen) -> None:
    """Remember that a figure of the table refused a call of this app."""
    _known()[1].add(app_uuid, seen)


def recent_refusals(app_uuid: str) -> list[Seen]:
    """What refused the app's callers lately, the latest first; not all of it.

    Some tens for each app and process; where very many apps are refused at once, apps
    push out one another's.
    """
    return latest(_known()[1], app_uuid)


def apps_refused() -> set[str]:
    """The uuids of apps that callers were refused in, as far as it is remembered."""
    return apps(_known()[1])
