"""Rows to the spec: which interface, which edition, and what each phrase states."""

from difflib import get_close_matches

from codegen import binding, columns, headings, interfaces, table
from codegen.cells import Cells
from codegen.columns import Further, Sheet
from codegen.document import Document
from codegen.inline import Text
from codegen.problems import Complaints, Misread, Problem
from codegen.spec import Spec
from codegen.table import Page, Row, Table
from codegen.words import holds_figure


def read(document: Document) -> tuple[Spec, tuple[Problem, ...]]:
    """What a document states, and warnings about it.

    Raises:
        BadTable: with every problem found, not only the first.
    """
    reader = _Reader(document)
    spec = reader.read()
    return spec, reader.complaints.sorted()


class _Reader:
    """Reads one document; what cannot be read goes to its complaints."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.complaints = Complaints(document)
        self.cells = Cells({}, self.complaints)
        self.rows: dict[str, binding.Found] = {}

    def read(self) -> Spec:
        """The spec of the document; what was found amiss is in the complaints.

        Raises:
            BadTable: anything but warnings was found.
        """
        page = table.read(self.document)
        found = columns.find(page, self.complaints)
        sheet = found.sheet
        if sheet:
            self.cells = Cells(sheet.headings, self.complaints)
            for row in sheet.rows:
                self._interface(sheet, row)
            for extra in found.further:
                for row in extra.rows:
                    self._further(extra, row)
            self._outside(page)
            for other in found.others:
                self._left_alone(other)
            if not self.rows and not self.complaints.any_error():
                self.complaints.error(
                    sheet.header.cells[0].span, "the limits table has no interfaces"
                )
        editions = self.cells.editions
        rows = tuple(
            binding.interface(row, editions, self.complaints)
            for row in self.rows.values()
        )
        self.complaints.stop_on_errors()
        return Spec(self.document.name, self.document.digest, editions, rows)

    def _interface(self, sheet: Sheet, row: Row) -> None:
        """One row of the limits table."""
        if not self._is_interface(row, len(sheet.header.cells), sheet.interface):
            return
        title = row.cell(sheet.interface)
        found = self._named(title)
        readings = self.cells.notes(row, sheet.notes)
        for edition, index in sheet.editions.items():
            spilled, rate = self.cells.edition(row.cell(index), sheet.title(index))
            readings += spilled
            if rate and rate.edition not in {None, edition}:
                self.complaints.error(
                    row.cell(index).span,
                    f"this cell is of {sheet.title(index)}, its words of another",
                    "a rate binds the edition of its column",
                )
            elif rate and found:
                found.rates[edition] = rate
        if found:
            found.readings += readings

    def _named(self, title: Text) -> binding.Found | None:
        """A new interface; None when its title is no name or was there before."""
        try:
            name = interfaces.name_of(title)
        except Misread as error:
            self.complaints.misread(error)
            return None
        if name in self.rows:
            self.complaints.error(
                title.span,
                f"{name} has two rows; the first is at line {self.rows[name].line}",
                "keep one; more bounds of it go under Further limits",
            )
            return None
        meant = interfaces.meant(title)
        if meant:
            self.complaints.warning(
                title.span,
                f"this is read as an interface of its own, {name}",
                f"did you mean {meant}, by one of its usual titles?",
            )
        self.rows[name] = binding.Found(name, title)
        return self.rows[name]

    def _further(self, extra: Further, row: Row) -> None:
        """One row of a table of further limits."""
        if not self._is_interface(row, len(extra.header.cells), extra.interface):
            return
        title = row.cell(extra.interface)
        readings = self.cells.notes(row, extra.limits)
        try:
            name = interfaces.name_of(title)
        except Misread as error:
            self.complaints.misread(error)
            return
        if name in self.rows:
            self.rows[name].readings += readings
            return
        titles = {found.title.words(): found for found in self.rows.values()}
        close = get_close_matches(title.words()[:60], titles, n=1)
        hints = [f'did you mean "{close[0]}"?'] if close else []
        self.complaints.error(
            title.span, "no row of the limits table has this name", *hints
        )

    def _is_interface(self, row: Row, width: int, named: int) -> bool:
        """Whether a row is to be read; what is odd about it is told."""
        for cell in row.cells[width:]:
            if cell.plain:
                self.complaints.error(
                    cell.span,
                    "a filled cell beyond the header",
                    f"the header has {width} columns; a | within a cell is written \\|",
                )
        filled = [cell for cell in row.cells[:width] if cell.plain]
        if not filled:
            return False
        if len(filled) == 1:
            self._alone(filled[0], first=row.cell(named) is filled[0])
            return False
        if not row.cell(named).plain:
            self.complaints.error(row.cell(named).span, "a row without an interface")
        return bool(row.cell(named).plain)

    def _alone(self, cell: Text, *, first: bool) -> None:
        """A row of a single filled cell: a title, or a figure without a home."""
        if holds_figure(cell.plain) and not first:
            self.complaints.error(cell.span, "a figure in a row without an interface")
        else:
            self.complaints.warning(cell.span, "a row of a single cell is skipped")

    def _left_alone(self, other: Table) -> None:
        """A table with other headings is not read; a limit in it is worth a word."""
        for row in other.rows:
            for cell in row.cells:
                if self.cells.states(cell):
                    self.complaints.warning(
                        cell.span,
                        "this limits nobody: the headings are not of a table of limits",
                        f"read are {headings.WRITTEN}, or Interface | Further limits",
                    )
                    return

    def _outside(self, page: Page) -> None:
        """Rows and tables that Markdown does not count to the tables of limits."""
        for row in page.strays:
            self.complaints.error(
                row.cells[0].span,
                "this looks like a row, but no table holds it",
                "a table ends at an empty or an indented line",
            )
        for html in page.html:
            if html.limits:
                self.complaints.error(
                    html.span, "an HTML table; only a Markdown table is read"
                )
