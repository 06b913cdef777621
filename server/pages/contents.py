"""What the pages of the reference hold: sections of operations, and the rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import orjson

from server import rules
from server.kinds import Bound, Calls
from server.pages.shown import Limit, Reader, Shown, rows
from server.reference import Published

OUTSIDE = "server"
"""The page of the operations outside the table."""


@dataclass(frozen=True)
class Section:
    """One page of operations."""

    name: str
    title: str
    about: str
    operations: tuple[Shown, ...]
    rates: tuple[Limit, ...]


@dataclass(frozen=True)
class RuleShown:
    """One rule, its figures, and whom they bind."""

    limit: Limit
    kind: str
    operations: tuple[tuple[str, Shown], ...]
    """Each with the name of its section."""


@dataclass(frozen=True)
class Contents:
    """All of it."""

    sections: tuple[Section, ...]
    rules: Mapping[str, tuple[RuleShown, ...]]
    """By the title of their interface."""

    @property
    def by_name(self) -> Mapping[str, Section]:
        return {section.name: section for section in self.sections}


def contents(published: Published) -> Contents:
    """The pages' view of a document, made once."""
    return _of(published.sent)


@lru_cache(1)
def _of(sent: bytes) -> Contents:
    told = orjson.loads(sent)
    reader = Reader(told)
    by_tag: dict[str, list[Shown]] = {}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            shown = reader.shown(path, method, operation)
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    sections = tuple(_sections(by_tag))
    return Contents(sections, _rules(sections))


def _sections(by_tag: dict[str, list[Shown]]) -> Iterator[Section]:
    for interface in rules.INTERFACES:
        yield Section(
            interface.name,
            interface.title,
            f"{interface.source}: one budget for all of them, kept for each app.",
            tuple(by_tag.pop(interface.title, ())),
            tuple(_limit(each) for each in interface.rules if isinstance(each, Calls)),
        )
    rest = [shown for each in by_tag.values() for shown in each]
    about = "Outside the table: they draw on no budget."
    yield Section(OUTSIDE, "Tokens and server", about, tuple(rest), ())


def _limit(rule: Calls | Bound) -> Limit:
    told = {title: rule.told(edition) for edition, title in rules.EDITIONS.items()}
    return Limit(rule.name, rows({key: row for key, row in told.items() if row}))


def _rules(sections: tuple[Section, ...]) -> dict[str, tuple[RuleShown, ...]]:
    binds: dict[str, list[tuple[str, Shown]]] = {}
    for section in sections:
        for operation in section.operations:
            for limit in operation.limits:
                binds.setdefault(limit.rule, []).append((section.name, operation))
    return {
        interface.title: tuple(
            RuleShown(
                _limit(rule),
                rule.kind.replace("_", " "),
                tuple(binds.get(rule.name, ())),
            )
            for rule in interface.rules
        )
        for interface in rules.INTERFACES
    }
