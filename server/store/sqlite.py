"""SQLite: a file of one host, one writer a time, a connection for each thread."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from peewee import (  # type: ignore[attr-defined]  # the last has no type
    IntegrityError,
    OperationalError,
    SqliteDatabase,
    __exception_wrapper__,
)

from server.locks import lock, unlock
from server.settings import Settings
from server.store.backend import OutOfReach, UnusableDatabase
from server.store.generation import Generation
from server.store.wake import Datagrams, Ear
from server.store.wal_sync import WalSync

OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING

# How long a statement waits for another process that holds SQLite's own lock; our
# writers queue at the gate, so only outsiders (a backup, a shell) are waited for here.
BUSY_SECONDS = 30


# How long the log may grow, in 4 KiB pages, before whoever commits carries it over to
# the file, with two syncs while all writers wait. SQLite's own 1,000 is a few hundred
# messages; a page that many write is carried over once. To this length, and no further,
# readers find a page of the log in one look.
_LOG_PAGES = 4_000


class _Gate:
    """Where the host's writers queue, first come first served.

    SQLite lets one write at a time and makes the others poll with growing sleeps: under
    load some starve. A thread first takes this process's lock, then the lock file's
    (the kernel wakes the next in line at once and frees the lock of a
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
            lock(self._file)
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
            unlock(self._file)
        finally:
            self._threads.release()


class _Said(threading.local):
    """What a thread's transactions say, once they are on disk.

    Of one that is undone nothing; then those before it that wait for the same sync say
    nothing either, which costs their readers a heartbeat.
    """

    def __init__(self) -> None:
        self.words: list[bytes] = []


class Sqlite:
    """The database file, its gate, and the number that changes with the apps."""

    gives_ids = False

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            OutOfReach: it cannot be opened, as on a full or read-only disk.
            UnusableDatabase: SQLite is too old.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            needed = ".".join(map(str, OLDEST_SQLITE))
            message = f"SQLite {sqlite3.sqlite_version} is too old; {needed} is needed"
            raise UnusableDatabase(message)
        path = Path(unquote(urlsplit(settings.database_url).path))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._gate = _Gate(path.with_name(path.name + "-gate"))
            self._apps = Generation(path.with_name(path.name + "-apps"))
            self._listeners = Datagrams(settings.state_dir / "wake")
        except OSError as error:
            message = f"WEIR_DATABASE_URL: cannot write {path}: {error.strerror}"
            raise OutOfReach(message) from error
        try:
            self._sync = WalSync(path) if settings.synchronous == "FULL" else None
        except (OSError, sqlite3.Error) as error:
            message = f"WEIR_DATABASE_URL: cannot use {path}: {error}"
            raise OutOfReach(message) from error
        self._said = _Said()
        self.database: Any = SqliteDatabase(
            str(path),
            timeout=BUSY_SECONDS,
            pragmas={
                "journal_mode": "wal",
                "synchronous": "normal",  # the rest is WalSync's
                "foreign_keys": 1,
                "cache_size": -2 * 1024,  # KiB, for each connection: one a thread
                # Bytes, for all of the process: beyond them a cache takes up what is
                # new in place of what it has.
                "soft_heap_limit": 8 * 1024 * 1024,
                "temp_store": "memory",
                "wal_autocheckpoint": _LOG_PAGES,
            },
        )

    def spoken(self, sql: str) -> str:
        return sql

    def chosen(self, sqlite: str, postgresql: str) -> str:  # noqa: ARG002 (a choice)
        return sqlite

    def execute(self, sql: str, parameters: Sequence[object]) -> Any:
        # Not peewee's own, which asks five more questions at each statement; its
        # connection, and its errors.
        with __exception_wrapper__:
            return self.database.connection().execute(sql, parameters)

    def run_many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        self.database.connection().executemany(sql, rows)

    @contextmanager
    def writing(self, app_ids: Sequence[int]) -> Iterator[None]:  # noqa: ARG002 (one writer, whatever the app)
        try:
            with self._gate, self._transaction():
                yield
        except BaseException:
            self._said.words.clear()
            raise

    @contextmanager
    def writing_apps(self, app_ids: Sequence[int]) -> Iterator[None]:  # noqa: ARG002 (likewise)
        # The commit must be over before the number is even again, so it is inside; and
        # two changes must not overlap, so the gate is outside.
        with self._gate, self._apps.changing(), self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # Not peewee's, which keeps a stack of them: none is within another, or its
        # thread would wait for itself at the gate.
        connection = self.database.connection()
        with __exception_wrapper__:
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with __exception_wrapper__:
                connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    def settle(self) -> None:
        if self._sync is not None:
            try:
                self._sync()
            except OSError as error:
                message = f"the database's log cannot be synced: {error.strerror}"
                raise OperationalError(message) from error
        words = self._said.words
        if words:  # now that it is true
            self._said.words = []
            self._listeners.tell(dict.fromkeys(words))

    def wake(self, word: bytes) -> None:
        self._said.words.append(word)

    def listen(self) -> Ear:
        return self._listeners.listen()

    @contextmanager
    def migrating(self) -> Iterator[None]:
        database = self.database
        with self._gate:
            # A table that is made anew is dropped first, and its rows must not take
            # those that refer to them along. Only outside a transaction can this be
            # said, so what they refer to is looked at before the commit.
            database.pragma("foreign_keys", 0)
            try:
                with database.atomic("IMMEDIATE"):
                    yield
                    if database.execute_sql("PRAGMA foreign_key_check").fetchone():
                        message = "a row would refer to one that is not there"
                        raise IntegrityError(message)
            finally:
                database.pragma("foreign_keys", 1)

    def apps_generation(self) -> int:
        return self._apps.read()

    @contextmanager
    def alone(self, number: int, *, wait: bool) -> Iterator[bool]:  # noqa: ARG002 (there is one host)
        yield True

    def release(self) -> None:
        """A thread keeps its connection: opening one costs more than many a call."""

    def close(self) -> None:
        self._gate.close()
        self._listeners.close()
        if self._sync is not None:
            self._sync.close()
