"""gunicorn's threaded worker, which is replaced when a call in it does not end.

A thread that waits for what never comes, or goes round for ever, answers nobody any
more, and nothing in Python can end it. gunicorn notices only a main thread that stands
still. So a worker looks at the calls that its threads answer: where one stands that has
done nothing for too long is logged, its caller is let go, and the worker leaves as at a
reload. Its master starts another.
"""

import os
import signal
import socket
import sys
import time
import traceback
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn

from server.gunicorn_patience import PatientWorker


class WatchfulWorker(PatientWorker):
    """Looks at its own threads. All of it is the main thread's: nothing is locked."""

    stuck_seconds = 120
    """For so long no call that is well neither reads nor writes: locks and connections
    are waited for less long. A database that stands still is not; its callers are let
    go too."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._answering: set[TConn] = set()
        self._stuck: set[TConn] = set()

    def enqueue_req(self, conn: TConn) -> None:
        """Have a thread answer."""
        self._answering.add(conn)
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, done: "Future[Any]") -> None:
        """A thread is done; nobody waits any more for one that was stuck."""
        self._answering.discard(conn)
        if conn not in self._stuck:
            super().finish_request(conn, done)

    def sweep(self) -> None:
        super().sweep()
        late = time.monotonic() - self.stuck_seconds
        for conn in [each for each in self._answering if each.sock.moved_at < late]:
            self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        self._answering.remove(conn)
        self._stuck.add(conn)
        frame = sys._current_frames().get(conn.sock.thread)
        self.log.error(
            "a call has done nothing for %d s, and this worker is replaced for it."
            " The call stands at\n%s",
            self.stuck_seconds, "".join(traceback.format_stack(frame)),
        )  # fmt: skip
        # Not closed, as the thread may still have use for its number.
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_RDWR)
        self.nr_conns -= 1
        self.handle_exit(signal.SIGTERM, None)

    def run(self) -> None:
        """Serve, and end whatever the threads do."""
        super().run()
        if self._stuck:
            os._exit(0)  # the interpreter would wait for threads that do not end
