"""Every figure of the document, and the two changes that are made to it."""

import json
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import facts

TABLE_LINE = re.compile(r"^\|(?! ?-)")
FIGURE = re.compile(r"\d[\d,]*")
SLOWER = {"second": "minute", "minute": "hour", "hour": "day"}

Value = int | tuple[int, int]
"""A bound in its unit, or calls and seconds."""


@dataclass(frozen=True)
class Figure:
    """One figure of the document: its rule, and the edition it binds (None: all)."""

    rule: str
    edition: str | None
    line: int
    column: int
    words: str
    value: Value

    @property
    def name(self) -> str:
        return f"{self.rule}[{self.edition}]" if self.edition else self.rule

    @property
    def digits(self) -> re.Match[str]:
        found = FIGURE.search(self.words)
        assert found, self.words
        return found

    @property
    def written(self) -> int:
        return int(self.digits[0].replace(",", ""))


@dataclass(frozen=True)
class Mutant:
    """The document with one figure changed: *words* stand for the figure's own."""

    figure: Figure
    way: str
    words: str
    value: Value

    @property
    def name(self) -> str:
        return f"{self.figure.name} {self.way}"

    @property
    def names(self) -> set[str]:
        """All that it can be asked for by."""
        rule = self.figure.rule
        return {self.name, self.figure.name, rule, rule.partition(".")[0]}

    def document(self, text: str) -> str:
        """The whole document with this one change."""
        lines = text.split("\n")
        line, start = lines[self.figure.line - 1], self.figure.column - 1
        stop = start + len(self.figure.words)
        assert line[start:stop] == self.figure.words, self.figure
        lines[self.figure.line - 1] = line[:start] + self.words + line[stop:]
        return "\n".join(lines)


class Unmapped(Exception):
    """A figure of the document that no rule claims, or one that two do."""


def of_tree(tree: Path) -> list[Figure]:
    """Every figure, where ``explain`` finds it; its value as the facts have it.

    Raises:
        Unmapped: the document has a figure that is none of these.
    """
    told = subprocess.run(
        [sys.executable, "-m", "codegen", "explain", "--format", "json"],
        cwd=tree, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = [
        figure
        for interface in json.loads(told)["interfaces"]
        for rule in interface["rules"]
        for figure in _of_rule(rule)
    ]
    mapped = sorted(
        (one.line, one.column + one.digits.start(), one.written) for one in found
    )
    if mapped != _in_document(tree / "limits.md"):
        raise Unmapped(f"{mapped} is not {_in_document(tree / 'limits.md')}")
    return found


def _of_rule(rule: dict) -> list[Figure]:
    name = rule["name"]
    if rule["kind"] != "calls":
        stated = {edition: value for _, value, edition in facts.bound(name)}
        return [_figure(name, rule["edition"], rule, stated[rule["edition"]])]
    if rule["scope"] == "cluster":  # one figure, whichever edition the app is on
        (value,) = set(facts.RATES[name].values())
        return [_figure(name, rule["edition"], rule, value)]
    return [
        _figure(name, edition, place, facts.RATES[name][edition])
        for edition, place in rule["places"].items()
    ]


def _figure(name: str, edition: str | None, place: dict, value: Value) -> Figure:
    return Figure(name, edition, place["line"], place["column"], place["words"], value)


def _in_document(path: Path) -> list[tuple[int, int, int]]:
    """Line, column and number of all figures in tables, by the raw text alone."""
    return [
        (number, match.start() + 1, int(match[0].replace(",", "")))
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if TABLE_LINE.match(line)
        for match in FIGURE.finditer(line)
    ]


def mutants(figures: list[Figure]) -> list[Mutant]:
    return [make(figure) for figure in figures for make in (_up, _down)]


def sample(of: list[Mutant], count: int, seed: str) -> list[Mutant]:
    """So many of them by chance, the same for the same seed, in their order."""
    chosen = set(random.Random(seed).sample(range(len(of)), min(count, len(of))))  # noqa: S311 (repeatable, not secret)
    return [mutant for n, mutant in enumerate(of) if n in chosen]


def _up(figure: Figure) -> Mutant:
    return _rewritten(figure, "up", figure.written + _step(figure))


def _down(figure: Figure) -> Mutant:
    """A tenth less. Below one call there is none: one in a longer time is less."""
    if figure.written > 1:
        return _rewritten(figure, "down", figure.written - _step(figure))
    calls, seconds = figure.value
    unit = next(unit for unit in SLOWER if figure.words.endswith(unit))
    longer = {60: 3600, 3600: 86_400}.get(seconds, 60)
    words = figure.words.removesuffix(unit) + SLOWER[unit]
    return Mutant(figure, "down", words, (calls, longer))


def _step(figure: Figure) -> int:
    return max(1, figure.written // 10)


def _rewritten(figure: Figure, way: str, wanted: int) -> Mutant:
    digits = figure.digits
    written = f"{wanted:,}" if "," in digits[0] else str(wanted)
    words = figure.words[: digits.start()] + written + figure.words[digits.end() :]
    if isinstance(figure.value, tuple):
        return Mutant(figure, way, words, (wanted, figure.value[1]))
    return Mutant(figure, way, words, figure.value // figure.written * wanted)
