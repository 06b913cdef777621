"""A clock in a file that processes share: the observer moves it, the server reads it."""

import mmap
from pathlib import Path

SECOND_NS = 1_000_000_000
FILE = "clock"
"""Its name in the state dir of a server that is observed."""


class SharedClock:
    """As the tests' own clock, in two words that each process maps."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._words = memoryview(mmap.mmap(file.fileno(), 16)).cast("q")

    @classmethod
    def begin(cls, path: Path) -> "SharedClock":
        """A new file, and the moment at which every test begins."""
        path.write_bytes(bytes(16))
        clock = cls(path)
        clock.unix_ns = 1_700_000_000 * SECOND_NS
        clock.boot_ns = 1_000_000 * SECOND_NS
        return clock

    @property
    def unix_ns(self) -> int:
        return self._words[0]

    @unix_ns.setter
    def unix_ns(self, moment: int) -> None:
        self._words[0] = moment

    @property
    def boot_ns(self) -> int:
        return self._words[1]

    @boot_ns.setter
    def boot_ns(self, moment: int) -> None:
        self._words[1] = moment

    def time_ns(self) -> int:
        return self.unix_ns

    def monotonic_ns(self) -> int:
        return self.boot_ns

    def forward(self, seconds: float) -> None:
        self.unix_ns += int(seconds * SECOND_NS)
        self.boot_ns += int(seconds * SECOND_NS)

    # Who would sleep lets the clock go on: that is what a wait is to its observer.
    sleep = forward

    def to(self, boot_ns: int) -> None:
        """Forward to this moment of the boot clock."""
        self.unix_ns += boot_ns - self.boot_ns
        self.boot_ns = boot_ns
