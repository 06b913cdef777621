"""What Python makes of generated files: run with stand-ins for all they import.

So no part of the compiler says what its output means.
"""

import builtins
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any

from codegen.spec import Bound, Calls, Spec, Stated

KINDS = ["Calls", "Rate", "Stated", "Interface", "MaxLength", "MaxItems", "MaxBytes",
         "Membership", "Quota", "Bandwidth", "Kept"]  # fmt: skip
Files = Mapping[PurePosixPath, str]


def _maker(word: str) -> Any:
    def make(*arguments: object, **named: object) -> object:
        return (word, arguments, named)

    return make


def package(files: Files) -> dict[str, Any]:
    """The editions, and of each interface its place and rules, as they come to be."""
    made: dict[str, ModuleType] = {}
    given = {
        "flask": SimpleNamespace(Blueprint=lambda name, _: name),
        "server.kinds": SimpleNamespace(**{word: _maker(word) for word in KINDS}),
        "server.limiting": SimpleNamespace(
            limit_every_route=lambda blueprint, _: blueprint,
            limit_route=lambda one: one,
        ),
        "server.rules": SimpleNamespace(),
    }

    def find(name: str, *rest: Any) -> object:
        assert rest[2], f"{name} is not imported from"
        return given[name]

    def run(path: PurePosixPath) -> ModuleType:
        module = ModuleType(path.stem)
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": find}
        exec(compile(files[path], str(path), "exec", dont_inherit=True), vars(module))  # noqa: S102 (the compiler's own output, with stand-ins)
        return module

    for path in files:
        if path.stem != "__init__":
            made[path.stem] = run(path)
            setattr(given["server.rules"], path.stem, made[path.stem])
    index = run(PurePosixPath("server/rules/__init__.py"))
    return {
        "editions": index.EDITIONS,
        "digest": index.DIGEST,
        "interfaces": list(index.INTERFACES),
        "constants": {
            (name, constant): value
            for name, module in made.items()
            for constant, value in vars(module).items()
            if constant.isupper()
        },
    }


def expected(spec: Spec) -> dict[str, Any]:
    """The same of a spec, from its figures and words alone."""
    constants: dict[tuple[str, str], Any] = {}
    interfaces = []
    for interface in spec.interfaces:
        by_name: dict[str, list[Calls | Bound]] = {}
        for rule in interface.rules:
            by_name.setdefault(rule.name, []).append(rule)
        objects = {
            name: _object(f"{interface.name}.{name}", same, spec.source)
            for name, same in by_name.items()
        }
        constants |= {(interface.name, n.upper()): o for n, o in objects.items()}
        place = f"{spec.source}:{interface.line}"
        row = (interface.name, interface.title, place, interface.name)
        interfaces.append(("Interface", (*row, tuple(objects.values())), {}))
    return {
        "editions": dict(spec.editions),
        "digest": spec.digest,
        "interfaces": interfaces,
        "constants": constants,
    }


def _object(name: str, same: list[Calls | Bound], source: str) -> object:
    first = same[0]
    if isinstance(first, Calls):
        # What an edition states itself goes before what all share.
        rates = {}
        for rule in sorted(same, key=lambda rule: rule.edition is not None):
            rates |= {
                edition: (
                    "Rate",
                    (rate.calls, rate.unit, *_place(rate.stated, source)),
                    {},
                )
                for edition, rate in rule.rates.items()
            }
        return ("Calls", (name,), {"scope": first.scope, "rates": rates})
    general, own = [], {}
    for rule in same:
        one = ("Stated", (rule.figure, *_place(rule.stated, source)), {})
        if rule.edition:
            own[rule.edition] = one
        else:
            general.append(one)
    named = {"by_edition": own} if own else {}
    return (first.kind.emitted, (name, *general), named)


def _place(stated: Stated, source: str) -> tuple[str, str]:
    return stated.words, f"{source}:{stated.line}"


def stated(rule: Calls | Bound) -> Iterator[Stated]:
    """Every phrase of a rule."""
    if isinstance(rule, Bound):
        yield rule.stated
    else:
        for rate in rule.rates.values():
            yield rate.stated
