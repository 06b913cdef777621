"""A number that all processes of a host see change: what was read before is old.

Reading a row of the database at every call to see that it is still the same costs more
than the rest of authentication. So whoever changes such rows says so: the number is
odd while a change is under way and another even one after it.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Generation:
    """The number, in a file of eight bytes that every process maps."""

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(file).st_size < 8:
                os.posix_fallocate(file, 0, 8)  # a full disk says so now, not later
            self._word = memoryview(mmap.mmap(file, 8)).cast("q")
        finally:
            os.close(file)

    def read(self) -> int:
        """The number now; odd: do not keep what you read."""
        number: int = self._word[0]
        return number

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Around a transaction, its commit included; callers hold the write lock.

        Odd first: who reads the old rows after that keeps nothing, and who kept them
        before finds another number. A process killed in between leaves it odd, so
        nothing is kept until the next change ends: slower, never wrong.
        """
        number = self._word[0]
        self._word[0] = number + 1 if number % 2 == 0 else number + 2
        try:
            yield
        finally:
            self._word[0] += 1
