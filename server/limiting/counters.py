"""Our windows as the `limits` library sees them: storages and a strategy.

`rings:///an/absolute/directory` is shared by the processes of a host, `rings://`
is the memory of one process; `exact+redis://...` and its like are shared by hosts
(`redis://` itself is the library's own). The strategy "exact-window" names a counter
by rule and caller alone, where `limits` adds the figures and so forgives at each edit.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from limits import RateLimitItem
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import STRATEGIES, RateLimiter
from limits.util import WindowStats

from server import redis_urls
from server.limiting.rings import CountersFull, Rings, Taken, Want

__all__ = ["CountersFull", "ExactWindow", "RedisWindowStorage", "RingStorage"]
__all__ += ["Rings", "Taken", "Want", "connect"]

if TYPE_CHECKING:
    from server.limiting.redis_windows import RedisWindows

SECOND_NS = 1_000_000_000


def connect(address: redis_urls.Address) -> "RedisWindows":
    """The counters of several hosts; nobody is asked yet."""
    # Imported here, the one place that does: the client library it stands on is 5 MB
    # and 0.1 s in every worker and command of a server that counts on its own.
    from server.limiting.redis_windows import RedisWindows

    return RedisWindows(address)


class WindowStorage(Storage, MovingWindowSupport):
    """Keeps moving windows; a bare count (fixed windows) it does not keep."""

    windows: "Rings | RedisWindows"

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the library may wrap as a failure of the storage."""
        return OSError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count *amount* calls if all fit into *limit* per *expiry* seconds."""
        return self.windows.take([_want(key, limit, expiry)], amount)[0]

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the window began (seconds since 1970) and how many it counts.

        It begins with its oldest counted call, or now.
        """
        (state,) = self.windows.peek([_want(key, limit, expiry)])
        counted = limit - state.remaining
        age = expiry - state.reset_ns / SECOND_NS if counted else 0.0
        return time.time() - age, counted

    def clear(self, key: str) -> None:
        """Forget what was counted for *key*."""
        self.windows.clear(key)

    def reset(self) -> int:
        """Forget everything; returns how many keys were known."""
        return self.windows.reset()

    def check(self) -> bool:
        """Whether the counters can be read."""
        try:
            self.windows.peek([Want("", 1, SECOND_NS)])
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


class RingStorage(WindowStorage):
    """The counters of one host.

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
        self.windows = Rings(Path(unquote(parts.path)) if parts.path else None)


class RedisWindowStorage(WindowStorage):
    """The counters of several hosts.

    Raises:
        ValueError: the URI is none of redis_urls.py after ``exact+``.
    """

    STORAGE_SCHEME = [f"exact+{each}" for each in redis_urls.SCHEMES]  # noqa: RUF012

    def __init__(
        self, uri: str, wrap_exceptions: bool = False, **options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self.windows = connect(redis_urls.read(uri.removeprefix("exact+")))


class ExactWindow(RateLimiter):
    """Exact sliding windows whose counters outlive an edit of their figures.

    The identifiers have to name the rule: two limits with the same namespace and
    identifiers would draw on one counter.
    """

    storage: WindowStorage

    def __init__(self, storage: Storage) -> None:
        if not isinstance(storage, WindowStorage):
            message = (
                "exact-window counts in rings:// or exact+redis://,"
                f" not in {type(storage).__name__}"
            )
            raise NotImplementedError(message)
        super().__init__(storage)
        self.take = storage.windows.take
        self.peek = storage.windows.peek

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

_NO_COUNT = "windows are kept, not counts: use the strategy exact-window"


def _key(item: RateLimitItem, identifiers: Sequence[str]) -> str:
    return "/".join((item.namespace, *map(str, identifiers)))


def _want_of(item: RateLimitItem, identifiers: Sequence[str]) -> Want:
    return _want(_key(item, identifiers), item.amount, item.get_expiry())


def _want(key: str, amount: int, seconds: int) -> Want:
    return Want(key, amount, seconds * SECOND_NS)
