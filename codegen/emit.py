"""The spec as Python text, laid out as `ruff format` would leave it.

Words of the table come in as string literals and nowhere else, so no cell can break
out of its place.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import PurePosixPath

from codegen.layout import Call, Dict, Name, Tuple, assign, literal
from codegen.spec import Bound, Calls, Interface, Rate, Rule, Spec, Stated

FOLDER = PurePosixPath("server/rules")
HEADER = "# Generated from "


def package(spec: Spec) -> dict[PurePosixPath, str]:
    """Every file of server/rules/, by its path in the tree."""
    files = {FOLDER / "__init__.py": _index(spec)}
    for interface in spec.interfaces:
        files[FOLDER / f"{interface.name}.py"] = _module(interface, spec.source)
    return dict(sorted(files.items()))


def constant(rule: str) -> str:
    """The constant of a rule's name."""
    return rule.upper()


def _heading(source: str, docstring: str) -> list[str]:
    return [
        f"{HEADER}{source} by `python -m codegen`. Change the table, not this file.",
        f'"""{docstring}"""',
        "",
    ]


def _module(interface: Interface, source: str) -> str:
    rules = [list(same) for _, same in groupby(_by_name(interface), lambda r: r.name)]
    verbs = sorted({_verb(rule) for rule, *_ in rules if isinstance(rule, Calls)})
    kinds = sorted({word for rule in interface.rules for word in _kinds(rule)})
    word = interface.name.capitalize()
    lines = _heading(source, f"{word}: the rules of {source}:{interface.line}.")
    lines += ["from flask import Blueprint", ""]
    lines += _import("server.kinds", kinds)
    if verbs:
        lines += _import("server.limiting", verbs)
    lines += ["", f"blueprint = Blueprint({literal(interface.name)}, __name__)"]
    for same in rules:
        lines += ["", *_rule(interface.name, same, source)]
    return "\n".join(lines) + "\n"


def _by_name(interface: Interface) -> list[Rule]:
    """Rules with those of one name together, in the order of the first of each."""
    order = {name: i for i, name in enumerate(_names(interface))}
    return sorted(interface.rules, key=lambda rule: order[rule.name])


def _names(interface: Interface) -> list[str]:
    return list(dict.fromkeys(rule.name for rule in interface.rules))


def _kinds(rule: Rule) -> tuple[str, ...]:
    """The words that a rule needs of server/kinds.py."""
    return (
        ("Calls", "Rate") if isinstance(rule, Calls) else (rule.kind.emitted, "Stated")
    )


def _verb(rule: Calls) -> str:
    return "limit_every_route" if rule.scope == "app" else "limit_route"


def _rule(interface: str, same: list[Rule], source: str) -> Iterator[str]:
    """One object for all the rules of a name."""
    name = f"{interface}.{same[0].name}"
    calls = [rule for rule in same if isinstance(rule, Calls)]
    if calls:
        yield from _calls(name, calls, source)
    else:
        bounds = [rule for rule in same if isinstance(rule, Bound)]
        yield from _bound(name, bounds, source)


def _calls(name: str, same: list[Calls], source: str) -> Iterator[str]:
    rates: dict[str, Rate] = {}
    for rule in sorted(same, key=lambda rule: rule.edition is not None):
        rates |= rule.rates  # what an edition states stands before what all do
    first = same[0]
    call = Call(
        "Calls",
        (Name(literal(name)),),
        {
            "scope": Name(literal(first.scope)),
            "rates": Dict({e: _rate(rate, source) for e, rate in rates.items()}),
        },
    )
    yield from assign(constant(first.name), call)
    if first.scope == "app":
        yield f"{_verb(first)}(blueprint, {constant(first.name)})"
    else:
        yield f"{first.name} = {_verb(first)}({constant(first.name)})"


def _bound(name: str, same: list[Bound], source: str) -> Iterator[str]:
    general = tuple(_stated(rule, source) for rule in same if rule.edition is None)
    own = {rule.edition: _stated(rule, source) for rule in same if rule.edition}
    named = {"by_edition": Dict(own)} if own else {}
    first = same[0]
    call = Call(first.kind.emitted, (Name(literal(name)), *general), named)
    yield from assign(constant(first.name), call)


def _rate(rate: Rate, source: str) -> Call:
    place = _source(rate.stated, source)
    words = Name(literal(rate.stated.words))
    return Call(
        "Rate",
        (Name(str(rate.calls)), Name(literal(rate.unit)), words, place),
        fits=True,
    )


def _stated(rule: Bound, source: str) -> Call:
    words = Name(literal(rule.stated.words))
    place = _source(rule.stated, source)
    return Call("Stated", (Name(str(rule.figure)), words, place), fits=True)


def _source(stated: Stated, source: str) -> Name:
    return Name(literal(f"{source}:{stated.line}"))


def _index(spec: Spec) -> str:
    """The package: every interface in the table's order."""
    modules = sorted((one.name for one in spec.interfaces), key=_natural)
    lines = _heading(spec.source, f"The rules of {spec.source}, in its order.")
    lines += ["from server.kinds import Interface"]
    lines += [*_import("server.rules", modules), ""]
    editions = Dict({e: Name(literal(h)) for e, h in spec.editions.items()}, fits=True)
    lines += [*assign("EDITIONS", editions), ""]
    lines += [f"DIGEST = {literal(spec.digest)}", ""]
    rows = Tuple(tuple(_entry(one, spec.source) for one in spec.interfaces))
    return "\n".join([*lines, *assign("INTERFACES", rows)]) + "\n"


def _entry(interface: Interface, source: str) -> Call:
    module = interface.name
    rules = tuple(Name(f"{module}.{constant(rule)}") for rule in _names(interface))
    return Call(
        "Interface",
        (
            Name(literal(module)),
            Name(literal(interface.title)),
            Name(literal(f"{source}:{interface.line}")),
            Name(f"{module}.blueprint"),
            Tuple(rules, fits=True),
        ),
        fits=True,
    )


def _import(module: str, names: Iterable[str]) -> list[str]:
    """An import of sorted *names*, on one line when it fits."""
    names = list(names)
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 88:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """As ruff sorts imports: web2 before web10, and web02 before both."""
    return [
        (0, 0 if part[0] == "0" else int(part), part)
        if part.isdigit()
        else (1, 0, part)
        for part in re.findall(r"[0-9]+|[^0-9]+", name)
    ]
