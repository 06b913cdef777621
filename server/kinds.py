"""The kinds of rule the table can state, and who enforces each.

| kind | states | enforced by | when | answer |
| --- | --- | --- | --- | --- |
| Calls of Rates | how often, per app or cluster | Flask-Limiter | first of all | 429 |
| MaxLength | characters of one field | marshmallow | as the body is read | 400 |
| MaxItems | entries of one list | marshmallow, a page | as the call is read | 400 |
| MaxBytes | bytes of one thing | payload, store | as it is read, written | 413, 403 |
| Membership | how many one thing may hold | the store | inside the write | 403, 429 |
| Quota | recipients a UTC day | the store | inside the write | 429 |
| Bandwidth | bytes a second, a connection | the response | as bytes leave | slows |
| Kept | seconds until a thing is gone | the store | at the read, a sweep | 404 |

A rule knows its figure and its source; the wire's words for a refusal belong to the
endpoint, which hands them over: ``rules.USER_ID.says("USERNAME_TOO_LONG")``.
"""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from flask import Blueprint
from marshmallow import ValidationError

from server.caller import edition as current_edition
from server.errors import Breach, IllegalArgument, Refusal

Unit = Literal["second", "minute", "hour", "day"]
SECONDS: Mapping[Unit, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Stated:
    """One figure: its value in the rule's unit, the table's words, its place."""

    value: int
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a unit of time, as one cell of the table states it."""

    calls: int
    per: Unit
    words: str
    source: str

    @property
    def seconds(self) -> int:
        return SECONDS[self.per]


@dataclass(frozen=True, slots=True)
class Calls:
    """How often operations may be called, by edition; *name* is the counters' key."""

    name: str
    scope: Literal["app", "cluster"]
    rates: Mapping[str, Rate] = field(hash=False)

    kind: ClassVar[str] = "calls"

    @property
    def interface(self) -> str:
        return self.name.partition(".")[0]

    def breach(self, edition: str) -> Breach:
        rate = self.rates[edition]
        return Breach(self.name, rate.words, rate.source)

    def told(self, edition: str) -> dict[str, object] | None:
        """The figure of *edition* as callers are told it; None: it has none."""
        rate = self.rates.get(edition)
        if rate is None:
            return None
        return {
            "limit": rate.words,
            "doc": rate.source,
            "calls": rate.calls,
            "seconds": rate.seconds,
        }


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule of one figure; an edition may have a tighter one of its own."""

    kind: ClassVar[str]
    """As ``python -m codegen explain`` names it."""
    unit: ClassVar[str]

    name: str
    everyone: Stated | None = None
    by_edition: Mapping[str, Stated] = field(default_factory=dict, hash=False)

    def stated(self, edition: str | None = None) -> Stated | None:
        """The figure for *edition* (of the caller's app when not given), or None."""
        if not self.by_edition:
            return self.everyone
        return self.by_edition.get(edition or current_edition() or "", self.everyone)

    def told(self, edition: str) -> dict[str, object] | None:
        """The figure of *edition* as callers are told it; None: it has none."""
        stated = self.stated(edition)
        if stated is None:
            return None
        return {"limit": stated.words, "doc": stated.source, self.unit: stated.value}

    def breach(self, came: int | None = None) -> Breach:
        """The account of a refusal: only for a figure that binds the caller."""
        stated = self.stated()
        if stated is None:
            message = f"{self.name} states no figure for this caller"
            raise ValueError(message)
        return Breach(self.name, stated.words, stated.source, came)

    def allows(self, amount: int) -> bool:
        """Whether *amount*, in the rule's unit, is within the caller's figure."""
        stated = self.stated()
        return stated is None or amount <= stated.value

    def check(
        self,
        amount: int,
        refusal: type[Refusal] = IllegalArgument,
        text: str | None = None,
    ) -> None:
        """Refuse *amount* beyond the figure.

        *text* may hold ``{n}`` (what came) and ``{max}`` (what is allowed).

        Raises:
            Refusal: of the class given.
        """
        if self.allows(amount):
            return
        if text is not None:
            text = text.format(n=amount, max=self.value)
        raise refusal(text, breach=self.breach(amount))

    @property
    def value(self) -> int:
        """The caller's figure; only where the rule states one for every edition."""
        stated = self.stated()
        if stated is None:
            message = f"{self.name} states no figure for this caller"
            raise ValueError(message)
        return stated.value


class _Sized(Bound):
    """A rule that is a marshmallow validator of anything with a length."""

    __slots__ = ()

    def says(self, text: str, refusal: type[Refusal] = IllegalArgument) -> "Validator":
        """A validator that refuses in *text*, as :meth:`check` fills it in."""
        return Validator(self, text, refusal)


@dataclass(frozen=True, slots=True)
class Validator:
    """Holds the length of a field to a rule, in the words of its endpoint."""

    rule: _Sized
    text: str
    refusal: type[Refusal]

    def __call__(self, value: Sized) -> None:
        try:
            self.rule.check(len(value), self.refusal, self.text)
        except Refusal as refused:
            # The whole refusal travels in the error, so that payload.py raises
            # the first one in the order of the fields, with its breach.
            raise ValidationError([refused]) from None


class MaxLength(_Sized):
    """The most characters of one field."""

    __slots__ = ()
    kind = "max_length"
    unit = "characters"


class MaxItems(_Sized):
    """The most entries of one list, or of one page of an answer."""

    __slots__ = ()
    kind = "max_items"
    unit = "items"

    def clamp(self, wanted: int | None, *, default: int) -> int:
        """A page's size: *wanted* within the figure; *default* if absent or below 1."""
        size = default if wanted is None or wanted < 1 else wanted
        return min(size, self.value)


class MaxBytes(Bound):
    """The most bytes of one thing."""

    __slots__ = ()
    kind = "max_bytes"
    unit = "bytes"


class Membership(Bound):
    """The most things one user, group or app may have."""

    __slots__ = ()
    kind = "membership"
    unit = "most"


class Quota(Bound):
    """The most recipients of one app in one UTC day."""

    __slots__ = ()
    kind = "quota"
    unit = "per_day"


class Bandwidth(Bound):
    """Bytes a second on one connection."""

    __slots__ = ()
    kind = "bandwidth"
    unit = "bytes_per_second"


class Kept(Bound):
    """Seconds after which a thing is gone."""

    __slots__ = ()
    kind = "kept"
    unit = "seconds"

    @property
    def longest(self) -> int | None:
        """The seconds after which it is gone in every edition; None: not in all."""
        if self.everyone is None:
            return None
        stated = (self.everyone, *self.by_edition.values())
        return max(each.value for each in stated)


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of the table: its word, its title, its place, and all its rules."""

    name: str
    title: str
    source: str
    blueprint: Blueprint = field(hash=False)
    rules: tuple[Calls | Bound, ...] = field(hash=False)
