"""What a look costs is paid once in a while, however many look."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_all: "list[Kept[Any]]" = []


class Kept(Generic[Value]):
    """A value that is made again when it is older than some seconds and asked for."""

    def __init__(self, seconds: float, make: Callable[[], Value]) -> None:
        self._seconds, self._make = seconds, make
        self._lock = Lock()
        self._made: tuple[float, Value] | None = None
        _all.append(self)

    def __call__(self) -> Value:
        with self._lock:
            now = time.monotonic()
            if self._made is None or now - self._made[0] >= self._seconds:
                self._made = (now, self._make())
            return self._made[1]

    def forget(self) -> None:
        self._made = None


def forget() -> None:
    """Keep nothing: another installation is shown."""
    for each in _all:
        each.forget()
