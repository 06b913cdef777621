"""Rates and quotas counted from a log, by the arithmetic of the live counters.

A rate of N calls per U admits one more when the N-th newest that it counted is at
least U old, as `server.limiting.rings` decides; `server.store.quotas` for quotas.
Stamps are in microseconds, which is what a log has. A test holds the two together.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from server.kinds import Calls
from server.limiting.tables import Table

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


class Limit(NamedTuple):
    """A rate as it binds one app of one edition: the calls counted, and how many."""

    stamps: deque[int]
    amount: int
    window_us: int
    rule: str


@dataclass(slots=True)
class Day:
    """What an app has used of a quota on the latest day; *figure* None: any amount."""

    day: int = 0
    used: int = 0


class Daily(NamedTuple):
    """A quota as it binds one app of one edition."""

    day: Day
    figure: int | None
    rule: str


class Bound(NamedTuple):
    """All that binds an app's calls of an operation; *edition* False: it is gone."""

    rates: Sequence[Limit]
    quotas: Sequence[Daily]
    edition: bool = True


def take(rates: Sequence[Limit], at_us: int) -> str | None:
    """Count a call in all rates or, if one refuses, in none; the rule that refuses.

    Of several the one that is the last to admit the call again, as callers are told.
    """
    if len(rates) == 1:
        stamps, amount, window_us, rule = rates[0]
        if len(stamps) >= amount and stamps[-amount] > at_us - window_us:
            return rule
        stamps.append(at_us)
        return None
    refusal, latest = None, at_us
    for stamps, amount, window_us, rule in rates:
        if len(stamps) >= amount and stamps[-amount] + window_us > latest:
            refusal, latest = rule, stamps[-amount] + window_us
    if refusal is None:
        for limit in rates:
            limit.stamps.append(at_us)
    return refusal


def use(quotas: Sequence[Daily], at_us: int, amount: int) -> str | None:
    """Take *amount* of the day's quotas, or of none; the rule that refuses."""
    today = at_us // DAY_US
    for day, figure, rule in quotas:
        if day.day != today:
            day.day, day.used = today, 0
        if figure is not None and day.used + amount > figure:
            return rule
    for day, _, _ in quotas:
        day.used += amount
    return None


class Book:
    """The counters of every app under one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._stamps: dict[tuple[str, str], deque[int]] = {}
        self._days: dict[tuple[str, str], Day] = {}

    def bound(
        self, app: str, edition: str, interface: str, operation: str
    ) -> Bound | None:
        """What binds such calls; None: the table states nothing of the interface."""
        if edition not in self._table.editions:
            return Bound((), (), edition=False)
        binding = self._table.binding(interface, operation)
        if binding is None:
            return None
        rates = tuple(
            Limit(
                self._kept(calls, app), rate.calls, rate.seconds * SECOND_US, calls.name
            )
            for calls in binding
            if (rate := calls.rates.get(edition))
        )
        quotas = []
        for quota in self._table.quotas.get(interface, ()):
            stated = quota.stated(edition)
            # Without a figure too: a change of edition finds what was really used.
            day = self._days.setdefault((quota.name, app), Day())
            quotas.append(Daily(day, stated.value if stated else None, quota.name))
        return Bound(rates, tuple(quotas))

    def _kept(self, calls: Calls, app: str) -> deque[int]:
        """The calls counted, as many as the edition that may look back most needs."""
        key = (calls.name, app if calls.scope == "app" else "")
        if key not in self._stamps:
            most = max(rate.calls for rate in calls.rates.values())
            self._stamps[key] = deque(maxlen=most)
        return self._stamps[key]
