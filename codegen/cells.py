"""Cells to readings: what the phrases of notes and of edition columns state."""

from collections.abc import Mapping
from dataclasses import dataclass

from codegen import phrases
from codegen.binding import span
from codegen.forms import APP_CALLS
from codegen.inline import Text
from codegen.phrases import Reading
from codegen.problems import Complaints, Misread
from codegen.table import Row


@dataclass(frozen=True)
class Cells:
    """Reads the cells of a table with these editions (name to heading)."""

    editions: Mapping[str, str]
    complaints: Complaints

    def notes(self, row: Row, indexes: tuple[int, ...]) -> list[Reading]:
        """What the phrases of description and notes state."""
        readings = []
        for index in indexes:
            for piece in phrases.split(row.cell(index)):
                try:
                    reading = phrases.read(piece, self.editions)
                except Misread as error:
                    self.complaints.misread(error)
                    continue
                if reading is None and phrases.is_worded(piece, self.editions):
                    self.complaints.warning(
                        piece.span,
                        "a figure in words is description, and limits nobody",
                        "write it in figures, 0-9, if it is meant",
                    )
                if reading and phrases.is_rate(reading):
                    self.complaints.error(
                        piece.span,
                        "a rate of an app stands in its edition's column",
                        f"move it under {' or '.join(self.editions.values())}",
                    )
                elif reading:
                    readings.append(reading)
        return readings

    def states(self, cell: Text) -> bool:
        """Whether a form reads a phrase of the cell."""
        for piece in phrases.split(cell):
            try:
                if phrases.read(piece, self.editions):
                    return True
            except Misread:
                continue
        return False

    def edition(self, cell: Text, heading: str) -> tuple[list[Reading], Reading | None]:
        """What spilled from the description, and the rate that ends the cell."""
        pieces = phrases.split(cell)
        readings: list[tuple[Text, Reading]] = []
        broken = False
        for piece in pieces:
            try:
                before, rate = phrases.read_rate(piece, self.editions)
                spilled = phrases.read(before, self.editions, rate=True)
            except Misread as error:
                self.complaints.misread(error)
                broken = True
            else:
                readings += [(piece, one) for one in (spilled, rate) if one]
        rates = [(piece, one) for piece, one in readings if phrases.is_rate(one)]
        others = [one for _, one in readings if not phrases.is_rate(one)]
        if broken:
            return others, None
        self._complain_of_rates(cell, heading, pieces, rates)
        return others, rates[0][1] if rates else None

    def _complain_of_rates(
        self,
        cell: Text,
        heading: str,
        pieces: list[Text],
        rates: list[tuple[Text, Reading]],
    ) -> None:
        """An edition cell holds one rate, at its end."""
        if not rates:
            what = "no rate in this cell" if cell.plain else "an empty cell"
            self.complaints.error(
                cell.span,
                f"{heading}: {what}",
                f'every edition states a rate, as in "{APP_CALLS.example}"',
            )
        for _, extra in rates[1:]:
            self.complaints.error(
                span(extra.stated), f"{heading}: two rates in one cell", "keep one"
            )
        if len(rates) == 1 and rates[0][0] is not pieces[-1]:
            self.complaints.error(
                pieces[-1].span,
                f"{heading}: words after the rate",
                "the rate ends its cell; description goes before it",
            )
