"""gunicorn's threaded worker, which leaves a connection to an emptier one.

All workers listen on one socket. Whichever wakes first would take every connection of a
client's pool, and keep them: one process busy, the others idle. Giving each worker a
socket of its own (``reuse_port``) spreads them, but resets what waits in that socket's
queue when a reload ends the worker. So the workers tell each other how many connections
they hold, and a fuller one steps back for a moment.

A call that is refused before its body was read may leave more of it than gunicorn reads
away. It then closes the connection; here the answer says so, or a caller would send the
next call into it.
"""

import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from server.gunicorn_roster import Roster
from server.gunicorn_stuck import WatchfulWorker
from server.pacing import SLOTS

# How long a fuller worker leaves a waiting connection to the others. It steps back once
# for each: the emptier one may be stuck, and the caller must not wait for it.
STEP_BACK_SECONDS = 0.0005

# For how long a worker serves on for successors that do not come; gunicorn's master has
# patience for longer when all are to stop.
SUCCESSION_SECONDS = 15.0
LOOK_SECONDS = 0.05

# Of a body that nobody read, gunicorn reads less than this to keep the connection.
READ_AWAY_BYTES = 64 * 1024


def _stays_unread(body: Any) -> bool:
    """Whether gunicorn will give up reading what is left of a request's body."""
    reader = body.reader
    if hasattr(reader, "length"):
        return bool(reader.length >= READ_AWAY_BYTES)
    # In chunks: how much is left nobody knows, until the last one was read.
    return getattr(reader, "parser", None) is not None


def end_streams(app: Any) -> None:
    """As the app says that it is done; an app that did not load has none."""
    end = getattr(app, "extensions", {}).get("weir.ending")
    if end is not None:
        end()


class BalancedWorker(WatchfulWorker):
    """Publishes how many connections it holds; reads the others'."""

    roster: Roster | None = None
    core: int | None = None
    """The one it runs on; None: any."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stepped_back = False
        self._application: Any = None  # not loaded yet
        self._leave_by: float | None = None

    def handle_exit(self, _sig: int, _frame: Any) -> None:
        """Stop once those serve who come after: the main loop sees to it.

        A reload tells workers to stop as soon as their successors are forked. Were they
        to obey, nobody would answer until those have loaded; and with the next reload
        in that time, nobody at all.
        """
        if self._leave_by is None:
            self._leave_by = time.monotonic() + SUCCESSION_SECONDS
            self.method_queue.defer(lambda: None)

    def _leave_if_replaced(self) -> None:
        late = self._leave_by is not None and time.monotonic() >= self._leave_by
        if (
            late
            or self.roster is None
            or self.roster.replaced(self.age, self.cfg.workers)
        ):
            if self.roster is not None:
                self.roster.end(self.age)
            super().handle_exit(signal.SIGTERM, None)
            end_streams(self._application)  # what does not end by itself

    def load_wsgi(self) -> None:
        """Look at what is unread of a request when its answer begins."""
        super().load_wsgi()
        self._application = self.wsgi
        self.slots = getattr(self.wsgi, "extensions", {}).get(SLOTS, self.slots)
        serve: Callable[..., Iterable[bytes]] = self.wsgi

        def served(environ: Any, start_response: Any) -> Iterable[bytes]:
            def start(*arguments: Any) -> Any:
                if _stays_unread(environ["wsgi.input"]):
                    start_response.__self__.force_close()  # gunicorn's own answer
                return start_response(*arguments)

            return serve(environ, start)

        self.wsgi: Callable[..., Iterable[bytes]] = served

    def _publish(self) -> None:
        if self.roster is not None and self.alive:
            self.roster.publish(self.age, self.nr_conns)

    def _another_is_emptier(self) -> bool:
        """Whether another holds less than half; evener is not worth a wait."""
        if self.roster is None:
            return False
        mine = self.nr_conns + 1
        return any(theirs * 2 < mine for theirs in self.roster.serving())

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, unless it is another's turn."""
        if not self._stepped_back and self._another_is_emptier():
            self._stepped_back = True
            self.rest(STEP_BACK_SECONDS)
            return
        self._stepped_back = False
        super().accept(listener)
        self._publish()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._publish()
        if self._leave_by is not None and self.alive:
            self._leave_if_replaced()
            timeout = min(timeout, LOOK_SECONDS)
        super().wait_for_and_dispatch_events(timeout)
