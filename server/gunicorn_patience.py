"""gunicorn's threaded worker, whose threads meet calls that have come.

As gunicorn has it, a thread waits for a call's head, and for a new connection's first
byte: as many silent callers as threads, and nobody else is answered. Its main thread
waits too, for each receiver that does not hang up. Here the poller waits in their
stead: connections that have sent nothing, or parts of a head or a small body, cost
their memory and no thread, have a time to be whole in, and give way when there are
more than the process can hold. Larger bodies, and answers that are not taken, are
connections.py's.
"""

import errno
import re
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from server import errors, pacing
from server.connections import Connection

# gunicorn would read heads of 800 kB; nobody's is so long.
MOST_HEAD_BYTES = 65_536
# A body up to this is waited for without a thread: messages and most other JSON.
SMALL_BODY_BYTES = 16_384
# A caller who was told that the connection closes has so long to read that.
_LINGER_SECONDS = 2.0
_SWEEP_SECONDS = 0.25
_REST_SECONDS = 0.1
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_GONE = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED})
_END = b"\r\n\r\n"
# What decides how long a request is. Who frames it otherwise, or waits to be asked for
# the body, is a thread's at once; and so is what is wrong, for gunicorn to say so.
_FRAMED = re.compile(
    rb"\r\n(?:content-length:[ \t]*([0-9]{1,10})[ \t]*(?=\r)"
    rb"|content-length|transfer-encoding|expect)",
    re.IGNORECASE,
)
_WAITING = object()


# gunicorn would take a body a megabyte at a time, and copy what is left of that at each
# of our reads: three megabytes a thread, and four times the time.
PIECE_BYTES = 65_536
SocketUnreader.max_body_chunk = PIECE_BYTES


def is_whole(content: bytes) -> bool:
    """Whether a thread can begin with a request of which so much has come."""
    end = content.find(_END)
    if end < 0:
        return len(content) > MOST_HEAD_BYTES
    framed = _FRAMED.search(content, 0, end + 2)
    if framed is None or framed[1] is None:
        return True
    length = int(framed[1])
    return length > SMALL_BODY_BYTES or len(content) >= end + len(_END) + length


def _what_came(conn: TConn) -> bytes:
    """Of the next request, and not yet read by the parser."""
    came: bytes = conn.parser.unreader.buf.getvalue()
    return came


