"""Readings to rules: whom each figure binds, and which figures contradict."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from codegen.forms import BoundClaim, CallsClaim
from codegen.inline import Text
from codegen.phrases import Reading
from codegen.problems import Complaints, Span
from codegen.spec import Bound, Calls, Interface, Rate, Rule, Stated


@dataclass
class Found:
    """What was read of one interface, row by row."""

    name: str
    title: Text
    rates: dict[str, Reading] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    @property
    def line(self) -> int:
        return self.title.line


def span(stated: Stated) -> Span:
    """The place of a phrase."""
    return Span(stated.line, stated.column, stated.length)


def interface(
    found: Found, editions: Mapping[str, str], complaints: Complaints
) -> Interface:
    """The interface with its rules: calls first, then by place."""
    rules = [_rule(reading, editions) for reading in found.readings]
    rules.sort(key=lambda rule: (rule.stated.line, rule.stated.column))
    _complain_of_repeats(found.name, rules, complaints)
    _complain_of_looser(found.name, rules, complaints)
    calls = tuple(_app_calls(found, editions))
    title = found.title.words()
    return Interface(
        found.name, title, found.line, found.title.span.column, (*calls, *rules)
    )


def _app_calls(found: Found, editions: Mapping[str, str]) -> Iterator[Calls]:
    rates = {
        edition: _rate(found.rates[edition])
        for edition in editions
        if edition in found.rates
    }
    if rates:
        yield Calls("calls", "app", rates)


def _rule(reading: Reading, editions: Mapping[str, str]) -> Rule:
    claim = reading.claim
    if isinstance(claim, BoundClaim):
        return Bound(
            claim.name, claim.kind, claim.figure, reading.stated, reading.edition
        )
    bound = [reading.edition] if reading.edition else list(editions)
    rates = dict.fromkeys(bound, _rate(reading))
    return Calls(claim.name, claim.scope, rates, reading.edition)


def _rate(reading: Reading) -> Rate:
    claim = reading.claim
    if not isinstance(claim, CallsClaim):  # pragma: no cover - callers see to it
        raise TypeError(claim)
    return Rate(claim.calls, claim.unit, reading.stated)


def _complain_of_repeats(
    interface: str, rules: list[Rule], complaints: Complaints
) -> None:
    """A rule states one figure for an edition, of one kind for all."""
    first: dict[tuple[str, str | None], Rule] = {}
    kinds: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault((rule.name, rule.edition), rule)
        alike = kinds.setdefault(rule.name, rule)
        name = f"{interface}.{rule.name}"
        if other is not rule:
            heading = f"{name} is stated twice"
        elif _kind(alike) != _kind(rule):
            heading, other = f"{name} is stated as two kinds of limit", alike
        else:
            continue
        place = f"{other.stated.line}:{other.stated.column}"
        complaints.error(
            span(rule.stated),
            heading,
            f'first at {place}: "{other.stated.words}"',
            "keep one, or give the other a subject of its own",
        )
        complaints.error(
            span(other.stated),
            heading,
            f'again at {rule.stated.line}:{rule.stated.column}: "{rule.stated.words}"',
        )


def _complain_of_looser(
    interface: str, rules: list[Rule], complaints: Complaints
) -> None:
    """A figure of one edition within a general one has to be the tighter."""
    general = {rule.name: rule for rule in rules if rule.edition is None}
    for rule in rules:
        wider = general.get(rule.name)
        if not (rule.edition and wider and _kind(rule) == _kind(wider)):
            continue
        if _most(rule) > _most(wider):
            complaints.error(
                span(rule.stated),
                f"{interface}.{rule.name}: this can bind nobody",
                f'every edition is bound to "{wider.stated.words}" '
                f"({wider.stated.line}:{wider.stated.column})",
            )


def _kind(rule: Rule) -> str:
    return rule.kind.word if isinstance(rule, Bound) else rule.scope


def _most(rule: Rule) -> Fraction:
    if isinstance(rule, Bound):
        return Fraction(rule.figure)
    rate = next(iter(rule.rates.values()))
    return Fraction(rate.calls, rate.seconds)
