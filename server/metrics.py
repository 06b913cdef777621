"""What is counted of calls, by all processes of the host: totals that never go back.

Nothing is counted by app or user: what is told apart is in the table, so there are no
more numbers than the table has rules and editions. ``scrape`` shows them.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from server.kinds import Calls, Interface
from server.settings import Settings
from server.tally import Shape, Tally

FILE = "metrics"
OUTCOMES = ("ok", "invalid", "denied", "refused", "failed")
"""Done; not to be done as it was asked; by someone who may not; beyond a figure of the
table or the guard's; our fault, or 503."""
OK, INVALID, DENIED, REFUSED, FAILED = range(5)
OTHER = "other"
"""Calls of no interface of the table: tokens, limits, pages, unknown paths."""
NONE = "none"
"""The edition of calls that belong to no app, or whose edition the table lost."""

BOUNDS_NS = tuple(
    round(ms * 1_000_000)
    for ms in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
)
"""The upper bounds of the duration buckets; one more has no bound."""

_SHAPE = Shape(per_column=8)


def name(kind: str, *labels: str) -> str:
    """What a number is called in the file."""
    return "|".join((kind, *labels))


GUARD = name("guard refusals")
LOG_LOST = name("log lines lost")
DOWNLOADS = name("downloads")
COUNTERS_LOST = name("counters lost")
_GAUGES = (DOWNLOADS, COUNTERS_LOST)


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a call of one operation, for one edition, is counted."""

    outcomes: tuple[int, ...]
    buckets: tuple[int, ...]
    nanoseconds: int
    rates: tuple[int, ...]
    """The rates of the table that count it when it is admitted."""


class _Counts:
    """The numbers of this process."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.at = tally.places
        self.cells: memoryview[int] = memoryview(tally.pages).cast("q")
        for gauge in _GAUGES:  # of whoever had the slot before
            self.cells[self.at[gauge]] = 0


_lock = threading.Lock()
_counts: _Counts | None = None
_path: Path | None = None
_countable: list[str] = []
_editions: tuple[str, ...] = ()


def connect(
    settings: Settings, interfaces: Sequence[Interface], editions: Iterable[str]
) -> None:
    """Count in the state dir, by the rules as they are now; from the first call on.

    Not before: a command is no process that serves.
    """
    global _counts, _editions, _path, _countable  # one app a process
    if _counts is not None:
        _counts.tally.close()
        _counts = None
    _editions = (*editions, NONE)
    _path, _countable = settings.state_dir / FILE, _names(interfaces)


def ready() -> None:
    """Take part now: a process that serves is one before it is called."""
    _known()


def _names(interfaces: Sequence[Interface]) -> list[str]:
    """Everything that can be counted, in an order that the table gives."""
    words = [each.name for each in interfaces] + [OTHER]
    rules = [(rule.name, rule) for each in interfaces for rule in each.rules]
    names = [GUARD, LOG_LOST, *_GAUGES]
    for word in words:
        names += [name("calls", word, *pair) for pair in product(_editions, OUTCOMES)]
        names += [name("bucket", word, str(n)) for n in range(len(BOUNDS_NS) + 1)]
        names.append(name("ns", word))
    for (rule, kind), edition in product(rules, _editions):
        names += [name("refused", rule, edition), name("shadow", rule, edition)]
        if isinstance(kind, Calls):
            names.append(name("admitted", rule, edition))
    return names


def marks(interface: str | None, edition: str | None, rates: Iterable[str]) -> Marks:
    """Where to count calls of *interface*, which these rates bind."""
    at = _known().at
    word = interface or OTHER
    group = edition if edition in _editions else NONE
    counted = [name("admitted", each, group or NONE) for each in rates]
    return Marks(
        tuple(at[name("calls", word, group or NONE, each)] for each in OUTCOMES),
        tuple(at[name("bucket", word, str(n))] for n in range(len(BOUNDS_NS) + 1)),
        at[name("ns", word)],
        tuple(at[each] for each in counted if each in at),
    )


def answered(marks: Marks, outcome: int, took_ns: int, *, admitted: bool) -> None:
    """Count a call whose answer is ready."""
    cells = _known().cells
    bucket = marks.buckets[bisect_left(BOUNDS_NS, took_ns)]
    with _lock:
        cells[marks.outcomes[outcome]] += 1
        cells[bucket] += 1
        cells[marks.nanoseconds] += took_ns
        if admitted:
            for rate in marks.rates:
                cells[rate] += 1


def refused(rule: str, edition: str | None) -> None:
    """Count a call that a figure of the table refused."""
    _add(name("refused", rule, edition if edition in _editions else NONE), 1)


def shadow_refused(rule: str, edition: str | None) -> None:
    """Count a call that a proposed table would have refused by this rule.

    A rule that the enforced table does not have is counted nowhere: what is counted is
    bounded by the rules at start.
    """
    _add(name("shadow", rule, edition if edition in _editions else NONE), 1)


def guard_refused() -> None:
    """Count a call without a valid token that the guard refused."""
    _add(GUARD, 1)


def log_line_lost() -> None:
    """Count a line of the access log that could not be written."""
    _add(LOG_LOST, 1)


def downloading(change: int) -> None:
    """A download begins (1) or ends (-1)."""
    _add(DOWNLOADS, change)


def counters_lost(lost: bool) -> None:
    """Say whether this process has the counters out of reach."""
    counts = _known()
    counts.cells[counts.at[COUNTERS_LOST]] = int(lost)


def _add(what: str, amount: int) -> None:
    counts = _known()
    place = counts.at.get(what)
    if place is not None:
        with _lock:
            counts.cells[place] += amount


def _known() -> _Counts:
    return _counts if _counts is not None else _opened()


def _opened() -> _Counts:
    global _counts
    if _path is None:
        message = "metrics.connect has not run"
        raise RuntimeError(message)
    with _lock:
        if _counts is None:
            _counts = _Counts(Tally(_path, _countable, _SHAPE))
        return _counts


def editions() -> tuple[str, ...]:
    """The editions that are told apart, and :data:`NONE`."""
    return _editions


def totals() -> dict[str, int]:
    """Every number, over all processes that ever counted."""
    return _sums(_known().tally.every())


def present() -> tuple[int, dict[str, int]]:
    """How many processes run, and the numbers that are theirs alone."""
    slots = _known().tally.living()
    sums = _sums(slots)
    return len(slots), {gauge: sums[gauge] for gauge in _GAUGES}


def _sums(slots: list[memoryview]) -> dict[str, int]:
    cells = [slot.cast("q") for slot in slots]
    return {what: sum(c[n] for c in cells) for what, n in _known().at.items()}
