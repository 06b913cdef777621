"""PostgreSQL: several hosts, a write lock for each app, a pool of connections."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import InterfaceError, OperationalError, PeeweeException
from psycopg.conninfo import conninfo_to_dict

from server.settings import Settings
from server.store.backend import OutOfReach, UnusableDatabase
from server.store.postgres_listener import CHANNEL, Listener
from server.store.postgres_pool import Pool, code_of
from server.store.wake import Ear

OLDEST = 13
"""The oldest major version: those before it get no more mends."""

_FORM = "postgresql://USER:PASSWORD@HOST:PORT/NAME"

# The kinds of advisory locks; this much of a number is ours among all programs' that
# use the same database.
_WRITERS = 0x57524D00
_MIGRATION = 0x57524D01
_ALONE = 0x57524D02

# A host that is lost without a word must be noticed within seconds, by the clients and
# by the server: it holds the locks of whoever was cut off. Seconds but where said.
_UNLESS_SAID = {
    "application_name": "weir",
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms
    "target_session_attrs": "read-write",
}
_SESSION = {
    "idle_in_transaction_session_timeout": 15_000,  # ms
    "lock_timeout": 30_000,  # ms; as long as a writer of SQLite waits
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # ms
    "jit": "off",  # every statement of ours is short
}
_LOCK_TIMEOUT = "55P03"


def _parameters(url: str) -> dict[str, Any]:
    """What a URL says to libpq, and what it leaves to us.

    Raises:
        UnusableDatabase: it is none.
    """
    try:
        said = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        said = {}  # its words repeat the URL's, and the password may be among them
    if not said.get("dbname"):
        message = f"WEIR_DATABASE_URL: no URL of a database; {_FORM} is needed"
        raise UnusableDatabase(message)
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return {
        **_UNLESS_SAID,
        **said,
        "client_encoding": "UTF8",
        "options": f"{options} {said.get('options') or ''}".strip(),
    }


class Postgres:
    """A pool of connections, and the locks that hosts share."""

    gives_ids = True

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            OutOfReach: it does not answer, or not to us; says why.
            UnusableDatabase: it cannot be used.
        """
        # A thread for each call, the one that sweeps, and the one that streams.
        self._given = _parameters(settings.database_url)
        self._pool = Pool(settings.threads + 2, self._given)
        self.database: Any = self._pool
        try:
            self._look()
        except PeeweeException as error:
            message = f"WEIR_DATABASE_URL: {' '.join(str(error).split())}"
            raise OutOfReach(message) from error
        finally:
            self._pool.close_all()

    def _look(self) -> None:
        """See that it is a database we can work with."""
        pool = self._pool
        pool.connect()
        if pool.server_version < OLDEST * 10_000:
            found = f"{pool.server_version // 10_000}"
            message = f"PostgreSQL {found} is too old; {OLDEST} is needed"
            raise UnusableDatabase(f"WEIR_DATABASE_URL: {message}")
        (encoding,) = pool.execute_sql("SHOW server_encoding").fetchone()
        if encoding != "UTF8":
            message = f"the database is in {encoding}; create it with ENCODING 'UTF8'"
            raise UnusableDatabase(f"WEIR_DATABASE_URL: {message}")

    def spoken(self, sql: str) -> str:
        # SQLite reads the tables of a CROSS JOIN in their order; PostgreSQL finds the
        # order by itself, and a user is whoever is connected.
        sql = sql.replace("%", "%%").replace("?", "%s")
        sql = sql.replace("CROSS JOIN", "JOIN")
        return re.sub(r"\buser\b", '"user"', sql)

    def chosen(self, sqlite: str, postgresql: str) -> str:  # noqa: ARG002 (a choice)
        return postgresql

    def execute(self, sql: str, parameters: Sequence[object]) -> Any:
        return self._pool.execute_sql(sql, parameters)

    def run_many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._pool.run_many(sql, rows)

    @contextmanager
    def writing(self, app_ids: Sequence[int]) -> Iterator[None]:
        # In one order for all, so that no two wait for each other.
        locks = [(_WRITERS, app_id) for app_id in sorted(set(app_ids))]
        with self._pool.atomic(locks):
            yield

    writing_apps = writing

    def settle(self) -> None:
        """A commit is on disk as its server's own ``synchronous_commit`` says."""

    @contextmanager
    def migrating(self) -> Iterator[None]:
        with self._pool.atomic([(_MIGRATION, 0)]):
            yield

    def wake(self, word: bytes) -> None:
        # Within the transaction: the server says it at the commit, and only then.
        self._pool.execute_sql("SELECT pg_notify(%s, %s)", (CHANNEL, word.decode()))

    def listen(self) -> Ear:
        return Listener(self._given)

    def apps_generation(self) -> int:
        return 1  # another host may change an app at any moment: nothing is kept

    @contextmanager
    def alone(self, number: int, *, wait: bool) -> Iterator[bool]:
        if not self._take(number, wait=wait):
            yield False
            return
        self._pool.holding = True
        try:
            yield True
        finally:
            self._pool.holding = False
            self._give_back(number)

    def _take(self, number: int, *, wait: bool) -> bool:
        sql = "SELECT pg_try_advisory_lock(%s::int, %s::int)"
        if not wait:
            (taken,) = self._pool.execute_sql(sql, (_ALONE, number)).fetchone()
            return bool(taken)
        sql = "SELECT pg_advisory_lock(%s::int, %s::int)"
        while True:
            try:
                self._pool.execute_sql(sql, (_ALONE, number))
            except OperationalError as error:
                if code_of(error) != _LOCK_TIMEOUT:
                    raise
            else:
                return True

    def _give_back(self, number: int) -> None:
        """It is of the connection, so it is gone already where that was lost."""
        sql = "SELECT pg_advisory_unlock(%s::int, %s::int)"
        try:
            self._pool.execute_sql(sql, (_ALONE, number))
        except (OperationalError, InterfaceError):
            self._pool.drop()

    def release(self) -> None:
        if not self._pool.is_closed():
            self._pool.close()

    def close(self) -> None:
        self._pool.close_all()
