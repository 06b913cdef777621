"""Two specs to what an edit changes for callers: what is looser and what tighter.

Each edition is compared by what binds it: its own figure, else the general one. Rates
of different units are compared by what they let through: one is looser only when it
admits every run of calls that the other admits. Where neither does, it is *changed*.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from codegen.spec import Bound, Calls, Rate, Rule, Spec, Stated

Change = Literal["looser", "tighter", "changed", "added", "removed"]


@dataclass(frozen=True)
class Figure:
    """What binds an edition: its kind, its value, its words."""

    kind: str
    value: int
    seconds: int
    stated: Stated

    def same(self, other: "Figure") -> bool:
        return self._measure == other._measure

    def admits(self, other: "Figure") -> bool:
        """Whether all that *other* lets through passes here too.

        A unit of time is a whole number of each shorter one, so a window holds at most
        so many times the other's figure; a shorter window holds the other's at once.
        """
        windows = max(1, self.seconds // other.seconds)
        return self.kind == other.kind and self.value >= other.value * windows

    @property
    def _measure(self) -> tuple[str, int, int]:
        return self.kind, self.value, self.seconds


@dataclass(frozen=True)
class Changed:
    """One rule, changed for one edition; *edition* None: for all, alike."""

    rule: str
    edition: str | None
    change: Change
    old: Stated | None
    new: Stated | None


def between(old: Spec, new: Spec) -> list[Changed]:
    """What differs for callers, in the order of the new table, then of the old."""
    before, after = _by_name(old), _by_name(new)
    order = [*after, *(name for name in before if name not in after)]
    editions = list(dict.fromkeys([*new.editions, *old.editions]))
    return [
        changed
        for name in order
        for changed in _rule(name, before.get(name, []), after.get(name, []), editions)
    ]


def _rule(
    name: str, old: list[Rule], new: list[Rule], editions: list[str]
) -> Iterator[Changed]:
    """The changes of one rule, as one when all editions fare alike."""
    changes = [
        _compare(name, edition, _binding(old, edition), _binding(new, edition))
        for edition in editions
    ]
    alike = {(c.change, c.old, c.new) for c in changes if c}
    if len(alike) == 1 and all(changes):
        change, before, after = alike.pop()
        yield Changed(name, None, change, before, after)
    else:
        yield from filter(None, changes)


def _compare(
    name: str, edition: str, old: Figure | None, new: Figure | None
) -> Changed | None:
    if old is None or new is None:
        if old is new:
            return None
        change: Change = "removed" if new is None else "added"
    elif old.same(new):
        return None
    elif new.admits(old):
        change = "looser"
    else:
        change = "tighter" if old.admits(new) else "changed"
    before, after = (figure.stated if figure else None for figure in (old, new))
    return Changed(name, edition, change, before, after)


def _binding(rules: list[Rule], edition: str) -> Figure | None:
    """The figure of *edition*: its own before the general one."""
    own = [rule for rule in rules if rule.edition == edition]
    for rule in [*own, *(rule for rule in rules if rule.edition is None)]:
        if isinstance(rule, Bound):
            return Figure(rule.kind.word, rule.figure, 1, rule.stated)
        if edition in rule.rates:
            return _of_rate(rule, rule.rates[edition])
        if rule.scope == "cluster":  # an edition that the other table does not know
            return _of_rate(rule, next(iter(rule.rates.values())))
    return None


def _of_rate(rule: Calls, rate: Rate) -> Figure:
    return Figure(rule.scope, rate.calls, rate.seconds, rate.stated)


def _by_name(spec: Spec) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for interface, rule in spec.rules():
        found.setdefault(f"{interface.name}.{rule.name}", []).append(rule)
    return found