def _gather(conn: TConn) -> bool:
    """Take what has come of the next request, without waiting; whether it is whole."""
    buffer = conn.parser.unreader.buf
    try:
        chunk = conn.sock.recv(MOST_HEAD_BYTES, socket.MSG_DONTWAIT)
    except BlockingIOError:
        chunk = None
    except OSError:
        return True  # it is gone, as the parser will find
    if chunk:
        buffer.seek(0, 2)
        buffer.write(chunk)
    return chunk == b"" or is_whole(_what_came(conn))


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Waits for callers without threads.

    Only ``handle…`` runs in threads; all else is the main thread's: nothing is locked.
    """

    head_seconds = 20
    body_seconds = 300

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Each with the time of the monotonic clock at which it is given up.
        self._waiting: dict[TConn, float] = {}
        self._parting: dict[TConn, float] = {}
        self._sweep_at = 0.0
        self._hurried = False
        self.back_at = 0.0
        """Until then no connection is taken."""
        self.slots = pacing.slots_of(self.cfg.threads)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; with no file left for it, leave it for a moment."""
        try:
            taken, address = listener.accept()
        except OSError as error:
            if error.errno in _FULL:
                self.log.warning("no connection can be taken: %s", error.strerror)
                self.rest(_REST_SECONDS)
            elif error.errno not in _GONE:
                raise
            return
        sock = Connection(taken.family, taken.type, taken.proto, taken.detach())
        self.nr_conns += 1
        self.enqueue_req(TConn(self.cfg, sock, address, listener.getsockname()))

    def rest(self, seconds: float) -> None:
        """Take no connection for a while."""
        self.back_at = time.monotonic() + seconds
        self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Listen or not; not before the rest is over."""
        if enabled and time.monotonic() < self.back_at:
            return
        super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait no longer than a rest lasts; end what has had its time."""
        now = time.monotonic()
        if now < self.back_at:
            timeout = min(timeout, self.back_at - now)
        if self._waiting or self._parting:
            timeout = min(timeout, _SWEEP_SECONDS)
        super().wait_for_and_dispatch_events(timeout)
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        if time.monotonic() >= self._sweep_at:
            self.sweep()

    def handle(self, conn: TConn) -> Any:
        """In a thread: answer a request that is whole, or have the poller wait."""
        conn.init()
        if not conn.is_http2:
            if not _gather(conn):
                return _WAITING
            content = _what_came(conn)
            if len(content) > MOST_HEAD_BYTES and _END not in content:
                wrong = LimitRequestHeaders(f"more than {MOST_HEAD_BYTES} bytes")
                self.handle_error(None, conn.sock, conn.client, wrong)
                return False
        conn.sock.begin(self.slots, self.body_seconds)
        try:
            return super().handle(conn)
        finally:
            conn.sock.end()

    def handle_request(self, request: Any, connection: TConn) -> bool:
        """In a thread: answer; a receiver who keeps it too long is let go."""
        try:
            keep: bool = super().handle_request(request, connection)
        except TimeoutError:
            self.log.info("a receiver took nothing for too long, and is let go")
            return False
        return keep

    def finish_request(self, conn: TConn, done: "Future[Any]") -> None:
        """A thread is done with a connection, or found that it has to be waited for."""
        broken = done.cancelled() or done.exception() is not None
        result = False if broken else done.result()
        if result is _WAITING:
            self._wait(conn)
        elif result:
            super().finish_request(conn, done)
        else:
            self._part(conn)

    def _wait(self, conn: TConn) -> None:
        """Until it is whole; a stopping worker waits little for who has not begun."""
        hurry = not self.alive and not _what_came(conn)
        seconds = STOP_KEEPALIVE_LINGER if hurry else self.head_seconds
        self._waiting[conn] = time.monotonic() + seconds
        self._register(conn, self._more_came)

    def _more_came(self, conn: TConn, _: object) -> None:
        if _gather(conn):
            self._leave(self._waiting, conn)
            self.enqueue_req(conn)

    def _part(self, conn: TConn) -> None:
        """Close; who was sent something may still be reading it."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._parting[conn] = time.monotonic() + _LINGER_SECONDS
        self._register(conn, self._drain)

    def _drain(self, conn: TConn, _: object) -> None:
        """Read away what still comes, or the kernel would take the answer back."""
        try:
            if conn.sock.recv(MOST_HEAD_BYTES, socket.MSG_DONTWAIT):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._leave(self._parting, conn)
        self._close(conn)

    def _register(self, conn: TConn, then: Callable[[TConn, object], None]) -> None:
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))

    def _leave(self, ones: dict[TConn, float], conn: TConn) -> None:
        del ones[conn]
        self.poller.unregister(conn.sock)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def sweep(self) -> None:
        """End what has had its time."""
        now = time.monotonic()
        self._sweep_at = now + _SWEEP_SECONDS
        if not self.alive and not self._hurried:
            self._hurry(now + STOP_KEEPALIVE_LINGER)
        for ones in (self._waiting, self._parting):
            for conn in [conn for conn, ends in ones.items() if ends <= now]:
                self._leave(ones, conn)
                self._give_up(conn, late=ones is self._waiting)

    def _hurry(self, ends: float) -> None:
        """This worker stops: who has not begun goes to the others."""
        self._hurried = True
        for conn in self._waiting:
            if not _what_came(conn):
                self._waiting[conn] = min(ends, self._waiting[conn])

    def _give_up(self, conn: TConn, *, late: bool) -> None:
        if late and _what_came(conn):
            try:
                conn.sock.send(_TOO_LATE, socket.MSG_DONTWAIT)
            except OSError:
                pass
            else:
                self._part(conn)
                return
        self._close(conn)

    def _make_room(self) -> None:
        """Let go of one that nobody answers at the moment: who waits longest."""
        for ones in (self._parting, self._waiting):
            if ones:
                conn = next(iter(ones))
                self._leave(ones, conn)
                self._close(conn)
                return
        if self.keepalived_conns:
            self.keepalived_conns[0].timeout = 0.0
            self.murder_keepalived()


def _answer(refusal: type[errors.Refusal]) -> bytes:
    """As the wire refuses; the times of a call that was none are left out."""
    body = (
        f'{{"error":"{refusal.error}","exception":"{refusal.exception}",'
        f'"error_description":"{refusal.description}"}}'
    )
    return (
        "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json; charset=utf-8"
        f"\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


_TOO_LATE = _answer(errors.RequestTimeout)
