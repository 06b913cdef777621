"""What a form's pattern found: figures, units and subjects, each checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from codegen import names, units
from codegen.problems import Misread, Span
from codegen.spec import Unit
from codegen.words import WHOLE, Smooth

MOST_CALLS = 1_000_000
MOST = 2**53  # beyond it JSON readers lose digits
MOST_DIGITS = 16

REVERSING = frozenset({"not", "no", "never", "cannot", "except", "unless", "without"})
REVERSING |= {"minimum", "min", "least", "more", "less", "fewer", "than", "unlimited"}
REVERSING |= {"approximately", "roughly", "nearly", "almost"}
OTHER_FORMS = frozenset({"single", "cluster"})
NO_THINGS = frozenset({*units.TIME, *units.BYTES, *units.CHARACTERS, "time", "times"})

Value = TypeVar("Value")


@dataclass(frozen=True)
class Found:
    """A form's match in a phrase. Every method raises Misread at the words at fault."""

    smooth: Smooth
    match: re.Match[str]

    def figure(self, *, times: int = 1, most: int = MOST) -> int:
        """The figure, *times* its unit, from 1 to *most*."""
        digits = self.match["n"]
        if not WHOLE.fullmatch(digits):
            raise self._at(
                "n",
                "this is not a whole number",
                "figures are 0-9, with commas only between thousands",
            )
        if not digits.strip("0"):
            raise self._at(
                "n",
                "a limit of zero lets nobody in",
                "state at least 1, or leave the phrase out",
            )
        if len(digits) > MOST_DIGITS or int(digits) * times > most:
            raise self._at(
                "n", "this figure is absurd", f"at most {most:,} is understood"
            )
        return int(digits) * times

    def time(self) -> Unit:
        return self._unit(units.TIME, "a unit of time")

    def bytes(self) -> int:
        return self._unit(units.BYTES, "a unit of size")

    def characters(self) -> int:
        return self._unit(units.CHARACTERS, "the unit of a length")

    def subject(self) -> str:
        """The name that the subject gives the rule."""
        words = self.match["subject"].split()
        if words[0] in OTHER_FORMS:
            raise self._at(
                "subject",
                f'a phrase that begins with "{words[0]}" is none of this kind',
            )
        return names.of_subject(self._plain("subject"), self._span("subject"))

    def things(self) -> str:
        """What is counted, as a name in the plural."""
        words = self._plain("things")
        if not NO_THINGS.isdisjoint(words.split()):
            raise self._at("things", "this is a unit; a number of things is counted")
        return names.plural(names.of_subject(words, self._span("things")))

    def _plain(self, group: str) -> str:
        words = self.match[group]
        for word in words.split():
            if word in REVERSING:
                raise self._at(
                    group,
                    f'"{word}" could turn the limit around',
                    "every form states the most that is allowed, exactly",
                )
        return words

    def _unit(self, table: Mapping[str, Value], what: str) -> Value:
        word = self.match["unit"]
        if word in table:
            return table[word]
        close = get_close_matches(word[:40], table, n=1)
        hints = [f'did you mean "{close[0]}"?'] if close else []
        known = ", ".join(table)
        raise self._at("unit", f"this is not {what}", *hints, f"understood: {known}")

    def _span(self, group: str) -> Span:
        return self.smooth.span(*self.match.span(group))

    def _at(self, group: str, heading: str, *hints: str) -> Misread:
        return Misread(self._span(group), heading, *hints)
