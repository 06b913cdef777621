"""A handler module as text: its routes, and what each of its names mentions.

Modules are parsed, never imported, so the compiler works when the server cannot start.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

RULES, API = "server.rules", "server.api"
METHODS = frozenset({"get", "post", "put", "delete", "patch"})
CONVERTER = re.compile(r"<(?:[^<>:]*:)?([^<>:]*)>")

Definition = tuple[str, str]
"""A name of a handler module: the module, and the name."""


@dataclass(frozen=True)
class Use:
    """A read of `rules.NAME`."""

    interface: str
    rule: str
    line: int


@dataclass
class Mentions:
    """What one definition reads: rules, and other definitions of server/api."""

    rules: list[Use] = field(default_factory=list)
    names: set[Definition] = field(default_factory=set)


@dataclass(frozen=True)
class Route:
    """An operation and the function that serves it. *path* None: it is computed."""

    blueprint: ast.expr
    methods: tuple[str, ...]
    path: str | None
    view: str
    line: int

    @property
    def operations(self) -> list[str]:
        path = CONVERTER.sub(r"{\1}", self.path or "/…")
        return [f"{method} /{{org}}/{{app}}{path}" for method in self.methods]


class Module:
    """One file of server/api/."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.rules: dict[str, str] = {}
        """Local name of a rules module -> interface."""
        self.packages: set[str] = set()
        """Local names of the package server.rules itself."""
        self.direct: dict[str, tuple[str, str]] = {}
        """Local name of a single rule -> interface and rule."""
        self.modules: dict[str, str] = {}
        """Local name of another module of server/api -> that module."""
        self.imported: dict[str, Definition] = {}
        """Local name of something of another module of server/api."""
        self.definitions: dict[str, list[ast.stmt]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self._import(node)
        for statement in tree.body:
            for defined in _defines(statement):
                self.definitions.setdefault(defined, []).append(statement)

    def _import(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            local = alias.asname or alias.name
            if node.module == RULES:
                self.rules[local] = alias.name
            elif node.module == "server" and alias.name == "rules":
                self.packages.add(local)
            elif node.module == API:
                self.modules[local] = alias.name
            elif node.module and node.module.startswith(RULES + "."):
                interface = node.module.removeprefix(RULES + ".")
                self.direct[local] = (interface, alias.name)
            elif node.module and node.module.startswith(API + "."):
                module = node.module.removeprefix(API + ".")
                self.imported[local] = (module, alias.name)

    def interface_of(self, node: ast.expr) -> str | None:
        """The interface whose rules module *node* is."""
        if isinstance(node, ast.Name):
            return self.rules.get(node.id)
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            return None
        return node.attr if node.value.id in self.packages else None

    def routes(self) -> Iterator[Route]:
        """The routes of the module's own functions, in their order."""
        for name, statements in self.definitions.items():
            for statement in statements:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    for decorator in statement.decorator_list:
                        yield from self._route(name, decorator)

    def _route(self, view: str, node: ast.expr) -> Iterator[Route]:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return
        verb = node.func.attr
        if verb not in METHODS and verb != "route":
            return
        named = {word.arg: word.value for word in node.keywords}
        path = node.args[0] if node.args else named.get("rule")
        methods = (verb.upper(),) if verb in METHODS else self._methods(named)
        text = self._text(path) if path else None
        yield Route(node.func.value, methods, text, view, node.lineno)

    def _methods(self, named: dict[str | None, ast.expr]) -> tuple[str, ...]:
        listed = named.get("methods")
        if not isinstance(listed, ast.List | ast.Tuple | ast.Set):
            return ("GET",)
        texts = [self._text(entry) for entry in listed.elts]
        return tuple(text.upper() for text in texts if text)

    def _text(self, node: ast.expr, depth: int = 0) -> str | None:
        """The text of a string, of a constant of this module, or of their sum."""
        if depth > 20:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [self._text(side, depth + 1) for side in (node.left, node.right)]
        elif isinstance(node, ast.JoinedStr):
            parts = [self._text(part, depth + 1) for part in node.values]
        elif isinstance(node, ast.FormattedValue):
            return self._text(node.value, depth + 1)
        elif isinstance(node, ast.Name):
            values = [
                statement.value
                for statement in self.definitions.get(node.id, [])
                if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value
            ]
            return self._text(values[0], depth + 1) if len(values) == 1 else None
        else:
            return None
        return None if None in parts else "".join(part or "" for part in parts)

    def mentions(self) -> dict[str, Mentions]:
        """What each definition of the module reads."""
        return {
            name: self._read(statements)
            for name, statements in self.definitions.items()
        }

    def _read(self, statements: list[ast.stmt]) -> Mentions:
        found = Mentions()
        for statement in statements:
            for node in ast.walk(statement):
                if isinstance(node, ast.Attribute):
                    self._attribute(node, found)
                elif isinstance(node, ast.Name):
                    self._name(node, found)
        return found

    def _attribute(self, node: ast.Attribute, found: Mentions) -> None:
        interface = self.interface_of(node.value)
        if interface:
            found.rules.append(Use(interface, node.attr, node.lineno))
        elif isinstance(node.value, ast.Name) and node.value.id in self.modules:
            found.names.add((self.modules[node.value.id], node.attr))

    def _name(self, node: ast.Name, found: Mentions) -> None:
        if node.id in self.direct:
            interface, rule = self.direct[node.id]
            found.rules.append(Use(interface, rule, node.lineno))
        elif node.id in self.imported:
            found.names.add(self.imported[node.id])
        elif node.id in self.definitions:
            found.names.add((self.name, node.id))


def _defines(statement: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    names = [node for target in targets for node in ast.walk(target)]
    return [node.id for node in names if isinstance(node, ast.Name)]
