"""Every figure of the table: its place, the rule it became, who enforces it."""

from typing import TypedDict

from codegen.spec import Bound, Calls, Interface, Rate, Rule, Spec, Stated
from codegen.uses import Uses

Json = dict[str, object]


class Explained(TypedDict):
    """What `explain --format json` prints."""

    editions: list[str]
    interfaces: list[Json]


def as_json(spec: Spec, uses: Uses) -> Explained:
    return {
        "editions": list(spec.editions),
        "interfaces": [
            {
                "name": interface.name,
                "title": interface.title,
                "line": interface.line,
                "rules": [_rule(interface, rule, uses) for rule in interface.rules],
            }
            for interface in spec.interfaces
        ],
    }


def _rule(interface: Interface, rule: Rule, uses: Uses) -> Json:
    return {
        "name": f"{interface.name}.{rule.name}",
        "kind": "calls" if isinstance(rule, Calls) else rule.kind.word,
        **_place(rule.stated),
        "edition": rule.edition,
        "enforced_by": uses.of_rule(interface.name, rule.name),
        **(_calls(rule) if isinstance(rule, Calls) else _bound(rule)),
    }


def _place(stated: Stated) -> Json:
    return {"line": stated.line, "column": stated.column, "words": stated.words}


def _calls(rule: Calls) -> Json:
    return {
        "scope": rule.scope,
        "rates": {
            edition: {"calls": rate.calls, "seconds": rate.seconds}
            for edition, rate in rule.rates.items()
        },
        "places": {
            edition: _place(rate.stated) for edition, rate in rule.rates.items()
        },
    }


def _bound(rule: Bound) -> Json:
    return {rule.kind.counts: rule.figure}


def as_text(spec: Spec, uses: Uses) -> str:
    """The same for people: a block for each interface."""
    return "\n".join(_block(spec, interface, uses) for interface in spec.interfaces)


def _block(spec: Spec, interface: Interface, uses: Uses) -> str:
    lines = [f"{interface.title} ({interface.name}, {spec.source}:{interface.line})"]
    for rule in interface.rules:
        lines.append(f"  {interface.name}.{rule.name}")
        lines += [f"    {line}" for line in _figures(rule, spec)]
        operations = uses.of_rule(interface.name, rule.name)
        lines.append("    enforced by" if operations else "    enforced by nothing yet")
        lines += [f"      {operation}" for operation in operations]
    return "\n".join(lines) + "\n"


def _figures(rule: Rule, spec: Spec) -> list[str]:
    """Each figure in words, with its place and phrase."""
    if isinstance(rule, Bound):
        figure = in_words(rule)
        if rule.edition:
            figure += f", {spec.editions[rule.edition]}"
        return _stated(figure, rule.stated, spec)
    if len({rate.stated for rate in rule.rates.values()}) == 1 and not rule.edition:
        rate = next(iter(rule.rates.values()))
        return _stated(f"{rate_in_words(rate)}, all apps together", rate.stated, spec)
    return [
        line
        for edition, rate in rule.rates.items()
        for line in _stated(
            f"{rate_in_words(rate)}, {spec.editions[edition]}", rate.stated, spec
        )
    ]


def _stated(figure: str, stated: Stated, spec: Spec) -> list[str]:
    place = f"{spec.source}:{stated.line}:{stated.column}"
    return [figure, f"  {place} \u201c{stated.words}\u201d"]


def in_words(rule: Bound) -> str:
    """The figure of a bound in its own unit."""
    return rule.kind.says.format(f"{rule.figure:,}")


def rate_in_words(rate: Rate) -> str:
    return f"{rate.calls:,} {'call' if rate.calls == 1 else 'calls'}/{rate.unit}"
