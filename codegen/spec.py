"""The typed middle: what the table states, as data and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["second", "minute", "hour", "day"]
Scope = Literal["app", "cluster"]
SECONDS: Mapping[str, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Stated:
    """Where a figure stands and its phrase as written.

    *column* counts from 1; 0 when read back from generated files, which keep no
    columns. *length* is that of the phrase in the line.
    """

    words: str
    line: int
    column: int = 0
    length: int = 0


@dataclass(frozen=True)
class Rate:
    """So many calls a unit of time."""

    calls: int
    unit: Unit
    stated: Stated

    @property
    def seconds(self) -> int:
        return SECONDS[self.unit]


@dataclass(frozen=True)
class Kind:
    """A kind of bound: its word in `explain`, its class, and what its figure counts."""

    word: str
    emitted: str
    counts: str
    says: str
    """The figure in a sentence; `{}` is the number."""


MAX_LENGTH = Kind("max_length", "MaxLength", "characters", "at most {} characters")
MAX_ITEMS = Kind("max_items", "MaxItems", "items", "at most {} items")
MAX_BYTES = Kind("max_bytes", "MaxBytes", "bytes", "at most {} bytes")
MEMBERSHIP = Kind("membership", "Membership", "most", "at most {}")
QUOTA = Kind("quota", "Quota", "per_day", "{} per UTC day")
BANDWIDTH = Kind("bandwidth", "Bandwidth", "bytes_per_second", "{} bytes/second")
KEPT = Kind("kept", "Kept", "seconds", "kept {} seconds")
KINDS = (MAX_LENGTH, MAX_ITEMS, MAX_BYTES, MEMBERSHIP, QUOTA, BANDWIDTH, KEPT)


@dataclass(frozen=True)
class Calls:
    """How often operations may be called: a rate for each edition it binds.

    *edition* is None when every edition is bound.
    """

    name: str
    scope: Scope
    rates: Mapping[str, Rate]
    edition: str | None = None

    @property
    def stated(self) -> Stated:
        """The place of its first edition."""
        return next(iter(self.rates.values())).stated


@dataclass(frozen=True)
class Bound:
    """A rule of one figure, in the unit of its kind; *edition* None binds all."""

    name: str
    kind: Kind
    figure: int
    stated: Stated
    edition: str | None = None


Rule = Calls | Bound


@dataclass(frozen=True)
class Interface:
    """A row of the limits table, with the rules of all its rows."""

    name: str
    title: str
    line: int
    column: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Spec:
    """All that a table states. *editions* maps each name to its heading, in order."""

    source: str
    digest: str
    editions: Mapping[str, str]
    interfaces: tuple[Interface, ...]

    def rules(self) -> Iterator[tuple[Interface, Rule]]:
        """Every rule with its interface, in the table's order."""
        for interface in self.interfaces:
            for rule in interface.rules:
                yield interface, rule
