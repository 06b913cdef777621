"""Which tables hold limits, and what each of their columns is."""

from collections.abc import Mapping
from dataclasses import dataclass

from codegen import headings
from codegen.headings import FURTHER, KNOWN, NOTES, WRITTEN
from codegen.problems import Complaints, Misread, Span
from codegen.table import Page, Row, Table

MARKERS = "> -*+0123456789.)"  # of quotes and lists


@dataclass(frozen=True)
class Sheet:
    """The limits table: the place of each kind of column, counted from 0."""

    header: Row
    rows: tuple[Row, ...]
    interface: int
    editions: Mapping[str, int]
    headings: Mapping[str, str]
    """Each edition's name and its heading, in the table's order."""
    notes: tuple[int, ...]
    """Columns of phrases that bind every edition: description and notes."""

    def title(self, index: int) -> str:
        """The heading of a column, as written."""
        return self.header.cell(index).words()


@dataclass(frozen=True)
class Further:
    """A table of further limits."""

    header: Row
    rows: tuple[Row, ...]
    interface: int
    limits: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The tables of a page: of limits, of further limits, and of other things."""

    sheet: Sheet | None
    further: tuple[Further, ...]
    others: tuple[Table, ...]


def find(page: Page, complaints: Complaints) -> Found:
    """Sort the tables of a page by their headings; all that is amiss is told."""
    sheets: list[Sheet] = []
    further: list[Further] = []
    others: list[Table] = []
    for table in page.tables:
        kinds = [headings.kind(cell.words()) for cell in table.header.cells]
        if table.nested:
            kinds[0] = kinds[0].lstrip(MARKERS)
        told = len(complaints.found)
        if not _holds_limits(kinds, table, complaints):
            others += [table] if len(complaints.found) == told else []
            continue
        if table.nested:
            complaints.error(
                table.header.cells[0].span,
                "a table of limits stands inside a quote or a list",
                "move it to the left margin",
            )
        elif "edition" not in kinds:
            further.append(_further(table, kinds))
        else:
            sheets.append(_sheet(table, kinds, complaints))
    for extra in sheets[1:]:
        first = sheets[0].header.line
        complaints.error(
            extra.header.cells[0].span,
            f"a second limits table; the first is at line {first}",
            "keep one; smaller bounds go under the headings Interface | Further limits",
        )
    if not sheets:
        _explain_missing(page, complaints)
    return Found(sheets[0] if sheets else None, tuple(further), tuple(others))


def _holds_limits(kinds: list[str], table: Table, complaints: Complaints) -> bool:
    """Whether the table states limits; a near miss is a complaint, not a guess."""
    states = "edition" in kinds or FURTHER in kinds
    if "interface" in kinds and states:
        return True
    for cell, kind in zip(table.header.cells, kinds, strict=True):
        wanted = headings.meant(kind, states=states, named="interface" in kinds)
        if wanted:
            complaints.error(
                cell.span,
                "this seems to head a table of limits, and does not",
                f'did you mean "{wanted}"?',
            )
            return False
    return False


def _sheet(table: Table, kinds: list[str], complaints: Complaints) -> Sheet:
    _complain_of_twice(table, kinds, complaints)
    if "description" not in kinds:
        complaints.error(
            table.header.cells[0].span,
            "the limits table has no Description column",
            f"headings are read as in: {WRITTEN}",
        )
    editions: dict[str, int] = {}
    named: dict[str, str] = {}
    for index, kind in enumerate(kinds):
        if kind == "edition":
            cell = table.header.cells[index]
            try:
                name = headings.edition_name(cell)
            except Misread as error:
                complaints.misread(error)
                continue
            if name in editions:
                complaints.error(cell.span, f'the edition "{name}" has two columns')
            editions.setdefault(name, index)
            named.setdefault(name, cell.words())
    notes = tuple(
        i for i, kind in enumerate(kinds) if kind in {NOTES, FURTHER, "description"}
    )
    used = {kinds.index("interface"), *editions.values(), *notes}
    _complain_of_unknown(table, used, kinds, complaints)
    return Sheet(
        table.header, table.rows, kinds.index("interface"), editions, named, notes
    )


def _further(table: Table, kinds: list[str]) -> Further:
    # Every other column holds phrases too: a figure under any heading is law or error.
    limits = tuple(i for i, kind in enumerate(kinds) if kind != "interface")
    return Further(table.header, table.rows, kinds.index("interface"), limits)


def _complain_of_twice(table: Table, kinds: list[str], complaints: Complaints) -> None:
    for kind in ("interface", "description"):
        places = [i for i, found in enumerate(kinds) if found == kind]
        for index in places[1:]:
            complaints.error(
                table.header.cells[index].span, f"a second {kind.title()} column"
            )


def _complain_of_unknown(
    table: Table, used: set[int], kinds: list[str], complaints: Complaints
) -> None:
    """A column of no known kind may only be empty: nothing in it would be read."""
    for index, cell in enumerate(table.header.cells):
        if index in used or kinds[index] in KNOWN:
            continue
        filled = next((row for row in table.rows if row.cell(index).plain), None)
        if not cell.plain and filled is None:
            continue
        where = cell.span if cell.plain or not filled else filled.cell(index).span
        hints = [f'did you mean "{near}"?' for near in headings.near(kinds[index])]
        complaints.error(
            where,
            "a column that is not read",
            *hints,
            "headings: Interface, Description, <Name> Edition, "
            "<Name> Edition Supplementary Notes",
        )


def _explain_missing(page: Page, complaints: Complaints) -> None:
    """Why there is no limits table, as far as can be told."""
    if any(not problem.warning for problem in complaints.found):
        return
    for html in page.html:
        complaints.error(
            html.span,
            "an HTML table; only a Markdown table is read",
            f"write its header as: {WRITTEN}",
        )
    if page.html:
        return
    for row in page.strays:
        if "interface" in [cell.words().lower() for cell in row.cells]:
            dashes = " | ".join(["---"] * len(row.cells))
            complaints.error(
                row.cells[0].span,
                "a header with no table below it",
                f"the next line must be: {dashes}",
            )
            return
    complaints.error(
        Span(1, 1),
        "there is no limits table",
        f"a Markdown table is needed with the headings {WRITTEN}",
    )
