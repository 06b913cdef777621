"""Which database the tests run on: SQLite, or with TEST_DATABASE=postgresql that.

On PostgreSQL every state directory has a database of its own, but for the tests of one
process at a time, which share one that is emptied before each.
"""

import functools
import hashlib
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from server.settings import Settings
from server.store import schema
from server.store.models import TABLES
from tests.services import postgres

ON_POSTGRESQL = os.environ.get("TEST_DATABASE") == "postgresql"

only_sqlite = pytest.mark.skipif(ON_POSTGRESQL, reason="of SQLite alone")
only_postgresql = pytest.mark.skipif(not ON_POSTGRESQL, reason="of PostgreSQL alone")

_TEMPLATE = "cast_of_all"
# Time stands still in tests, for the database too: its clock is a file while there is
# one. Nothing but the template of the tests' databases has this function.
_CLOCK = """
CREATE OR REPLACE FUNCTION unix_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(
        nullif(pg_read_file('{}', 0, 100, true), '')::bigint,
        floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
    )
$$
"""


class Clock:
    """The database's clock; nothing to do where it has none of its own."""

    def stands_at(self, unix_ms: int) -> None:
        if ON_POSTGRESQL:
            coming = _clock_path().with_suffix(".coming")
            coming.write_text(str(unix_ms))
            coming.rename(_clock_path())

    def runs(self) -> None:
        if ON_POSTGRESQL:
            _clock_path().unlink(missing_ok=True)


def _clock_path() -> Path:
    return postgres.shared().place / "clock"


def environment(settings: Settings) -> dict[str, str]:
    """For a process that is to connect as these settings say."""
    clean = {name: value for name, value in os.environ.items() if "WEIR" not in name}
    return clean | {
        "WEIR_STATE_DIR": str(settings.state_dir),
        "WEIR_DATABASE_URL": settings.database_url,
    }


def url_for(state_dir: Path) -> str:
    """The database of a state directory, made when first asked for; "": SQLite's."""
    return _url_of(str(state_dir)) if ON_POSTGRESQL else ""


@functools.cache
def _url_of(state_dir: str) -> str:
    name = "of_" + hashlib.sha256(state_dir.encode()).hexdigest()[:16]
    return made(name)


def made(name: str) -> str:
    """The URL of a new database with empty tables."""
    _make_template()
    postgres.shared().execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    return _patient(name)


def _patient(name: str) -> str:
    """Of the cluster of all tests, which many begin to use at once: Weir waits 3 s."""
    return postgres.shared().url(name, connect_timeout="20")


@functools.cache
def _make_template() -> None:
    postgres.need()
    cluster = postgres.shared()
    cluster.execute(f"CREATE DATABASE {_TEMPLATE}")
    with tempfile.TemporaryDirectory() as place:
        url = _patient(_TEMPLATE)
        schema.check(Settings(state_dir=Path(place), database_url=url))
    cluster.execute(_CLOCK.format(_clock_path()), _TEMPLATE)


def rows(state_dir: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in the database of a server that may be gone."""
    if ON_POSTGRESQL:
        with psycopg.connect(url_for(state_dir)) as connection:
            return connection.execute(query.encode()).fetchall()
    return rows_of_file(state_dir, query)


def rows_of_file(state_dir: Path, query: str) -> list[tuple[Any, ...]]:
    """The same of SQLite's, whatever the tests run on."""
    with closing(sqlite3.connect(state_dir / "weir.db")) as file:
        return file.execute(query).fetchall()


def emptied() -> str:
    """The database of the tests of this process, without a row; "": SQLite's."""
    if not ON_POSTGRESQL:
        return ""
    url = _url_of("the tests of one process")
    with psycopg.connect(url, autocommit=True) as connection:
        names = [table._meta.table_name for table in reversed(TABLES)]
        deletes = (sql.SQL("DELETE FROM {}").format(sql.Identifier(n)) for n in names)
        connection.execute(sql.SQL("; ").join(deletes))
        connection.execute("SELECT setval('message_ids', 1), setval('muc_ids', 1)")
    return url
