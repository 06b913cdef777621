"""SQL is put together from constants alone: that is why ruff's S608 is let be here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STORE = Path(__file__).parent.parent.parent.parent / "server/store"
MODULES = sorted(STORE.rglob("*.py"))
RUN = {"Statement", "execute_sql", "SQL", "execute", "executemany"}


def constants(tree: ast.Module) -> set[str]:
    """Names that the module sets once, at its top, to texts or to numbers."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and is_constant(node.value, found):
            found |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.For) and is_constant(node.iter, found):
            found |= {node.target.id} if isinstance(node.target, ast.Name) else set()
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "server.store"  # by its name a constant, and held to the same there
        ):
            found |= {each.name for each in node.names if each.name.isupper()}
    return found


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
        case ast.Tuple() | ast.List():
            return all(is_constant(each, known) for each in node.elts)
    return False


def statements(tree: ast.Module) -> Iterator[ast.expr]:
    """What is executed, or made a statement of: the first thing it is given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else None
            name = called.id if isinstance(called, ast.Name) else name
            if name in RUN:
                yield node.args[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_only_constants_get_into_sql(path: Path) -> None:
    tree = ast.parse(path.read_text())
    known = constants(tree)

    put_together = [
        ast.unparse(each)
        for each in statements(tree)
        if not is_constant(each, known) and ast.unparse(each) not in LET_BE
    ]

    assert put_together == []


LET_BE = {"self._sql"}
"""What a Statement was made of, which is looked at where it is made."""


@pytest.mark.parametrize(
    "careless",
    [
        'def find(name):\n    return Statement(f"SELECT 1 WHERE name = {name}")',
        'def find(by):\n    database.execute_sql("SELECT 1 ORDER BY " + by)',
        'def find(by):\n    database.execute_sql("SELECT %s" % by)',
        'def find(by):\n    database.execute_sql("SELECT {}".format(by))',
    ],
)
def test_anything_else_is_seen(careless: str) -> None:
    tree = ast.parse(careless)

    assert not all(is_constant(each, constants(tree)) for each in statements(tree))
