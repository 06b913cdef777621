"""What time it is, for everyone; the one place a test can move."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def utc_day(at_ms: int) -> str:
    """The UTC day of a moment, as ``2023-11-15``."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
