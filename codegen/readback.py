"""Generated files back to the spec they came from, by reading their literals.

They keep no columns, and of a figure for all clusters not whether it was stated once.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from codegen import spec
from codegen.emit import FOLDER
from codegen.spec import Bound, Calls, Interface, Rate, Rule, Spec, Stated

KINDS = {kind.emitted: kind for kind in spec.KINDS}


class NotGenerated(Exception):
    """A file of server/rules/ is missing or was changed by hand."""

    def __init__(self, path: PurePosixPath) -> None:
        super().__init__(f"{path} is not as it was generated")
        self.path = path


def read(files: Mapping[PurePosixPath, bytes]) -> Spec:
    """The spec of generated files; an empty one when there are none.

    Raises:
        NotGenerated: a file does not read like generated text.
    """
    if not files:
        return Spec("", "", {}, ())
    index = _assignments(files, FOLDER / "__init__.py")
    try:
        editions = ast.literal_eval(index["EDITIONS"])
        digest = ast.literal_eval(index["DIGEST"])
        rows = list(_elements(index["INTERFACES"]))
        interfaces = tuple(_interface(row, files, editions) for row in rows)
        source = ast.literal_eval(rows[0].args[2]).rpartition(":")[0] if rows else ""
    except NotGenerated:
        raise
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise NotGenerated(FOLDER / "__init__.py") from error
    return Spec(source, digest, editions, interfaces)


def _assignments(
    files: Mapping[PurePosixPath, bytes], path: PurePosixPath
) -> dict[str, ast.expr]:
    """The values assigned at the top of a file, by name."""
    try:
        tree = ast.parse(files[path])
    except (KeyError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotGenerated(path) from error
    return {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _elements(node: ast.expr) -> Iterator[ast.Call]:
    if not isinstance(node, ast.Tuple):
        raise TypeError
    for element in node.elts:
        if not isinstance(element, ast.Call):
            raise TypeError
        yield element


def _interface(
    row: ast.Call, files: Mapping[PurePosixPath, bytes], editions: Mapping[str, str]
) -> Interface:
    name, title, place = (ast.literal_eval(node) for node in row.args[:3])
    path = FOLDER / f"{name}.py"
    values = _assignments(files, path)
    try:
        rules = tuple(
            rule
            for value in values.values()
            if isinstance(value, ast.Call)
            for rule in _rules(value, editions)
        )
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise NotGenerated(path) from error
    return Interface(name, title, _line(place), 0, rules)


def _rules(node: ast.Call, editions: Mapping[str, str]) -> Iterator[Rule]:
    """The rules of one emitted object; of any other call none."""
    word = node.func.id if isinstance(node.func, ast.Name) else ""
    named = {str(keyword.arg): keyword.value for keyword in node.keywords}
    if word == "Calls":
        yield from _calls(node, named, editions)
    elif word in KINDS:
        name = _local(node)
        for general in node.args[1:]:
            yield Bound(name, KINDS[word], *_stated(general))
        for edition, own in _items(named.get("by_edition", ast.Dict([], []))):
            yield Bound(name, KINDS[word], *_stated(own), edition)


def _calls(
    node: ast.Call, named: Mapping[str, ast.expr], editions: Mapping[str, str]
) -> Iterator[Calls]:
    scope = ast.literal_eval(named["scope"])
    rates = {edition: _rate(value) for edition, value in _items(named["rates"])}
    once = len({rate.stated for rate in rates.values()}) == 1
    if scope == "app" or (once and set(rates) == set(editions)):
        yield Calls(_local(node), scope, rates)
        return
    for edition, rate in rates.items():
        yield Calls(_local(node), scope, {edition: rate}, edition)


def _local(node: ast.Call) -> str:
    return str(ast.literal_eval(node.args[0])).partition(".")[2]


def _items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if not isinstance(node, ast.Dict):
        raise TypeError
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise TypeError
        yield str(ast.literal_eval(key)), value


def _stated(node: ast.expr) -> tuple[int, Stated]:
    figure, words, place = _literals(node)
    return int(figure), Stated(words, _line(place))


def _rate(node: ast.expr) -> Rate:
    calls, unit, words, place = _literals(node)
    if unit not in spec.SECONDS:
        raise ValueError
    return Rate(int(calls), unit, Stated(words, _line(place)))


def _literals(node: ast.expr) -> list[Any]:
    if not isinstance(node, ast.Call):
        raise TypeError
    return [ast.literal_eval(arg) for arg in node.args]


def _line(place: str) -> int:
    return int(place.rpartition(":")[2])
