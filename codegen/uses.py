"""Which operation enforces which rule, read from the text of server/api/."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from codegen.handlers import Definition, Mentions, Module, Route

FOLDER = "server/api"
Key = TypeVar("Key")


@dataclass(frozen=True)
class Place:
    """A line of a handler module."""

    file: str
    line: int


@dataclass
class Uses:
    """Operations by interface and by rule, in the order of the files.

    *unread* holds files that are no Python: then nothing is known for certain.
    """

    operations: dict[str, list[str]] = field(default_factory=dict)
    enforced: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    mentioned: dict[tuple[str, str], list[Place]] = field(default_factory=dict)
    computed: list[Place] = field(default_factory=list)
    """Routes whose path is no plain text."""
    unread: list[tuple[Place, str]] = field(default_factory=list)

    def of_rule(self, interface: str, rule: str) -> list[str]:
        """The operations that enforce a rule; an interface's calls bind them all."""
        if rule == "calls":
            return self.operations.get(interface, [])
        return self.enforced.get((interface, rule), [])


def read(files: Mapping[str, bytes]) -> Uses:
    """Read handler modules, given by their name without `.py`."""
    uses = Uses()
    modules = dict(_parsed(files, uses))
    mentions = {
        (name, defined): found
        for name, module in modules.items()
        for defined, found in module.mentions().items()
    }
    for (name, _), found in mentions.items():
        for use in found.rules:
            key = (use.interface, use.rule.lower())
            place = Place(f"{FOLDER}/{name}.py", use.line)
            uses.mentioned.setdefault(key, []).append(place)
    for name, module in modules.items():
        for route in module.routes():
            interface = _interface(route.blueprint, module, modules)
            if interface:
                _enforce(uses, name, route, interface, mentions)
    return uses


def _parsed(files: Mapping[str, bytes], uses: Uses) -> Iterator[tuple[str, Module]]:
    for name, content in sorted(files.items()):
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else None
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            place = Place(f"{FOLDER}/{name}.py", line or 1)
            uses.unread.append((place, reason))
        else:
            yield name, Module(name, tree)


def _enforce(
    uses: Uses,
    name: str,
    route: Route,
    interface: str,
    mentions: Mapping[Definition, Mentions],
) -> None:
    """Note the route's operations under every rule that its function reaches."""
    if route.path is None:
        uses.computed.append(Place(f"{FOLDER}/{name}.py", route.line))
    _note(uses.operations, interface, route.operations)
    for found in _reached((name, route.view), mentions):
        for use in found.rules:
            key = (use.interface, use.rule.lower())
            _note(uses.enforced, key, route.operations)


def _note(notes: dict[Key, list[str]], key: Key, operations: list[str]) -> None:
    known = notes.setdefault(key, [])
    known += [operation for operation in operations if operation not in known]


def _reached(
    start: Definition, mentions: Mapping[Definition, Mentions]
) -> Iterator[Mentions]:
    """The mentions of *start* and of all that it mentions in turn."""
    waiting, seen = [start], {start}
    while waiting:
        found = mentions.get(waiting.pop())
        if found:
            yield found
            waiting += found.names - seen
            seen |= found.names


def _interface(
    node: ast.expr, module: Module, modules: Mapping[str, Module], depth: int = 0
) -> str | None:
    """The interface of a blueprint: `rules.blueprint`, by whatever name."""
    if depth > len(modules):
        return None
    if isinstance(node, ast.Attribute):
        if node.attr == "blueprint" and module.interface_of(node.value):
            return module.interface_of(node.value)
        if isinstance(node.value, ast.Name) and node.value.id in module.modules:
            return _defined(module.modules[node.value.id], node.attr, modules, depth)
        return None
    if not isinstance(node, ast.Name):
        return None
    if node.id in module.direct:
        interface, name = module.direct[node.id]
        return interface if name == "blueprint" else None
    if node.id in module.imported:
        return _defined(*module.imported[node.id], modules, depth)
    return _defined(module.name, node.id, modules, depth)


def _defined(
    name: str, defined: str, modules: Mapping[str, Module], depth: int
) -> str | None:
    module = modules.get(name)
    for statement in module.definitions.get(defined, []) if module else []:
        if module and isinstance(statement, ast.Assign):
            return _interface(statement.value, module, modules, depth + 1)
    return None
