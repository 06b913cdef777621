"""SQL is put together from constants alone: that is why ruff's S608 is let be here."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

STORE = Path(__file__).parent.parent.parent.parent / "server/store"
MODULES = sorted(STORE.rglob("*.py"))
BEGINS = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b", re.IGNORECASE)


def constants(tree: ast.Module) -> set[str]:
    """Names that stand for constants at every place where they are given a meaning."""
    known = {
        each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        # By its name a constant, and held to the same where it is made.
        if (node.module or "").startswith("server.store")
        for each in node.names
        if each.name.isupper()
    }
    given = Counter(_given(tree))
    while True:
        constant = Counter(_given_constants(tree, known))
        more = {name for name, times in constant.items() if times == given[name]}
        if more <= known:
            return known
        known |= more


def _given(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _given_constants(tree: ast.Module, known: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign) and is_constant(node.value, known):
            targets = node.targets
        elif isinstance(node, ast.For | ast.comprehension) and is_constant(
            node.iter, known
        ):
            targets = [node.target]
        yield from (each.id for each in targets if isinstance(each, ast.Name))


def is_constant(node: ast.expr, known: set[str]) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name():
            return node.id in known
        case ast.JoinedStr():
            return all(is_constant(each, known) for each in node.values)
        case ast.FormattedValue():
            return is_constant(node.value, known)
        case ast.BinOp():
            return is_constant(node.left, known) and is_constant(node.right, known)
        case ast.IfExp():
            return is_constant(node.body, known) and is_constant(node.orelse, known)
        case ast.Attribute(value=ast.Name(id=name)):
            return name.isupper() and name in known
        case ast.Tuple() | ast.List():
            return all(is_constant(each, known) for each in node.elts)
    return False


def put_together(tree: ast.Module) -> Iterator[ast.expr]:
    """Every text that begins like a statement and has something put into it."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                begins = text
            case ast.BinOp(left=ast.Constant(value=str(text))):
                begins = text
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")
            ):
                begins = text
            case _:
                continue
        if BEGINS.match(begins):
            yield node


def from_elsewhere(tree: ast.Module) -> list[str]:
    known = constants(tree)
    return [ast.unparse(e) for e in put_together(tree) if not is_constant(e, known)]


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(STORE).with_suffix(""))
)
def test_only_constants_get_into_sql(path: Path) -> None:
    assert from_elsewhere(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "careless",
    [
        'def find(name):\n    return Statement(f"SELECT 1 WHERE name = {name}")',
        'def find(by):\n    execute_sql("SELECT 1 ORDER BY " + by)',
        'def find(by):\n    execute_sql("select %s" % by)',
        'def find(by):\n    execute_sql("DELETE FROM {}".format(by))',
        'BY = "a"\ndef find(BY):\n    execute_sql(f"SELECT 1 ORDER BY {BY}")',
        "TABLE = input()\nFIND = f'SELECT 1 FROM {TABLE}'",
        "FIND = [f'SELECT {column} FROM app' for column in input()]",
    ],
)
def test_anything_else_is_seen(careless: str) -> None:
    assert from_elsewhere(ast.parse(careless))
