"""What holds of the compiler for any text at all: asserted of a document given to it."""

import ast
import unicodedata

from codegen import document, emit, interpret, output, table
from codegen.document import Document, Unreadable
from codegen.problems import BadTable, Problem
from codegen.spec import Spec
from codegen.table import Row
from tests.codegen import running

# Pieces that text is made of where the compiler has to look closely.
SHARDS = [
    "|", "\n", "---", ";", "(", ")", "10", "0", "1,000", " ", "single app call", "limit",
    "times/second", "length", "characters", "each time", "size", "k bytes", "kept",
    "single user can have", "in the", "community", "edition", "Interface", "`", "\\",
    '"', "'", '"""', "\u202e", "\x00", "\t", "*", "_", "[x](y)", "<br>", "&nbsp;",
    "&#49;", "<table>", "> ", "- ", "é", "表", "٣", "½", "{", "}", "%s", "\r", "\u2028",
]  # fmt: skip


def holds_of_bytes(content: bytes) -> None:
    """The same of a file's bytes, which may be no text."""
    try:
        read = document.of_bytes(content, "limits.md")
    except Unreadable as error:
        unreadable = error
    else:
        holds(read)
        return
    assert 1 <= unreadable.line <= content.count(b"\n") + 1
    assert unreadable.column >= 1


def holds(read: Document) -> Spec | None:
    """Compile; see that it ends well or with located problems, and nothing is lost."""
    problems: tuple[Problem, ...] = ()
    spec = None
    try:
        spec, problems = interpret.read(read)
    except BadTable as error:
        problems = error.problems
    assert spec or any(not problem.warning for problem in problems)
    for problem in problems:
        located(problem, read)
    if spec:
        no_figure_is_dropped(read, spec, problems)
        runs_as_stated(spec)
    return spec


def located(problem: Problem, read: Document) -> None:
    """It points into the document, and can be shown in any terminal."""
    assert 1 <= problem.span.line <= len(read.lines)
    assert 1 <= problem.span.column <= len(read.line(problem.span.line)) + 1
    assert str(problem).replace("\n", "").isprintable()
    assert output.github(problem).isprintable()


def runs_as_stated(spec: Spec) -> None:
    """The generated code parses, is printable, and comes to what the spec says."""
    files = emit.package(spec)
    for content in files.values():
        ast.parse(content)
        assert content.replace("\n", "").isprintable()
    assert running.package(files) == running.expected(spec)


def no_figure_is_dropped(
    read: Document, spec: Spec, problems: tuple[Problem, ...]
) -> None:
    """Each figure in a row of limits is of a phrase that a rule states, or was told."""
    claimed: dict[int, set[int]] = {}
    for _, rule in spec.rules():
        for stated in running.stated(rule):
            columns = range(stated.column, stated.column + stated.length)
            claimed.setdefault(stated.line, set()).update(columns)
    told = {problem.span.line for problem in problems}
    for found in table.read(read).tables:
        titles = [cell.words().lower() for cell in found.header.cells]
        if "interface" not in titles or not any(map(_states, titles)):
            continue
        for row in found.rows:
            lost = _figures(row, titles.index("interface")) - claimed.get(
                row.line, set()
            )
            assert not lost or row.line in told, (read.line(row.line), lost)


def _states(heading: str) -> bool:
    return heading.endswith("edition") or heading == "further limits"


def _figures(row: Row, interface: int) -> set[int]:
    """The columns of the figures that a reader sees in a row, but for its title's."""
    return {
        place
        for index, cell in enumerate(row.cells)
        if index != interface
        for character, place in zip(cell.plain, cell.starts, strict=True)
        if unicodedata.category(character)[0] == "N"
    }
