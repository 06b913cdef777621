"""Connections to PostgreSQL: pooled, one for each thread at work, renewed when broken.

What a broken connection was at is undone by the server, and the caller is told so
(503). A connection that broke while nothing was under way costs nobody anything: the
statement, or the beginning of the transaction, is sent again on a new one.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from peewee import (  # type: ignore[attr-defined]  # as its own extensions do
    DataError,
    InterfaceError,
    InternalError,
    OperationalError,
    __exception_wrapper__,
)
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

log = logging.getLogger("weir")

Locks = Sequence[tuple[int, int]]
"""Advisory locks, each two numbers: what kind of thing, and which one."""

# After a connection was refused, everybody is told so for a moment: threads would else
# wait for the same silence one after another.
_DOWN_SECONDS = 0.5
# A thread beyond the pool's size waits for so long; there is none under gunicorn.
_WAIT_SECONDS = 10
READ_ONLY = "25006"

# Else a number is sent in the type that it fits, and the same statement with another
# number is another statement to prepare.
_adapters = AdaptersMap(psycopg.adapters)
_adapters.register_dumper(int, Int8BinaryDumper)


def code_of(error: BaseException) -> str | None:
    """PostgreSQL's own code of what went wrong, if it said any."""
    cause = error.args[0] if error.args else None
    return getattr(cause, "sqlstate", None)


class Pool(PooledPostgresqlDatabase):  # type: ignore[misc]  # peewee ships no types
    """peewee's pool, which would ask each connection whether it lives before a use."""

    def __init__(self, size: int, parameters: dict[str, Any]) -> None:
        self._down_until = 0.0
        self._down_because = ""
        self._own = threading.local()
        super().__init__(
            parameters["dbname"],
            max_connections=size,
            timeout=_WAIT_SECONDS,
            prefer_psycopg3=True,
            context=_adapters,
            **{key: parameters[key] for key in parameters if key != "dbname"},
        )

    def connect(self, reuse_if_open: bool = False) -> Any:
        try:
            return super().connect(reuse_if_open)
        except MaxConnectionsExceeded as error:
            message = "no connection was free in time"
            raise OperationalError(message) from error

    def _connect(self) -> Any:
        if time.monotonic() < self._down_until:
            raise OperationalError(self._down_because)
        try:
            return super()._connect()
        except psycopg.Error as error:
            self._down_because = str(error)
            self._down_until = time.monotonic() + _DOWN_SECONDS
            raise

    def _is_closed(self, conn: Any) -> bool:
        return bool(conn.closed)

    # What a thread holds beyond a transaction ends with its connection, so that must
    # not be renewed in silence.

    @property
    def holding(self) -> bool:
        return getattr(self._own, "holding", False)

    @holding.setter
    def holding(self, value: bool) -> None:
        self._own.holding = value

    def _is_lost(self) -> bool:
        conn = self._state.conn
        return conn is None or conn.closed or conn.broken

    def drop(self) -> None:
        """Close this thread's connection for good, and all that wait for a use.

        They broke together, most likely, and each would cost a caller an answer.
        """
        conn = self._state.conn
        self._state.reset()
        if conn is not None:
            self._close(conn, close_conn=True)
        self.close_idle()

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        try:
            return super().execute_sql(sql, params)
        except (OperationalError, InterfaceError) as error:
            if not self._may_renew():
                raise
            log.warning("a connection to the database was lost: %s", error)
            self.drop()
            return super().execute_sql(sql, params)
        except InternalError as error:
            raise self._out_of_reach(error) from error
        except DataError:
            # No text that is kept holds U+0000, so nothing is found by one; the driver
            # only says that it cannot send it.
            if sql.startswith("INSERT") or not any(
                isinstance(each, str) and "\0" in each for each in params or ()
            ):
                raise
            return super().execute_sql("SELECT 1 WHERE false")

    def _may_renew(self) -> bool:
        """Only reads come outside a transaction, and nothing is lost with them."""
        if self.is_closed():
            return False  # it could not be opened
        return self._is_lost() and not self.in_transaction() and not self.holding

    def _out_of_reach(self, error: InternalError) -> Exception:
        """A server that became a standby is none of ours; the next connection tells."""
        return OperationalError(*error.args) if code_of(error) == READ_ONLY else error

    def run_many(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Execute once for each row; they are sent together."""
        with __exception_wrapper__:
            self.cursor().executemany(sql, rows)

    def begin(self, locks: Locks = ()) -> None:
        """Begin, and wait for each of the locks in their order; one round trip."""
        try:
            self._begin(locks)
        except (OperationalError, InterfaceError) as error:
            if not self._may_renew():
                self.rollback()
                raise
            log.warning("a connection to the database was lost: %s", error)
            self.drop()
            self._begin(locks)

    def _begin(self, locks: Locks) -> None:
        taken = (f"; SELECT pg_advisory_xact_lock({kind}, {n})" for kind, n in locks)
        with __exception_wrapper__:
            # Numbers of ours only; several statements go together without parameters.
            self.cursor().execute("BEGIN" + "".join(taken), prepare=False)

    def commit(self) -> None:
        """
        Raises:
            OperationalError: it may be committed or not, or is certainly not.
        """
        cursor = self.cursor()
        with __exception_wrapper__:
            cursor.execute("COMMIT")
        if cursor.statusmessage != "COMMIT":  # of a transaction that had failed before
            message = f"the server answered {cursor.statusmessage} to COMMIT"
            raise OperationalError(message)

    def rollback(self) -> None:
        """Undo; with a lost connection the server has done so, or soon will."""
        conn = self._state.conn
        if conn is None:
            return
        try:
            if not self._is_lost():
                if conn.pgconn.transaction_status != TransactionStatus.IDLE:
                    super().rollback()
                return
        except (OperationalError, InterfaceError) as error:
            log.warning("a connection to the database was lost: %s", error)
        self.drop()
