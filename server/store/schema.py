"""The tables: made at the first start, brought up to date by ``flask db upgrade``.

See migrations/ for what is in them and how a change is added.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from peewee import PeeweeException, SqliteDatabase
from playhouse.migrations import Runner

from server.settings import Settings
from server.store import database
from server.store.backend import OutOfReach, UnusableDatabase
from server.store.models import TABLES

STEPS = Path(__file__).parent / "migrations"

# Databases from before there were steps have this PRAGMA user_version, and the tables
# of the step of this number.
_ADOPTED = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and when it was taken; None: it was not."""

    number: int
    name: str
    taken: datetime | None
    known: bool
    """False: to a newer program only."""


def steps() -> list[Step]:
    """Every step that the database or this program knows, in order."""
    found = [
        Step(each.idx, each.name, each.applied, each.path is not None)
        for each in _runner().status()
    ]
    version = _user_version()
    if version > found[-1].number:
        found.append(Step(version, f"{version:04}", datetime.min, known=False))
    return found


def prepare() -> None:
    """See that the tables are this program's; make them where there are none.

    Safe for many processes and hosts at once: one makes them, the others find them.

    Raises:
        UnusableDatabase: they are an older program's, or a newer one's.
    """
    try:
        if _is_empty():
            with database.connected().migrating():
                if _is_empty():
                    _take_steps()
        _refuse_unless_current()
    except PeeweeException as error:
        raise _unusable(error) from error


def upgrade() -> list[str]:
    """Take the steps that are due, all or none; their names.

    Raises:
        UnusableDatabase: the tables are a newer program's, or none of ours.
    """
    try:
        with database.connected().migrating():
            _refuse_strange()
            return _take_steps()
    except PeeweeException as error:
        raise _unusable(error) from error


def check(settings: Settings) -> None:
    """See that the database can be used, and leave nothing open for a fork.

    Raises:
        UnusableDatabase: as :func:`database.connect` and :func:`prepare`.
    """
    database.connect(settings)
    try:
        prepare()
    finally:
        database.forget()


def _unusable(error: BaseException) -> UnusableDatabase:
    """In the words of what went wrong first: undoing it may have failed as well."""
    at = error.__context__
    while at is not None:
        error = at if isinstance(at, PeeweeException) else error
        at = at.__context__
    return OutOfReach(f"WEIR_DATABASE_URL: {' '.join(str(error).split())}")


def _runner() -> Runner:
    return Runner(database.connected().database, str(STEPS))


def _take_steps() -> list[str]:
    runner = _runner()
    taken: list[str] = []
    if _user_version() == _ADOPTED and not runner.applied():
        runner.fake(next(m.name for m in runner.migrations() if m.idx == _ADOPTED))
    taken += runner.up()
    if _is_sqlite():  # so that a program from before there were steps refuses it
        last = runner.migrations()[-1].idx
        database.database.execute_sql(f"PRAGMA user_version = {last}")
    return taken


def _refuse_unless_current() -> None:
    _refuse_strange()
    due = [step.name for step in steps() if step.taken is None]
    if due:
        message = (
            f"WEIR_DATABASE_URL: the database is an older program's, without"
            f" {', '.join(due)}; make a backup, then run `flask db upgrade`"
        )
        raise UnusableDatabase(message)


def _refuse_strange() -> None:
    """
    Raises:
        UnusableDatabase: the tables are a newer program's, or none of ours.
    """
    found = steps()
    newer = [step.name for step in found if not step.known]
    if newer:
        last = next(step.number for step in reversed(found) if step.known)
        message = (
            f"WEIR_DATABASE_URL: the database has schema {newer[-1]}, this program"
            f" knows {last}; start the newer program"
        )
        raise UnusableDatabase(message)
    if any(step.taken for step in found) or _user_version() == _ADOPTED:
        return
    if not _is_empty():
        message = (
            "WEIR_DATABASE_URL: the database has tables of another program, or of one"
            " before the first release; move them away, they are made anew"
        )
        raise UnusableDatabase(message)


def _is_empty() -> bool:
    """Whether neither our tables are there nor any of their names is taken."""
    ours = {table._meta.table_name for table in TABLES}
    return not _user_version() and ours.isdisjoint(database.database.get_tables())


def _is_sqlite() -> bool:
    return isinstance(database.connected().database, SqliteDatabase)


def _user_version() -> int:
    """SQLite's own mark of a schema; 0 where there is none."""
    if not _is_sqlite():
        return 0
    (version,) = database.database.execute_sql("PRAGMA user_version").fetchone()
    return int(version)
