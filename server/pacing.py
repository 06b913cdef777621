"""How fast bytes leave, and how many threads may be sending slowly at once."""

import threading
import time
from collections.abc import Callable, Iterator

SECOND_NS = 1_000_000_000
CHUNK = 65_536
SLOTS = "weir.slow"
"""In ``app.extensions``: the threads of the process that may be kept for long."""


def chunks(
    read: Callable[[int], bytes], length: int, bytes_per_second: int | None
) -> Iterator[bytes]:
    """The next *length* bytes that *read* gives; None: as fast as they are taken.

    In no interval of t seconds, wherever it begins, do more than
    ``bytes_per_second * t`` and one second's worth leave. A receiver that was slow for
    a while is not served faster for it afterwards.
    """
    rate = bytes_per_second
    size = CHUNK if rate is None else min(CHUNK, rate)
    began, sent = time.monotonic_ns(), 0
    while sent < length:
        chunk = read(min(size, length - sent))
        if not chunk:
            return  # the file is shorter than its row says: the connection is cut
        if rate is not None:
            # As if begun later: what was not used is not saved up beyond a second.
            began = max(began, time.monotonic_ns() - sent * SECOND_NS // rate)
            _wait_until(began + -(-(sent + len(chunk) - rate) * SECOND_NS // rate))
        sent += len(chunk)
        yield chunk


def _wait_until(moment_ns: int) -> None:
    while (left := moment_ns - time.monotonic_ns()) > 0:
        time.sleep(left / SECOND_NS)


class Slots:
    """The threads of this process that may be kept for long at a time."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)

    def take(self, tell: Callable[[int], None] = lambda _: None) -> "Slot | None":
        """One of them; None when all are taken.

        *tell* is told that it is taken (1) and given back (-1).
        """
        if not self._free.acquire(blocking=False):
            return None
        tell(1)

        def give_back() -> None:
            self._free.release()
            tell(-1)

        return Slot(give_back)


class Slot:
    """A thread that downloads; given back once, however often that is said."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back = give_back
        self._held = threading.Lock()

    def give_back(self) -> None:
        if self._held.acquire(blocking=False):
            self._give_back()


def slots_of(threads: int) -> Slots:
    """Three quarters of a worker's threads, so that a quarter is left for calls."""
    return Slots(max(1, threads * 3 // 4))
