"""A complaint about the table: where, which words, and what would be understood."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from codegen.display import quote, safe
from codegen.document import Document

ENOUGH = 1000


@dataclass(frozen=True)
class Span:
    """Characters of one line: *line* and *column* count from 1."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class Problem:
    """One complaint, with all that is needed to print it.

    *quoted* is the whole source line, empty when there is nothing to show.
    """

    file: str
    span: Span
    heading: str
    quoted: str = ""
    hints: tuple[str, ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        mark = "warning: " if self.warning else ""
        place = f"{self.file}:{self.span.line}:{self.span.column}"
        lines = [f"{place}: {mark}{self.heading}"]
        if self.quoted.strip():
            lines += quote(self.quoted, self.span.column, self.span.length)
        lines += self.hints
        return "\n    ".join(safe(line) for line in lines)


class BadTable(Exception):
    """The table cannot be compiled; carries every problem and warning found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Misread(Exception):
    """A place that cannot be read, on its way to the complaints."""

    def __init__(self, span: Span, heading: str, *hints: str) -> None:
        super().__init__(heading)
        self.span, self.heading, self.hints = span, heading, hints


@dataclass
class Complaints:
    """What is wrong with one document, gathered while it is read."""

    document: Document
    found: list[Problem] = field(default_factory=list)

    def error(self, span: Span, heading: str, *hints: str) -> None:
        """Note an error.

        Raises:
            BadTable: there are so many that more would help nobody.
        """
        self.found.append(self._about(span, heading, hints, warning=False))
        if len(self.found) >= ENOUGH:
            raise BadTable(self.sorted())

    def warning(self, span: Span, heading: str, *hints: str) -> None:
        self.found.append(self._about(span, heading, hints, warning=True))

    def misread(self, error: Misread) -> None:
        self.error(error.span, error.heading, *error.hints)

    def sorted(self) -> tuple[Problem, ...]:
        """Every complaint once, by place."""
        return in_order(self.found)

    def any_error(self) -> bool:
        """Whether anything but warnings was found so far."""
        return any(not problem.warning for problem in self.found)

    def stop_on_errors(self) -> None:
        """Raises: BadTable, when anything but warnings was found."""
        if self.any_error():
            raise BadTable(self.sorted())

    def _about(
        self, span: Span, heading: str, hints: tuple[str, ...], *, warning: bool
    ) -> Problem:
        quoted = self.document.line(span.line)
        return Problem(
            self.document.shown, span, heading, quoted, hints, warning=warning
        )


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once: those of the table by place, then those of handlers."""
    once = dict.fromkeys(problems)
    return tuple(sorted(once, key=_place))


def _place(problem: Problem) -> tuple[bool, str, int, int]:
    span = problem.span
    return problem.file.endswith(".py"), problem.file, span.line, span.column
