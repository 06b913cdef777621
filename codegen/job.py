"""What is asked of the compiler: a table, a tree, and how to answer."""

from dataclasses import dataclass
from pathlib import Path

from codegen import compiler
from codegen.compiler import Compiled
from codegen.tree import Tree


class Missing(Exception):
    """Something that an argument names is not there."""


@dataclass(frozen=True)
class Job:
    """A table to compile, in a tree; *shown* is the path that complaints print.

    *asked*: the table was named on the command line, so a missing one is wrong usage.
    """

    tree: Tree
    table: Path
    shown: str
    form: str = "text"
    against: str | None = None
    asked: bool = False
    fail_on: str | None = None
    """diff: the effect for callers that makes the command fail."""

    @property
    def command(self) -> str:
        """What to run so that the files are as the table wants them."""
        return "python -m codegen" + (f" --table {self.shown}" if self.asked else "")

    def compile(self) -> Compiled:
        """Raises: Missing, OSError."""
        try:
            return compiler.compile_file(self.table, self.shown, self.tree)
        except FileNotFoundError:
            if self.asked:
                message = f"there is no file {self.shown}"
                raise Missing(message) from None
            raise
