"""A table file to all that is known of it: spec, uses, problems, wanted files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codegen import document, emit, enforcement, interpret, uses
from codegen.document import Document, Unreadable
from codegen.problems import BadTable, Problem, Span, in_order
from codegen.spec import Spec
from codegen.tree import Tree
from codegen.uses import Uses


@dataclass(frozen=True)
class Compiled:
    """*spec* is None when the table cannot be read; then *problems* say why."""

    problems: tuple[Problem, ...]
    spec: Spec | None = None
    uses: Uses | None = None

    @property
    def errors(self) -> int:
        return sum(not problem.warning for problem in self.problems)

    def files(self) -> Mapping[PurePosixPath, str]:
        """The files of server/rules/ that the table wants."""
        return emit.package(self.spec) if self.spec else {}


def compile_file(path: Path, shown: str, tree: Tree) -> Compiled:
    """Compile the table at *path*, which complaints call *shown*.

    Raises:
        OSError: the file, or a handler, cannot be read.
    """
    return compile_bytes(path.read_bytes(), path.name, shown, tree)


def compile_bytes(content: bytes, name: str, shown: str, tree: Tree) -> Compiled:
    """Compile a table's bytes against the handlers of *tree*."""
    try:
        read = document.of_bytes(content, name, shown)
    except Unreadable as error:
        span = Span(error.line, error.column)
        problem = Problem(shown, span, error.heading, error.quoted, (error.hint,))
        return Compiled((problem,))
    return _compile(read, tree)


def _compile(read: Document, tree: Tree) -> Compiled:
    try:
        spec, warnings = interpret.read(read)
    except BadTable as error:
        return Compiled(error.problems)
    found = uses.read(tree.handlers())
    problems = [*warnings, *enforcement.complaints(spec, found, read)]
    return Compiled(in_order(problems), spec, found)
