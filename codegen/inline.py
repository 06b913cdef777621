"""The words a reader sees in a cell, each character with its place in the source.

Emphasis, links, entities, escapes and plain tags are taken off as Markdown would.
Where that could join two figures into one, the mark stays and the form refuses it.
Every repetition in the pattern is bounded, so hostile cells cost no more than others.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.problems import Span

MARKUP = re.compile(
    r"""
      \\(?P<escaped>[!-/:-@\[-`{-~])
    | (?P<entity>&(?:[A-Za-z]{2,31}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});)
    | (?P<tag></?[A-Za-z]{1,10}\ ?/?>)
    | (?P<link>\]\([^()\s]{0,500}\))
    | (?P<mark>[*]{1,3}|~~|`{1,3}|\[|\]|_{1,3})
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Text:
    """Plain words of one line; *starts* and *ends* are columns from 1, as in slices."""

    line: int
    plain: str
    starts: Sequence[int]
    ends: Sequence[int]
    column: int
    """Where the text stands, also when it is empty."""

    def part(self, start: int, stop: int) -> "Text":
        """Characters *start* to *stop* of the text, blanks at both ends left out."""
        piece = self.plain[start:stop]
        start += len(piece) - len(piece.lstrip())
        stop -= len(piece) - len(piece.rstrip())
        stop = max(start, stop)
        column = self.starts[start] if start < stop else self.column
        return Text(
            self.line,
            self.plain[start:stop],
            self.starts[start:stop],
            self.ends[start:stop],
            column,
        )

    @property
    def span(self) -> Span:
        """The characters of the source line that the text was read from."""
        return self.between(0, len(self.plain))

    def between(self, start: int, stop: int) -> Span:
        """The source of characters *start* to *stop*."""
        if start >= stop:
            return Span(self.line, self.column)
        first, last = self.starts[start], self.ends[stop - 1]
        return Span(self.line, first, max(1, last - first))

    def words(self) -> str:
        """The text with its blanks collapsed."""
        return " ".join(self.plain.split())


def read(source: str, line: int, column: int) -> Text:
    """The text of *source*, a piece of line *line* that begins at *column*."""
    if not MARKUP.search(source):
        columns = range(column, column + len(source) + 1)
        whole = Text(line, source, columns[:-1], columns[1:], column)
        return whole.part(0, len(source))
    plain: list[str] = []
    places: list[tuple[int, int]] = []

    def keep(text: str, start: int, stop: int) -> None:
        plain.append(text)
        places.extend([(column + start, column + stop)] * len(text))

    done = 0
    for match in MARKUP.finditer(source):
        for at in range(done, match.start()):
            keep(source[at], at, at + 1)
        keep(_seen(match), match.start(), match.end())
        done = match.end()
    for at in range(done, len(source)):
        keep(source[at], at, at + 1)
    text = "".join(plain)
    starts, ends = [place[0] for place in places], [place[1] for place in places]
    return Text(line, text, starts, ends, column).part(0, len(text))


def _seen(match: re.Match[str]) -> str:
    """What a reader sees in place of a piece of markup."""
    if match["escaped"]:
        return match["escaped"]
    if match["entity"]:
        return html.unescape(match["entity"])
    if match["tag"]:
        return " "
    source, start, stop = match.string, match.start(), match.end()
    inside = source[start - 1 : start].isalnum() and source[stop : stop + 1].isalnum()
    return match[0] if inside else ""
