"""Writes of one process that share a transaction, and so its commit.

While one thread commits, others queue what they want written; the next to lead writes
all of it in one transaction. Nobody waits for more than the commit under way and their
own, a thread alone waits for nobody, and a busy process pays for one commit, one turn
at the write lock and one sync, where it would have paid for many.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")
Then = Callable[[Sequence[Any]], None]

_ATTEMPTS = 4
"""How often work is done that something passing undoes."""


class _Write:
    """What one thread wants written, and what became of it."""

    __slots__ = (
        "app_id", "context", "error", "leads", "result", "then", "waiting", "work",
    )  # fmt: skip

    def __init__(self, app_id: int, work: Callable[[], Any], then: Then | None) -> None:
        self.app_id = app_id
        self.work = work
        self.then = then
        # Whoever leads runs it, as the caller who asked for it.
        self.context: Context = copy_context()
        self.result: Any = None
        self.error: BaseException | None = None
        self.leads = False
        self.waiting = threading.Lock()
        self.waiting.acquire()


class Together:
    """A queue whose first thread writes for the others."""

    def __init__(
        self,
        transaction: Callable[..., AbstractContextManager[None]],
        settle: Callable[[], None],
        of_all: tuple[type[BaseException], ...] = (),
        is_passing: Callable[[BaseException], bool] = lambda _: False,
    ) -> None:
        """*transaction* is told the apps that are written in; *settle* returns when
        what has been committed before it is on disk. Errors that are *of_all* are not
        one work's, and those that *is_passing* mend when it is done again.
        """
        self._transaction = transaction
        self._settle = settle
        self._of_all = of_all
        self._is_passing = is_passing
        self._lock = threading.Lock()  # of the queue and of who leads
        self._queue: list[_Write] = []
        self._led = False

    def write(
        self,
        app_id: int,
        work: Callable[[], Result],
        then: Callable[[Sequence[Result]], None] | None = None,
    ) -> Result:
        """Run *work* within a transaction; its result, once that is committed.

        *then* ends the transaction: it is called once for all works that have the same,
        with their results in the order of the works.

        Raises:
            What *work* or *then* raises; then nothing of it is written. What the commit
            raises; then nothing of any in the transaction is.
        """
        mine = _Write(app_id, work, then)
        with self._lock:
            self._queue.append(mine)
            at_once = mine.leads = not self._led
            self._led = True
        # Not by mine.leads: that may be true by now, and our lock released.
        if not at_once:
            mine.waiting.acquire()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        result: Result = mine.result
        return result

    def _lead(self) -> None:
        """Write everything queued by now, own work included; hand the lead on.

        After the disk has it, not before: the next transaction could begin meanwhile,
        but more of smaller ones were measured to cost more than the wait.
        """
        # Threads that are about to queue may do so now, and share the transaction; with
        # none that wants to run this is a system call and nothing more.
        time.sleep(0)
        with self._lock:
            batch, self._queue = self._queue, []
        try:
            try:
                self._write_all(batch)
                self._settle_all(batch)
            finally:
                self._hand_on()
        finally:
            # Who leads has not been waiting, but its lock is no longer anyone's.
            for write in batch:
                write.waiting.release()

    def _hand_on(self) -> None:
        with self._lock:
            heir = self._queue[0] if self._queue else None
            self._led = heir is not None
            if heir is not None:
                heir.leads = True
        if heir is not None:
            heir.waiting.release()

    def _settle_all(self, batch: list[_Write]) -> None:
        try:
            self._settle()
        except Exception as error:
            for write in batch:
                write.error = write.error or error

    def _write_all(self, batch: list[_Write], attempts: int = _ATTEMPTS) -> None:
        complete = False
        try:
            with self._transaction(*sorted({write.app_id for write in batch})):
                for write in batch:
                    write.result = write.context.run(write.work)
                _end(batch)
                complete = True
        except BaseException as error:
            if attempts > 1 and self._is_passing(error):
                # All were undone; work does nothing but write, so doing it again is no
                # harm.
                self._write_all(batch, attempts - 1)
            elif complete or len(batch) == 1 or isinstance(error, self._of_all):
                # The commit's, the database's, or of work done alone: nothing of the
                # batch is written.
                for write in batch:
                    write.error = error
            else:
                # One was refused, and all were undone with it. It must not be the
                # others' loss, so each is written by itself.
                for write in batch:
                    self._write_all([write])


def _end(batch: Sequence[_Write]) -> None:
    """Do what is left for several at once."""
    results: dict[Then, list[Any]] = {}
    for write in batch:
        if write.then is not None:
            results.setdefault(write.then, []).append(write.result)
    for then, each in results.items():
        then(each)
