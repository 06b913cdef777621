"""The database: a connection a thread, one writer a time, SQL written once."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from peewee import DatabaseProxy, SqliteDatabase

from server.settings import Settings
from server.store.generation import Generation
from server.store.together import Together

Result = TypeVar("Result")

SCHEMA_VERSION = 2
OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING

# How long a statement waits for another process that holds SQLite's own lock; our
# writers queue at the gate, so only outsiders (a backup, a shell) are waited for here.
BUSY_SECONDS = 30

database = DatabaseProxy()
"""What the models are bound to; :func:`connect` says to which database."""


class UnusableDatabase(RuntimeError):
    """The database cannot be used as it is; the message says what to do."""


class Statement:
    """SQL that is written once and bound often; ``?`` stands for each parameter."""

    __slots__ = ("_sql",)

    def __init__(self, sql: str) -> None:
        self._sql = " ".join(sql.split())

    def one(self, *parameters: object) -> Any:
        """The first row as a tuple, or None."""
        return database.execute_sql(self._sql, parameters).fetchone()

    def all(self, *parameters: object) -> list[Any]:
        """Every row, each a tuple."""
        rows: list[Any] = database.execute_sql(self._sql, parameters).fetchall()
        return rows

    def run(self, *parameters: object) -> int:
        """Execute; how many rows it changed."""
        changed: int = database.execute_sql(self._sql, parameters).rowcount
        return changed

    def run_many(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute once for each row of parameters, in one go."""
        database.connection().executemany(self._sql, rows)


class _Gate:
    """Where the host's writers queue, first come first served.

    SQLite lets one write at a time and makes the others poll with growing sleeps: under
    load some starve. A thread first takes this process's lock, then the lock file's
    (``fcntl``: the kernel wakes the next in line at once and frees the lock of a
    process that is killed); only then does it ask SQLite, which is free.
    """

    def __init__(self, path: Path) -> None:
        self._threads = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()


_gate: _Gate | None = None
_apps: Generation | None = None


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes: alone from its first read to its commit.

    ``BEGIN IMMEDIATE`` takes the write lock before anything is read, so what a
    transaction counted still holds when it inserts. The commit is on disk (as far as
    ``WEIR_SYNCHRONOUS`` says) when this returns; an exception undoes everything.
    """
    if _gate is None:
        message = "no database is connected"
        raise UnusableDatabase(message)
    with _gate, database.atomic("IMMEDIATE"):
        yield


_together = Together(writing)


def write(work: Callable[[], Result]) -> Result:
    """Run *work* as :func:`writing` would, sharing the commit with other threads.

    For what many callers write at once. *work* must do no more than write: others wait
    for it.
    """
    return _together.write(work)


@contextmanager
def writing_apps() -> Iterator[None]:
    """:func:`writing`, of rows that every process keeps: the apps."""
    if _gate is None or _apps is None:
        message = "no database is connected"
        raise UnusableDatabase(message)
    # The commit must be over before the number is even again, so it is inside; and two
    # changes must not overlap, so the gate is outside.
    with _gate, _apps.changing(), database.atomic("IMMEDIATE"):
        yield


def apps_generation() -> int:
    """Changes when any app does; odd: do not keep what you read."""
    return 1 if _apps is None else _apps.read()


def connect(settings: Settings) -> None:
    """Bind the models to the database of the settings and make its tables.

    Raises:
        UnusableDatabase: it is newer than this program, or SQLite is too old.
    """
    global _gate, _apps  # one database a process, as one app a process
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        message = f"SQLite {sqlite3.sqlite_version} is too old; {needed} is needed"
        raise UnusableDatabase(message)
    path = Path(unquote(urlsplit(settings.database_url).path))
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"WEIR_STATE_DIR: cannot make {settings.state_dir}: {error.strerror}"
        raise UnusableDatabase(message) from error
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _gate = _Gate(path.with_name(path.name + "-gate"))
        _apps = Generation(path.with_name(path.name + "-apps"))
    except OSError as error:
        message = f"WEIR_DATABASE_URL: cannot write {path}: {error.strerror}"
        raise UnusableDatabase(message) from error
    database.initialize(
        SqliteDatabase(
            str(path),
            timeout=BUSY_SECONDS,
            pragmas={
                "journal_mode": "wal",
                "synchronous": settings.synchronous,
                "foreign_keys": 1,
                "cache_size": -2 * 1024,  # KiB, for each connection: one a thread
                "temp_store": "memory",
            },
        )
    )


def create_tables(tables: Sequence[type]) -> None:
    """Make what is missing. Safe for many processes at once: it is one transaction.

    Raises:
        UnusableDatabase: a newer program made the database.
    """
    with writing():
        (found,) = database.execute_sql("PRAGMA user_version").fetchone()
        if found > SCHEMA_VERSION:
            message = (
                f"WEIR_DATABASE_URL: the database has schema {found}, this program"
                f" knows {SCHEMA_VERSION}; start the newer program"
            )
            raise UnusableDatabase(message)
        if found == SCHEMA_VERSION:
            return
        if found:
            message = (
                f"WEIR_DATABASE_URL: the database has schema {found}, of a program"
                f" before the first release; move it away, schema {SCHEMA_VERSION} is"
                " made anew"
            )
            raise UnusableDatabase(message)
        database.create_tables(tables)
        database.execute_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def answers() -> None:
    """Ask the database for nothing; raises when it is out of reach."""
    database.execute_sql("SELECT 1").fetchone()


def disconnect() -> None:
    """Close this thread's connection; the next statement opens another."""
    if database.obj is not None and not database.is_closed():
        database.close()


def check(settings: Settings, tables: Sequence[type]) -> None:
    """See that the database can be used, and leave nothing open for a fork.

    Raises:
        UnusableDatabase: as :func:`connect` and :func:`create_tables`.
    """
    global _gate
    connect(settings)
    create_tables(tables)
    disconnect()
    if _gate is not None:
        _gate.close()
        _gate = None
