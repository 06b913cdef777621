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

import socket
from collections.abc import Callable, Iterable
from typing import Any

from server.gunicorn_patience import PatientWorker
from server.pacing import SLOTS

# How long a fuller worker leaves a waiting connection to the others. It steps back once
# for each: the emptier one may be stuck, and the caller must not wait for it.
STEP_BACK_SECONDS = 0.0005

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


class BalancedWorker(PatientWorker):
    """Publishes how many connections it holds; reads the others'."""

    held: memoryview | None = None
    """Shared by all workers: connections held, plus one, by slot; 0: no worker there.
    Each writes its own slot only, so there is nothing to lock."""
    slot = 0
    core: int | None = None
    """The one it runs on; None: any."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stepped_back = False
        self._application: Any = None  # not loaded yet

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Have what does not end by itself end, so that the rest can."""
        super().handle_exit(sig, frame)
        end_streams(self._application)

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
        if self.held is not None:
            self.held[self.slot] = self.nr_conns + 1

    def _another_is_emptier(self) -> bool:
        """Whether another holds less than half; evener is not worth a wait."""
        if self.held is None:
            return False
        mine = self.nr_conns + 1
        return any(theirs and theirs * 2 < mine for theirs in self.held)

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
        super().wait_for_and_dispatch_events(timeout)
