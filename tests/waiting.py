"""Waiting for what a server does in its own time."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 30
"""With a machine that does other things; what is waited for takes a moment."""


def wait_until(
    holds: Callable[[], object],
    seconds: float = PATIENCE_SECONDS,
    told: Callable[[], object] = lambda: None,
) -> None:
    """Ask again and again; *told* says how it stands when the time is over."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, told()
        time.sleep(0.02)
