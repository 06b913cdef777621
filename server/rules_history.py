"""What changed in the compiled rules since the last start, in the document's words.

The compiler is not at hand when a server starts, so the figures of each table that was
in force are kept in the database, and compared as ``codegen diff`` compares them: by
what binds each edition.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from server import rules
from server.kinds import Bound, Calls
from server.store import audit

Figure = list[Any]
"""Kind, value, seconds, words, place."""
Figures = Mapping[str, Mapping[str, Figure]]
"""By rule, then by the title of the edition."""

FIRST = "the first rules this database has seen"
MOVED = "no figure changed; lines of the tables moved"


def note() -> None:
    """See the rules as they are in force; a change since the last is audited, once."""
    last = audit.last_rules()
    if last is not None and last[0] == rules.DIGEST:
        return  # without a lock: so it is at nearly every start
    now = _figures()
    text = orjson.dumps(now).decode()
    with audit.seeing_rules(rules.DIGEST, text) as change:
        if change is None:
            return
        words = FIRST
        if change.before is not None:
            lines = list(differences(orjson.loads(change.before), now))
            words = "\n".join(lines) or MOVED
        audit.note("rules", rules.DIGEST, words)


def _figures() -> dict[str, dict[str, Figure]]:
    found: dict[str, dict[str, Figure]] = {}
    for interface in rules.INTERFACES:
        for rule in interface.rules:
            of_rule = found.setdefault(rule.name, {})
            for edition, title in rules.EDITIONS.items():
                figure = _figure(rule, edition)
                if figure is not None:
                    of_rule[title] = figure
    return found


def _figure(rule: Calls | Bound, edition: str) -> Figure | None:
    if isinstance(rule, Calls):
        rate = rule.rates.get(edition)
        if rate is None:
            return None
        return [rule.scope, rate.calls, rate.seconds, rate.words, rate.source]
    stated = rule.stated(edition)
    if stated is None:
        return None
    return [rule.kind, stated.value, 1, stated.words, stated.source]


def differences(old: Figures, new: Figures) -> Iterator[str]:
    """A line for each rule and edition that fares otherwise; one where all do alike."""
    for rule in [*new, *(name for name in old if name not in new)]:
        before, after = old.get(rule, {}), new.get(rule, {})
        editions = list(dict.fromkeys([*after, *before]))
        told = {each: _change(before.get(each), after.get(each)) for each in editions}
        alike = set(told.values())
        if len(alike) == 1:
            told = {"": alike.pop()}
        for edition, change in told.items():
            if change is not None:
                yield f"{rule}{edition and f' ({edition})'} {change}"


def _change(old: Figure | None, new: Figure | None) -> str | None:
    if old is None or new is None:
        if old is None and new is not None:
            return f"added: {new[3]} ({new[4]})"
        return None if old is None else f"removed: was {old[3]}"
    if old[:3] == new[:3]:
        return None
    word = "changed"
    if _admits(new, old):
        word = "looser"
    elif _admits(old, new):
        word = "tighter"
    return f"{word}: {old[3]} → {new[3]} ({new[4]})"


def _admits(figure: Figure, other: Figure) -> bool:
    """Whether all that *other* lets through passes here too; see codegen's changes."""
    windows = max(1, figure[2] // other[2])
    return bool(figure[0] == other[0] and figure[1] >= other[1] * windows)
