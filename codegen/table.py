"""Markdown to rows of cells, each with its place; only user of markdown-it-py.

markdown-it-py finds where the tables are. Cells are split here: the library knows no
columns within a line, drops cells beyond the header and fills in missing ones.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from codegen import inline
from codegen.document import Document
from codegen.problems import Span

CODE = re.compile(r"`[^`]*`")
PIPE = re.compile(r"(?<!\\)\|")
DASHES = re.compile(r"[\s|:-]+")


@dataclass(frozen=True)
class Row:
    """One line of a table, as many cells as the line has."""

    line: int
    cells: tuple[inline.Text, ...]

    def cell(self, index: int) -> inline.Text:
        """The cell under column *index*; empty, after the last, when there is none."""
        if index < len(self.cells):
            return self.cells[index]
        after = self.cells[-1].span
        column = after.column + after.length
        return inline.Text(self.line, "", (), (), column)


@dataclass(frozen=True)
class Table:
    """A table of the document; *nested* when it stands in a quote or a list."""

    header: Row
    rows: tuple[Row, ...]
    nested: bool


@dataclass(frozen=True)
class Html:
    """Where an HTML table begins, and whether it looks like one of limits."""

    span: Span
    limits: bool


@dataclass(frozen=True)
class Page:
    """What the document holds: tables, and places where one seems to be meant."""

    tables: tuple[Table, ...]
    html: tuple[Html, ...]
    strays: tuple[Row, ...]
    """Lines outside every table that look like rows."""


def read(document: Document) -> Page:
    """Find every table of *document*."""
    tokens = _markdown().parse(document.text)
    html: list[Html] = []
    strays: list[Row] = []
    within = False
    for token in tokens:
        if token.type in {"table_open", "table_close"}:
            within = token.type == "table_open"
        elif token.type == "html_block":
            html += _html_tables(document, token)
            if not token.content.lstrip().startswith("<!--"):
                strays += _strays(document, token)
        elif token.type in {"inline", "code_block"} and not within:
            strays += _strays(document, token)
    return Page(tuple(_tables(document, tokens)), tuple(html), tuple(strays))


def split(line: str, number: int) -> Row:
    """The cells of a line, cut at each `|` that has no backslash before it."""
    cuts = [match.start() for match in PIPE.finditer(line)]
    begins, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(line)]
    pieces = [(line[b:e], b + 1) for b, e in zip(begins, ends, strict=True)]
    if len(pieces) > 1 and not pieces[0][0].strip():
        del pieces[0]
    if len(pieces) > 1 and not pieces[-1][0].strip():
        del pieces[-1]
    return Row(number, tuple(inline.read(text, number, at) for text, at in pieces))


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark").enable("table")
    # Cells are read in inline.py, which keeps columns and never takes long.
    markdown.core.ruler.disable("inline")
    return markdown


def _tables(document: Document, tokens: list[Token]) -> Iterator[Table]:
    rows: list[Row] = []
    level = 0
    for token in tokens:
        if token.type == "table_open":
            rows, level = [], token.level
        elif token.type == "tr_open" and token.map:
            number = token.map[0] + 1
            rows.append(split(document.line(number), number))
        elif token.type == "table_close" and rows:
            yield Table(rows[0], tuple(rows[1:]), nested=level > 0)


def _html_tables(document: Document, token: Token) -> Iterator[Html]:
    first, last = token.map or (0, 0)
    for number in range(first + 1, last + 1):
        column = document.line(number).lower().find("<table") + 1
        if column:
            limits = "interface" in token.content.lower()
            yield Html(Span(number, column, len("<table")), limits)
            return


def _strays(document: Document, token: Token) -> Iterator[Row]:
    """Lines of a paragraph, of indented text or within tags that look like rows.

    A `|` and a figure, four cells or the first heading: seldom prose, but in `code`.
    """
    first, last = token.map or (0, 0)
    for number in range(first + 1, last + 1):
        line = CODE.sub("", document.line(number))
        if not PIPE.search(line) or DASHES.fullmatch(line):
            continue
        row = split(line, number)
        figure = any(map(str.isdigit, line))
        if figure or len(row.cells) >= 4 or "interface" in line.lower():
            yield split(document.line(number), number)
