"""Which workers there are, in memory that they and their master share.

A worker's age is its number: the master counts up, through reloads too. Each worker
writes its own place only, the master those of workers that have not begun or are gone,
so there is nothing to lock.
"""

import mmap
from collections.abc import Iterator
from typing import Any

_STARTING = -1
# Generations that may be there at once: a reload may come before the last is through.
_GENERATIONS = 64
_KEPT_AS = "weir_roster"


class Roster:
    """Connections held, plus one, of each worker that serves."""

    def __init__(self, workers: int) -> None:
        self._size = _GENERATIONS * workers
        self._held = memoryview(mmap.mmap(-1, self._size * 8)).cast("q")

    def begin(self, age: int) -> None:
        """The worker is being started."""
        self._held[age % self._size] = _STARTING

    def publish(self, age: int, connections: int) -> None:
        """The worker serves, and holds so many."""
        self._held[age % self._size] = connections + 1

    def end(self, age: int) -> None:
        """The worker takes no more connections, or is gone."""
        self._held[age % self._size] = 0

    def serving(self) -> Iterator[int]:
        """Connections held, plus one, by every worker that serves."""
        return (held for held in self._held if held > 0)

    def replaced(self, age: int, workers: int) -> bool:
        """Whether a worker that is to stop may: so many younger ones serve, or none of
        them is still on its way."""
        younger = [
            self._held[(age + n) % self._size] for n in range(1, self._size // 2)
        ]
        return _STARTING not in younger or sum(e > 0 for e in younger) >= workers


def roster_of(master: Any, workers: int) -> Roster:
    """The one that the master keeps: a reload runs its configuration anew."""
    kept: Roster | None = getattr(master, _KEPT_AS, None)
    if kept is None:
        kept = Roster(workers)
        setattr(master, _KEPT_AS, kept)
    return kept
