"""Who is near a limit: what a look over all apps finds, within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

from server import activity, rules
from server.caller import App
from server.console.figures import HELD, HOLDINGS, QUOTAS, Use, rates_of
from server.console.kept import Kept
from server.kinds import Bound
from server.scrape import NEAR_PERCENT
from server.store import apps, quotas

MOST_SHOWN = 30
MOST_LOOKED_AT = 100
"""Apps whose rates are looked at: those refused lately, then the first by key."""
_MOST_OF_A_FIGURE = 10
_TITLES = {each.name: each.title for each in rules.INTERFACES}


@dataclass(frozen=True, slots=True)
class Near:
    """An app that used most of a figure."""

    app: str
    rule: str
    words: str
    source: str
    use: Use

    @property
    def interface(self) -> str:
        """The title of its row."""
        return _TITLES[self.rule.partition(".")[0]]


@dataclass(frozen=True, slots=True)
class OfToday:
    """What all apps of an edition have used of a quota."""

    rule: str
    edition: str
    words: str
    source: str
    apps: int
    used: int
    near: int | None
    """How many are near the figure; None: there is none."""


def a_limit() -> list[Near]:
    """The fullest first."""
    found = [*_stored(), *_rates()]
    found.sort(key=lambda near: -near.use.used / max(1, near.use.most))
    return found[:MOST_SHOWN]


def _least(most: int) -> int:
    return -(-most * NEAR_PERCENT // 100)


def _find_stored() -> list[Near]:
    return [*_near_quotas(), *_near_holdings()]


def _near_quotas() -> Iterator[Near]:
    for quota in QUOTAS:
        for edition in rules.EDITIONS:
            stated = quota.stated(edition)
            if stated is None:
                continue
            found = quotas.nearest(
                edition, quota, least=_least(stated.value), limit=_MOST_OF_A_FIGURE
            )
            for key, used in found:
                use = Use(used, stated.value, "today")
                yield Near(key, quota.name, stated.words, stated.source, use)


def _near_holdings() -> Iterator[Near]:
    for rule in HOLDINGS:
        for edition in rules.EDITIONS:
            yield from _near_holding(rule, edition)


def _near_holding(rule: Bound, edition: str) -> Iterator[Near]:
    stated = rule.stated(edition)
    if stated is None:
        return
    least = _least(stated.value)
    column = HELD[rule.name]
    for key, held in apps.fullest(column, edition, least, _MOST_OF_A_FIGURE):
        use = Use(held, stated.value, "")
        yield Near(key, rule.name, stated.words, stated.source, use)


def _find_lately() -> list[App]:
    refused = map(apps.by_uuid, sorted(activity.apps_refused())[:MOST_LOOKED_AT])
    first = apps.page(("", ""), "", MOST_LOOKED_AT)
    found = {app.id: app for app in (*refused, *first) if app is not None}
    return [*found.values()][:MOST_LOOKED_AT]


def _find_rates() -> list[Near]:
    return [
        Near(f"{app.org}/{app.name}", calls.name, rate.words, rate.source, use)
        for app in _lately()
        for calls, use in rates_of(app)
        for rate in (calls.rates[app.edition],)
        if use.is_near and calls.scope == "app"
    ]


def _find_today() -> list[OfToday]:
    found = []
    for quota in QUOTAS:
        for edition, title in rules.EDITIONS.items():
            stated = quota.stated(edition)
            least = None if stated is None else _least(stated.value)
            used = quotas.used_by_all(edition, quota, near=least)
            found.append(
                OfToday(
                    quota.name,
                    title,
                    stated.words if stated else "",
                    stated.source if stated else "",
                    used.apps,
                    used.used,
                    used.near if stated else None,
                )
            )
    return found


_stored = Kept(10, _find_stored)
_lately = Kept(10, _find_lately)
_rates = Kept(2, _find_rates)
today = Kept(10, _find_today)
