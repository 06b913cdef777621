"""Who may try a server that does not answer: one call a second, not every one.

Each call that waited for such a server would hold its thread for as long, and soon all
of them. So the first one to fail tells the others, which do not ask, and about once a
second one of them finds out whether the server is back.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

RETRY_SECONDS = 1.0


class OutOfReach(OSError):
    """The counters do not answer; the message says who, and in which words."""


@dataclass(slots=True)
class _Lost:
    why: str
    again: float
    """When the next call may try."""


class Breaker:
    """What is known of each place that answers calls, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lost: dict[str, _Lost] = {}

    @property
    def open(self) -> bool:
        """Whether any place is lost."""
        return bool(self._lost)

    def enter(self, place: str) -> bool:
        """Whether this call is the one to find out if *place* is back.

        Raises:
            OutOfReach: it does not answer, and it is not this call's turn to try.
        """
        if not self._lost:
            return False
        with self._lock:
            lost = self._lost.get(place)
            if lost is None:
                return False
            now = self._clock()
            if now < lost.again:
                raise OutOfReach(lost.why)
            lost.again = now + RETRY_SECONDS
            return True

    def failed(self, place: str, why: str) -> None:
        """*place* did not answer, or with an error."""
        with self._lock:
            self._lost[place] = _Lost(why, self._clock() + RETRY_SECONDS)

    def answered(self, place: str, places: set[str]) -> None:
        """*place* is back; *places* are all there are, and no other can come back."""
        with self._lock:
            for name in [name for name in self._lost if name not in places]:
                del self._lost[name]
            self._lost.pop(place, None)
