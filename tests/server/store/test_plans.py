"""No statement of the store reads a table from end to end."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from flask import Flask

from server import store
from server.store.database import Statement
from tests.databases import only_sqlite
from tests.plans import steps_of

# What reads more than it answers with, and why it may.
MAY_SCAN = {
    "apps._LIST": "all apps, for the operator",
    "apps._ANY": "stops at the first",
    "offline._COUNT_ALL": "stops at the most it was asked to count",
    "quotas._USED_BY_ALL": "each app, for the operator's scrape",
    "events._REMEMBER": "a table of one row",
    "inbox.READ": "what its parts found by an index",
    "leases._OVER": "a row for each device that receives, for the sweep",
    "apps._COUNT": "how many there are of each edition, for the operator",
    "apps._FULLEST": "the apps that hold most, for the operator, once in a while",
    "audit._LAST_RULES": "the last row, by its key backwards",
    "operators._LIST": "all operators, who are few",
    "quotas._NEAREST": "the apps that used most, for the operator, once in a while",
}
_ONLY_POSTGRESQL = frozenset({"ids._TAKE"})

# What sorts what it found, and why that is little.
MAY_SORT = {
    "apps._COUNT": "as many groups as there are editions",
    "muc_lists.BLOCKED": "all of one group's, which it answers with",
    "muc_lists.MUTED": "all of one group's, which it answers with",
}


def statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(store.__path__):
        found = importlib.import_module(f"{store.__name__}.{module.name}")
        for name, value in vars(found).items():
            named = f"{module.name}.{name}"
            each = value if isinstance(value, dict) else {"": value}
            for part in each.values():
                if isinstance(part, Statement) and named not in _ONLY_POSTGRESQL:
                    yield named, part


STATEMENTS = list(statements())


def scans(step: str) -> bool:
    return step.startswith("SCAN ") and "CONSTANT ROW" not in step


def test_all_of_the_store_is_looked_at() -> None:
    assert len(STATEMENTS) > 100


@only_sqlite
@pytest.mark.parametrize(("name", "statement"), STATEMENTS)
def test_a_statement_finds_its_rows_by_an_index(
    app: Flask, name: str, statement: Statement
) -> None:
    steps = steps_of(statement)

    assert any(map(scans, steps)) == (name in MAY_SCAN), steps
    assert any("TEMP B-TREE" in step for step in steps) == (name in MAY_SORT), steps
