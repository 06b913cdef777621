"""Access logs to attempts, in the order the calls were made.

Files may be rotated, compressed, of several hosts, and named in any order. A line is
written when its call ends and tells when it began, so within a file lines are only
nearly in order: they are held for as long as a call may take, and sorted.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from server.replay.logfile import LogFile
from server.replay.parsing import Attempt, Faults, Whose

__all__ = ["Attempt", "Faults", "Ordered", "Whose", "in_order"]

MOST_HELD = 400_000
"""Lines kept in memory to be sorted, however many come within the window."""
_AT = itemgetter(0)


class Ordered(NamedTuple):
    """How far lines may stand from their place."""

    window_us: int
    most_held: int = MOST_HELD


def in_order(
    paths: Sequence[Path],
    faults: Faults,
    ordered: Ordered,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[list[Attempt]]:
    """The attempts of all files together, sorted, a batch at a time.

    Only what comes further from its place than *ordered* allows is out of order.
    *on_bytes* is told of every piece that is read, in the size it has on disk.
    """
    held: list[Attempt] = []
    sort_at = 1
    with ExitStack() as stack:
        waiting = [LogFile(path, faults) for path in paths]
        for file in waiting:
            stack.callback(file.close)
        while waiting:
            file = min(waiting, key=lambda file: file.latest_us)
            piece = file.read()
            if piece is None:
                waiting.remove(file)
                file.close()
                continue
            held += piece.attempts
            on_bytes(piece.size)
            if len(held) >= sort_at:
                yield _settled(held, min(each.latest_us for each in waiting), ordered)
                sort_at = 2 * len(held) + 1
    held.sort(key=_AT)
    yield held


def _settled(held: list[Attempt], latest_us: int, ordered: Ordered) -> list[Attempt]:
    """Take out of *held* what nothing to come can stand before."""
    held.sort(key=_AT)
    settled = bisect_right(held, latest_us - ordered.window_us, key=_AT)
    settled = max(settled, len(held) - ordered.most_held)
    taken = held[:settled]
    del held[:settled]
    return taken
