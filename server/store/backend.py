"""What a database must be able to do for Weir: SQLite and PostgreSQL both can."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from server.store.wake import Ear


class UnusableDatabase(RuntimeError):
    """The database cannot be used as it is; the message says what to do."""


class OutOfReach(UnusableDatabase):
    """It does not answer, for now perhaps."""


class Backend(Protocol):
    """One of the two, connected as the settings want it."""

    database: Any
    """peewee's, whose methods have no types."""
    gives_ids: bool
    """Whether ids come from sequences of its own, because several write at once."""

    def spoken(self, sql: str) -> str:
        """A statement, with ``?`` for each parameter, in this database's dialect."""

    def chosen(self, sqlite: str, postgresql: str) -> str:
        """The text of the two that is this database's own."""

    def execute(self, sql: str, parameters: Sequence[object]) -> Any:
        """A statement of its own dialect, in this thread's connection: its cursor."""

    def run_many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute once for each row of parameters, in one go."""

    def writing(self, app_ids: Sequence[int]) -> AbstractContextManager[None]:
        """A transaction, alone among those that write in any of these apps.

        What it committed is on disk after the next :meth:`settle`.
        """

    def writing_apps(self, app_ids: Sequence[int]) -> AbstractContextManager[None]:
        """The same, of rows of the apps themselves."""

    def settle(self) -> None:
        """Return when what this thread has committed is on disk, where that is asked.

        Raises:
            OperationalError: the disk does not say so.
        """

    def migrating(self) -> AbstractContextManager[None]:
        """A transaction that may change tables, alone among all."""

    def apps_generation(self) -> int:
        """Changes when any app does; odd: do not keep what you read."""

    def alone(self, number: int, *, wait: bool) -> AbstractContextManager[bool]:
        """Whether this thread, of those of all hosts, is at the work of this number."""

    def wake(self, word: bytes) -> None:
        """Part of a transaction: say it to all who listen, when this is committed."""

    def listen(self) -> Ear:
        """Hear what is said from now on."""

    def release(self) -> None:
        """This thread needs no connection until its next statement."""

    def close(self) -> None:
        """Leave nothing open, for a fork."""
