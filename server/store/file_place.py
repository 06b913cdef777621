"""What is asked of a place for files, be it a folder on a disk or a bucket."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol


class FilesOutOfReach(OSError):
    """The place does not do what it is asked: gone, full, or not ours to write."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a folder."""

    key: str
    is_folder: bool
    modified_ms: int


class Arriving(Protocol):
    """Bytes on their way in."""

    @property
    def file(self) -> BinaryIO:
        """Where they are written to."""

    def read_back(self) -> BinaryIO:
        """What came, from its beginning; nothing more comes."""

    def keep(self, key: str) -> None:
        """Let *key* name them, all at once; what was there before is replaced."""

    def drop(self) -> None:
        """Leave nothing behind, unless it was kept."""


class Place(Protocol):
    """Keys name bytes here, all of their bytes or none.

    Everything may raise what :attr:`errors` names.
    """

    name: str
    """The place, for people."""
    errors: tuple[type[Exception], ...]
    """What it raises where it is out of reach."""

    def prepare(self) -> None:
        """Make what this host needs for it."""

    def check(self) -> None:
        """See that it is there and can be written."""

    def incoming(self) -> Arriving:
        """Room for bytes of unknown fate."""

    def open(self, key: str) -> BinaryIO:
        """The bytes of *key*, to be read from anywhere in them.

        Raises:
            FileNotFoundError: there are none.
        """

    def remove(self, key: str) -> None:
        """Make *key* name nothing; it may have been nothing before."""

    def remove_folder(self, key: str) -> None:
        """Remove a folder if nothing is in it."""

    def entries(self, folder: str) -> list[Entry]:
        """What is in *folder*, in any order; nothing where there is no such folder."""

    def remove_leftovers(self, before_ms: int) -> int:
        """Remove what came in before this moment and was never kept; how many."""
