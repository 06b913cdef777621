"""The rings as the `limits` library sees them: a storage and a strategy.

`rings:///an/absolute/directory` is shared by the processes of a host, `rings://`
is the memory of one process. The strategy "exact-window" names a counter by rule
and caller alone, where `limits` adds the figures and so forgives at each edit.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from limits import RateLimitItem
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import STRATEGIES, RateLimiter
from limits.util import WindowStats

from server.limiting.rings import CountersFull, Rings, Taken, Want

__all__ = ["CountersFull", "ExactWindow", "RingStorage", "Rings", "Taken", "Want"]

SECOND_NS = 1_000_000_000


class RingStorage(Storage, MovingWindowSupport):
    """Keeps moving windows; a bare count (fixed windows) it does not keep.

    Raises:
        ValueError: the URI names no absolute directory of this host.
        OSError: the directory cannot be used.
    """

    STORAGE_SCHEME = ["rings"]  # noqa: RUF012  (the library's declaration)

    def __init__(
        self, uri: str, wrap_exceptions: bool = False, **options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        parts = urlsplit(uri)
        if parts.netloc or parts.query or parts.fragment:
            message = f"{uri}: expected rings:///an/absolute/directory or rings://"
            raise ValueError(message)
        self.rings = Rings(Path(unquote(parts.path)) if parts.path else None)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the library may wrap as a failure of the storage."""
        return OSError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count *amount* calls if all fit into *limit* per *expiry* seconds."""
        return self.rings.take([_want(key, limit, expiry)], amount)[0]

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the window began (seconds since 1970) and how many it counts.

        It begins with its oldest counted call, or now.
        """
        (state,) = self.rings.peek([_want(key, limit, expiry)])
        counted = limit - state.remaining
        age = expiry - state.reset_ns / SECOND_NS if counted else 0.0
        return time.time() - age, counted

    def clear(self, key: str) -> None:
        """Forget what was counted for *key*."""
        self.rings.clear(key)

    def reset(self) -> int:
        """Forget everything; returns how many keys were known."""
        return self.rings.reset()

    def check(self) -> bool:
        """Whether the counters can be read."""
        try:
            self.rings.peek([Want("", 1, SECOND_NS)])
        except OSError:
            return False
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Refused: a fixed window lets twice its figure pass at its edge."""
        raise NotImplementedError(_NO_COUNT)

    def get(self, key: str) -> int:
        """Refused, as `incr`."""
        raise NotImplementedError(_NO_COUNT)

    def get_expiry(self, key: str) -> float:
        """Refused, as `incr`: a key has no expiry of its own, its figures have."""
        raise NotImplementedError(_NO_COUNT)


class ExactWindow(RateLimiter):
    """Exact sliding windows whose counters outlive an edit of their figures.

    The identifiers have to name the rule: two limits with the same namespace and
    identifiers would draw on one counter.
    """

    storage: RingStorage

    def __init__(self, storage: Storage) -> None:
        if not isinstance(storage, RingStorage):
            message = (
                f"exact-window counts in rings://, not in {type(storage).__name__}"
            )
            raise NotImplementedError(message)
        super().__init__(storage)
        self.take = storage.rings.take
        self.peek = storage.rings.peek

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Count *cost* calls if all are admitted."""
        return self.take((_want_of(item, identifiers),), cost)[0]

    def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Whether `hit` would admit; counts nothing."""
        return self.peek((_want_of(item, identifiers),))[0].remaining >= cost

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """When the oldest counted call leaves (since 1970), and what is left."""
        (state,) = self.peek((_want_of(item, identifiers),))
        return WindowStats(time.time() + state.reset_ns / SECOND_NS, state.remaining)

    def clear(self, item: RateLimitItem, *identifiers: str) -> None:
        """Forget what was counted."""
        self.storage.clear(_key(item, identifiers))


STRATEGIES["exact-window"] = ExactWindow  # type: ignore[assignment]  # typed as its own

_NO_COUNT = "rings keep windows, not counts: use the strategy exact-window"


def _key(item: RateLimitItem, identifiers: Sequence[str]) -> str:
    return "/".join((item.namespace, *map(str, identifiers)))


def _want_of(item: RateLimitItem, identifiers: Sequence[str]) -> Want:
    return _want(_key(item, identifiers), item.amount, item.get_expiry())


def _want(key: str, amount: int, seconds: int) -> Want:
    return Want(key, amount, seconds * SECOND_NS)
