"""Files found against files wanted: stale, missing, left over."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import PurePosixPath

from codegen.emit import HEADER


@dataclass(frozen=True)
class Difference:
    """A file that is not as the table wants it.

    *wanted* None: it is left over; *found* None: it is missing; else it is stale.
    """

    path: PurePosixPath
    wanted: str | None
    found: bytes | None

    @property
    def state(self) -> str:
        if self.wanted is None:
            return "left over"
        return "missing" if self.found is None else "stale"

    @property
    def foreign(self) -> bool:
        """Left over, and not written by the compiler, which will not remove it."""
        header = HEADER.encode()
        return self.wanted is None and not (self.found or b"").startswith(header)

    def diff(self) -> str:
        """What would change, as a unified diff."""
        old = (self.found or b"").decode("utf-8", "replace")
        return "".join(
            line if line.endswith("\n") else line + "\n"
            for line in unified_diff(
                old.splitlines(keepends=True),
                (self.wanted or "").splitlines(keepends=True),
                f"a/{self.path}" if self.found is not None else "/dev/null",
                f"b/{self.path}" if self.wanted is not None else "/dev/null",
            )
        )


def compare(
    wanted: Mapping[PurePosixPath, str], found: Mapping[PurePosixPath, bytes]
) -> list[Difference]:
    """Every file that differs, by path."""
    return [
        Difference(path, wanted.get(path), found.get(path))
        for path in sorted({*wanted, *found})
        if path not in wanted or found.get(path) != wanted[path].encode()
    ]
