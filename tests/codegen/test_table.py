"""Markdown to cells: every cell stands where its place says."""

import pytest

from codegen import document, table
from codegen.table import Page

LINES = """\
# A page

| Interface | Description |
|:--|--:|
| *Users* | a `b` c |
|  two\\|pipes  |   [a link](http://example.org/9) here |
plain | &amp; 1&nbsp;000
| | |
"""


def read(text: str) -> Page:
    return table.read(document.of_text(text))


def test_cells_hold_the_words_a_reader_sees() -> None:
    (found,) = read(LINES).tables

    assert [[cell.words() for cell in row.cells] for row in found.rows] == [
        ["Users", "a b c"],
        ["two|pipes", "a link here"],
        ["plain", "& 1 000"],
        ["", ""],
    ]


def test_a_cell_stands_at_its_column() -> None:
    lines = LINES.split("\n")
    (found,) = read(LINES).tables

    for row in found.rows:
        for cell in row.cells:
            rest = lines[row.line - 1][cell.span.column - 1 :]
            seen = rest.replace("&amp;", "&").replace("\\|", "|")
            assert seen.startswith(cell.words()[:1])


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("1**0**", "1**0"),
        ("1`0`", "1`0"),
        ("10<br>20", "10 20"),
        ("1<b>0</b>", "1 0"),
        ("\\*5\\*", "*5*"),
        ("snake_case_word", "snake_case_word"),
        ("<!-- 5 -->", "<!-- 5 -->"),
        ("&#49;0", "10"),
        ("&unknown;", "&unknown;"),
        ("![5](x)", "!5"),
    ],
)
def test_markup_never_joins_or_hides_figures(source: str, seen: str) -> None:
    row = table.split(source, 1)

    assert row.cells[0].plain == seen


def test_rows_may_leave_out_the_outer_pipes() -> None:
    bare, framed = table.split("a | b", 1), table.split("  | a | b |  ", 1)

    assert [cell.plain for cell in bare.cells] == ["a", "b"]
    assert [cell.plain for cell in framed.cells] == ["a", "b"]


def test_a_missing_cell_stands_after_the_last() -> None:
    row = table.split("a | b", 7)

    assert (row.cell(5).span.line, row.cell(5).span.column) == (7, 6)


def test_tables_in_code_are_no_tables() -> None:
    page = read("```\n| Interface | 5 |\n|---|---|\n| a | b |\n```\n")

    assert page == Page((), (), ())


@pytest.mark.parametrize(
    "line",
    ["see `a|b|5` for it", "nothing | here", "--- | ---"],
)
def test_prose_with_a_pipe_is_prose(line: str) -> None:
    assert not read(f"# Title\n\n{line}\n").strays
