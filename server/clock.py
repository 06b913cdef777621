"""What time it is, for everyone; the one place a test can move."""

import time


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def now_ns() -> int:
    """Unix nanoseconds."""
    return time.time_ns()


DAY_MS = 86_400_000


def utc_day(at_ms: int) -> int:
    """The UTC day of a moment, counted from 1970-01-01."""
    return at_ms // DAY_MS
