"""Figures of the table beside what is used of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from server import limiting, rules
from server.caller import App
from server.errors import Unavailable
from server.kinds import Bound, Calls, Quota
from server.rules import chatrooms as room_rules
from server.rules import groups as group_rules
from server.rules import users as user_rules
from server.scrape import NEAR_PERCENT
from server.store import apps, quotas

HELD = {
    user_rules.USERS_PER_APP.name: "user_count",
    user_rules.APP_ATTRIBUTES.name: "attribute_bytes",
    group_rules.GROUPS_PER_APP.name: "group_count",
    room_rules.CHAT_ROOMS_PER_APP.name: "chatroom_count",
}
"""What is counted beside each app, by the rule that bounds it."""
RATES = [
    rule
    for interface in rules.INTERFACES
    for rule in interface.rules
    if isinstance(rule, Calls)
]
QUOTAS = [
    rule
    for interface in rules.INTERFACES
    for rule in interface.rules
    if isinstance(rule, Quota)
]
HOLDINGS = [
    rule
    for interface in rules.INTERFACES
    for rule in interface.rules
    if isinstance(rule, Bound) and rule.name in HELD
]


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a figure is used."""

    used: int
    most: int
    period: str
    """Within which: "this second", "today"; empty: at all."""

    @property
    def percent(self) -> int:
        if self.most <= 0:
            return 100
        return min(100, self.used * 100 // self.most)

    @property
    def state(self) -> str:
        if self.used >= self.most:
            return "full"
        return "near" if self.used * 100 >= self.most * NEAR_PERCENT else "fine"

    @property
    def is_near(self) -> bool:
        return self.state != "fine"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure that binds an app, and what is used of it; None: nothing is counted.

    What bounds one call, one user or one group has no use of the app's to show.
    """

    rule: str
    kind: str
    words: str
    source: str
    use: Use | None


@dataclass(frozen=True, slots=True)
class Row:
    """An interface of the table."""

    title: str
    source: str
    figures: tuple[Figure, ...]


def of_app(app: App) -> list[Row]:
    """The table as it stands for an app."""
    used = uses(app)
    return [
        Row(
            interface.title,
            interface.source,
            tuple(
                Figure(
                    rule.name,
                    rule.kind.replace("_", " "),
                    str(told["limit"]),
                    str(told["doc"]),
                    used.get(rule.name),
                )
                for rule in interface.rules
                for told in (rule.told(app.edition),)
                if told is not None
            ),
        )
        for interface in rules.INTERFACES
    ]


def uses(app: App) -> dict[str, Use]:
    """What is used of each figure that is counted, by its rule."""
    found = {calls.name: use for calls, use in rates_of(app)}
    for quota in QUOTAS:
        stated = quota.stated(app.edition)
        if stated is not None:
            used = quotas.used(app.id, quota)
            found[quota.name] = Use(used, stated.value, "today")
    holdings = apps.holdings(app.id)
    for rule in HOLDINGS:
        stated = rule.stated(app.edition)
        if stated is not None:
            held = getattr(holdings, HELD[rule.name])
            found[rule.name] = Use(held, stated.value, "")
    return found


def rates_of(app: App) -> Iterator[tuple[Calls, Use]]:
    """What is used of each of an app's rates, in one look at the counters.

    Nothing where they do not answer: an operator comes to see just that.
    """
    its = [calls for calls in RATES if app.edition in calls.rates]
    try:
        standings = limiting.standings(app, its) if its else []
    except Unavailable:
        return
    for calls, taken in zip(its, standings, strict=True):
        rate = calls.rates[app.edition]
        used = max(0, rate.calls - taken.remaining)
        yield calls, Use(used, rate.calls, f"this {rate.per}")
