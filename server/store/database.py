"""The seam to the database: SQL written once, transactions that hold what they count.

Which database it is stands in ``WEIR_DATABASE_URL`` and, beside this file, in sqlite.py
and postgres.py; everything above speaks to it through the names here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar
from weakref import WeakSet

from peewee import DatabaseProxy, InterfaceError, OperationalError

from server import state_dir
from server.errors import IllegalArgument
from server.settings import Settings
from server.store.backend import Backend, UnusableDatabase
from server.store.postgres import Postgres
from server.store.postgres_pool import code_of
from server.store.sqlite import Sqlite
from server.store.together import Together
from server.store.wake import Ear, Wake

__all__ = ["Statement", "UnusableDatabase", "write", "writing", "writing_apps"]

Result = TypeVar("Result")

INSTALLATION = 0
"""In the place of an app's id: what belongs to the installation. No app has it."""

database = DatabaseProxy()
"""What the models are bound to; :func:`connect` says to which database."""

_backend: Backend | None = None


Execute = Callable[[str, Sequence[object]], Any]
"""Runs a statement in this thread's connection: its cursor."""


def _unconnected(_sql: str, _parameters: Sequence[object]) -> Any:
    return connected()  # which says that there is none


class Statement:
    """SQL that is written once and bound often; ``?`` stands for each parameter.

    Both databases are to understand it; where they cannot, PostgreSQL has its own.
    """

    __slots__ = ("__weakref__", "_execute", "_keeps", "_postgresql", "_sql", "_written")

    def __init__(self, sql: str, *, postgresql: str | None = None) -> None:
        self._written = " ".join(sql.split())
        self._postgresql = " ".join((postgresql or sql).split())
        self._sql = self._written
        self._execute: Execute = _unconnected
        self._keeps = self._written.startswith(("INSERT", "UPDATE"))
        _statements.add(self)
        if _backend is not None:
            self._speak(_backend)

    def _speak(self, backend: Backend) -> None:
        self._sql = backend.spoken(backend.chosen(self._written, self._postgresql))
        self._execute = backend.execute

    def one(self, *parameters: object) -> Any:
        """The first row as a tuple, or None."""
        if self._keeps:
            _check(parameters)
        return self._execute(self._sql, parameters).fetchone()

    def all(self, *parameters: object) -> list[Any]:
        """Every row, each a tuple."""
        rows: list[Any] = self._execute(self._sql, parameters).fetchall()
        return rows

    def run(self, *parameters: object) -> int:
        """Execute; how many rows it changed."""
        if self._keeps:
            _check(parameters)
        changed: int = self._execute(self._sql, parameters).rowcount
        return changed

    def run_many(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute once for each row of parameters, in one go."""
        for row in rows:
            _check(row)
        connected().run_many(self._sql, rows)


def _check(parameters: Sequence[object]) -> None:
    """
    Raises:
        IllegalArgument: a text holds U+0000, which PostgreSQL cannot keep; it is kept
            nowhere, so that a caller does not meet the database.
    """
    for each in parameters:
        if type(each) is str and "\0" in each:
            raise IllegalArgument


# Each is put into the words of the database when that is known, not at every call.
_statements: WeakSet[Statement] = WeakSet()


def connected() -> Backend:
    """The database itself.

    Raises:
        UnusableDatabase: there is none yet.
    """
    if _backend is None:
        message = "no database is connected"
        raise UnusableDatabase(message)
    return _backend


@contextmanager
def writing(app_id: int, *others: int) -> Iterator[None]:
    """A transaction that writes in these apps: alone from its first read to its commit.

    The write lock is taken before anything is read, so what a transaction counted still
    holds when it inserts. SQLite has one for all (``BEGIN IMMEDIATE``), PostgreSQL one
    for each app; what belongs to no app is :data:`INSTALLATION`'s. The commit is on
    disk (as far as the database's settings say) when this returns; an exception undoes
    everything.
    """
    backend = connected()
    with backend.writing((app_id, *others)):
        yield
    backend.settle()


def _committing(*app_ids: int) -> AbstractContextManager[None]:
    return connected().writing(app_ids)


def _settle() -> None:
    connected().settle()


# A transaction that PostgreSQL undid for another's sake; nothing of it was committed.
_PASSING = frozenset({"40001", "40P01"})


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and code_of(error) in _PASSING


_together = Together(
    _committing, _settle, (OperationalError, InterfaceError), _is_passing
)


def write(
    app_id: int,
    work: Callable[[], Result],
    then: Callable[[Sequence[Result]], None] | None = None,
) -> Result:
    """Run *work* as :func:`writing` would, sharing the commit with other threads.

    For what many callers write at once. *work* must do no more than write: others wait
    for it. *then* is called once for all who share the transaction and gave the same,
    at its end, with their results.
    """
    return _together.write(app_id, work, then)


@contextmanager
def writing_apps(*app_ids: int) -> Iterator[None]:
    """:func:`writing`, of the rows of apps, which processes may keep."""
    backend = connected()
    with backend.writing_apps((INSTALLATION, *app_ids)):
        yield
    backend.settle()


def apps_generation() -> int:
    """Changes when any app does; odd: do not keep what you read."""
    return 1 if _backend is None else _backend.apps_generation()


def gives_ids() -> bool:
    """Whether ids come from the database's own sequences, as several write at once."""
    return connected().gives_ids


def alone(number: int, *, wait: bool = True) -> AbstractContextManager[bool]:
    """Around work that one thread of all hosts is to be at: whether it is this one.

    With *wait* it always is, in its turn. Hosts share no more than the database, so a
    host's own processes and threads come first to a lock of theirs (host_lock.py).
    """
    return connected().alone(number, wait=wait)


def wake(app_id: int, *, names: Sequence[str] = (), mucs: Sequence[str] = ()) -> None:
    """Part of a transaction: users, or members of groups, have something to see."""
    connected().wake(Wake(app_id, names, mucs).pack())


def listen() -> Ear:
    """Hear who of any app has something to look at, from now on."""
    return connected().listen()


def connect(settings: Settings) -> None:
    """Bind the models and every statement to the database of the settings.

    Raises:
        UnusableDatabase: it cannot be reached, opened or written, or is too old.
    """
    global _backend  # one database a process, as one app a process
    forget()
    try:
        state_dir.make(settings.state_dir)
    except OSError as error:
        message = f"WEIR_STATE_DIR: cannot make {settings.state_dir}: {error.strerror}"
        raise UnusableDatabase(message) from error
    is_file = settings.database_url.startswith("sqlite:")
    found: Backend = Sqlite(settings) if is_file else Postgres(settings)
    database.initialize(found.database)
    for statement in _statements:
        statement._speak(found)
    _backend = found


def answers() -> None:
    """Ask the database for nothing; raises when it is out of reach."""
    database.execute_sql("SELECT 1").fetchone()


def release(_: object = None) -> None:
    """This thread is done with its call: others may have its connection."""
    if _backend is not None:
        _backend.release()


def disconnect() -> None:
    """Close this thread's connection; the next statement opens another."""
    if database.obj is not None and not database.is_closed():
        database.close()


def forget() -> None:
    """Leave nothing open, for a fork."""
    global _backend
    disconnect()
    if _backend is not None:
        _backend.close()
        _backend = None
