"""The folder that is compiled: where the table, the rules and the handlers are."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codegen import emit, uses


@dataclass(frozen=True)
class Tree:
    """A checkout, or any copy of it."""

    root: Path

    @property
    def table(self) -> Path:
        return self.root / "limits.md"

    def rules(self) -> dict[PurePosixPath, bytes]:
        """The Python files of server/rules/, by their path in the tree."""
        return {
            emit.FOLDER / path.name: path.read_bytes()
            for path in sorted((self.root / emit.FOLDER).glob("*.py"))
            if path.is_file()
        }

    def handlers(self) -> dict[str, bytes]:
        """The files of server/api/, by module name; none in a bare copy."""
        return {
            path.stem: path.read_bytes()
            for path in (self.root / uses.FOLDER).glob("*.py")
            if path.is_file()
        }

    def write(self, files: Mapping[PurePosixPath, str]) -> None:
        """Write files, each as a whole or not at all."""
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, text.encode())

    def remove(self, paths: Iterable[PurePosixPath]) -> None:
        for path in paths:
            (self.root / path).unlink(missing_ok=True)


def _replace(target: Path, content: bytes) -> None:
    """Put *content* at *target*: readers see the old file or the new one."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
