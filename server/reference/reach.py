"""What a view reaches: the rules it names, how it can refuse, what it asks the call.

Read from the text of the server's own modules, as ``codegen explain`` reads the
handlers', so that nothing has to be declared twice or can be forgotten. Names are
resolved in the modules as they run.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from server import envelope, payload
from server.errors import Refusal
from server.kinds import Bound

Definition = tuple[str, str]
"""A module by its name, and a name it defines."""

# Where there is nothing to find: what is below the handlers, or shapes their answers.
_CLOSED = frozenset(
    f"server.{name}"
    for name in (
        "answers",
        "auth",
        "caller",
        "envelope",
        "errors",
        "kinds",
        "reference",
    )
) | {"server.limiting", "server.muc_errors", "server.rules", "server.settings"}
# Named for their words, not raised.
_WORDS = frozenset({"text", "description"})

_WHOLE = (payload.whole, payload.whole_in_any_case)


@dataclass
class Reach:
    """What was found, each thing once, in the order it was met."""

    rules: dict[str, Bound] = field(default_factory=dict)
    refusals: dict[type[Refusal], None] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    """Parameters of the query, and how each is read: whole, flag, echo or text."""
    headers: dict[str, None] = field(default_factory=dict)
    parts: dict[str, None] = field(default_factory=dict)
    """Of an upload, beside the file."""
    functions: set[Any] = field(default_factory=set)

    def note(self, found: object) -> None:
        if isinstance(found, Bound):
            self.rules[found.name] = found
        elif isinstance(found, type) and issubclass(found, Refusal):
            if found is not Refusal:
                self.refusals[found] = None
        elif inspect.isfunction(found):
            self.functions.add(found)

    def take(self, part: "Reach") -> None:
        """Add what a part of it was found to reach."""
        self.rules |= part.rules
        self.refusals |= part.refusals
        for name, way in part.query.items():
            self.ask(name, way)
        self.headers |= part.headers
        self.parts |= part.parts
        self.functions |= part.functions

    def ask(self, name: str, way: str) -> None:
        """A parameter is read this way; as text, where no other is known."""
        if way != "text" or name not in self.query:
            self.query[name] = way


def reach(view: Any) -> Reach:
    """All that *view*, its decorators and what they call in turn can come to."""
    found = Reach()
    innermost = inspect.unwrap(view)
    waiting: list[Definition] = [(innermost.__module__, innermost.__name__)]
    seen = set(waiting)
    while waiting:
        part, met = _read(*waiting.pop())
        found.take(part)
        waiting += [each for each in met if each not in seen]
        seen.update(met)
    return found


@cache
def _read(module: str, name: str) -> tuple[Reach, tuple[Definition, ...]]:
    """What a definition reaches by itself, and by which others; views share many."""
    found = Reach()
    reader = _Reader(sys.modules[module], found)
    nodes = _definitions(module).get(name, [])
    met = dict.fromkeys(each for node in nodes for each in reader.read(node))
    return found, tuple(met)


@cache
def _definitions(module: str) -> dict[str, list[ast.stmt]]:
    """The statements at the top of a module, by the names they define."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found.setdefault(statement.name, []).append(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found.setdefault(node.id, []).append(statement)
    return found


@cache
def _imports(module: str) -> dict[str, Definition]:
    """What a module imports by name, and from where."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


class _Reader:
    """Goes through one definition of one module."""

    def __init__(self, module: ModuleType, found: Reach) -> None:
        self._module = module
        self._found = found

    def read(self, node: ast.AST) -> Iterator[Definition]:
        if isinstance(node, ast.ExceptHandler):
            yield from self._children(node, but=node.type)
        elif isinstance(node, ast.Attribute) and node.attr in _WORDS:
            return
        elif isinstance(node, ast.arguments):
            return  # defaults count where nothing else is given, see the call
        elif isinstance(node, ast.Call):
            self._asked(node)
            self._left_out(node)
            yield from self._children(node)
        elif isinstance(node, ast.Name | ast.Attribute):
            yield from self._named(node)
        else:
            yield from self._children(node)

    def _children(
        self, node: ast.AST, but: ast.AST | None = None
    ) -> Iterator[Definition]:
        returns = getattr(node, "returns", None)
        for child in ast.iter_child_nodes(node):
            if child is not but and child is not returns:
                yield from self.read(child)

    def _named(self, node: ast.Name | ast.Attribute) -> Iterator[Definition]:
        value = self._resolve(node)
        if value is None:
            yield from self._children(node)
            return
        self._found.note(value)
        home, name = self._home(node, value)
        if home is not None and not _is_closed(home):
            yield home, name

    def _home(
        self, node: ast.Name | ast.Attribute, value: object
    ) -> tuple[str | None, str]:
        """Where what *node* names is defined."""
        if inspect.isfunction(value) or inspect.isclass(value):
            return value.__module__, value.__name__
        if isinstance(node, ast.Name):
            imported = _imports(self._module.__name__)
            return imported.get(node.id, (self._module.__name__, node.id))
        owner = self._resolve(node.value)
        return (owner.__name__ if isinstance(owner, ModuleType) else None), node.attr

    def _resolve(self, node: ast.AST) -> Any:
        """The thing that a name of the module, or of one it imports, stands for."""
        if isinstance(node, ast.Name):
            return vars(self._module).get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._resolve(node.value)
            if isinstance(owner, ModuleType):
                return vars(owner).get(node.attr)
        return None

    def _asked(self, node: ast.Call) -> None:
        """Note what is read of the query or of the header."""
        name = getattr(node.args[0], "value", None) if node.args else None
        if not isinstance(name, str):
            return
        called = self._resolve(node.func)
        source = ast.unparse(node.func)
        if called in _WHOLE:
            self._found.ask(name, "whole")
        elif called is envelope.asks_for:
            self._found.ask(name, "flag")
        elif source == "request.args.get":
            self._found.ask(name, "text")
        elif source == "request.headers.get":
            self._found.headers[name] = None
        elif source.endswith(".parts.get"):
            self._found.parts[name] = None

    def _left_out(self, node: ast.Call) -> None:
        """Note the defaults that a call of a function of ours makes use of."""
        called = self._resolve(node.func)
        if not inspect.isfunction(called) or _is_closed(called.__module__):
            return
        given = {keyword.arg for keyword in node.keywords}
        for at, parameter in enumerate(inspect.signature(called).parameters.values()):
            if at >= len(node.args) and parameter.name not in given:
                self._found.note(parameter.default)


def _is_closed(module: str) -> bool:
    if not module.startswith("server."):
        return True
    return any(module == each or module.startswith(f"{each}.") for each in _CLOSED)
