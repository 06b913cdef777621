"""Receiving: a user's devices are told what there is, as server-sent events.

``stream.py`` is what writes to one device, ``reader.py`` what reads for all of a
process, ``frames.py`` how it looks on the wire. What is told is in the database
(store/inbox.py), so it survives whatever happens here.
"""

import socket

from flask import Flask, Response, request

from server.errors import Unavailable
from server.kinds import Kept, Membership
from server.pacing import Slot, Slots
from server.settings import Settings
from server.store import database, inbox, leases
from server.streaming.reader import Reader

ENDING = "weir.ending"
"""In ``app.extensions``: call it when the process is to end."""
_CONTENT_TYPE = "text/event-stream; charset=utf-8"
_RETRY_SECONDS = 5

_reader = Reader()
_shares: tuple[Slots, ...] = ()


def init_app(app: Flask, settings: Settings, slow: Slots) -> None:
    """Stream within a share of the process.

    Of threads at most half, and what *slow* leaves: a quarter is for calls, and another
    for downloads, whatever is streamed.
    """
    global _reader, _shares  # one app a process
    stop()
    _reader = Reader()
    if settings.streams:
        _shares = (Slots(settings.streams),)
    else:
        _shares = (Slots(max(1, settings.threads // 2)), slow)
    app.extensions[ENDING] = _reader.end_all


def stop() -> None:
    """Stream no more: the database is to be another, or none."""
    _reader.stop()


def head() -> Response:
    """What is said of a stream that nobody reads."""
    return _headed(Response(content_type=_CONTENT_TYPE))


def open_stream(
    app_id: int,
    app_path: str,
    user_id: int,
    resource: str,
    last_event_id: int,
    *,
    devices: Membership,
    waits: Kept,
    passes: Kept,
) -> Response:
    """The events of a user from now on, as an answer that does not end.

    Raises:
        Unavailable: the process has as many streams as it can bear.
        NotFound, ForbiddenOp: as :func:`leases.open_lease`.
    """
    slots = _take_slots()
    try:
        _reader.begin()
        lease = leases.open_lease(
            app_id, user_id, resource, _reader.owner, at_most=devices
        )
        at = inbox.place(lease, last_event_id, waits=waits, passes=passes)
        caller: socket.socket | None = request.environ.get("gunicorn.socket")
        stream = _reader.add(lease, at, app_path, caller)
        database.disconnect()  # else a greenlet keeps one as long as it lives
    except BaseException:
        _give_back(slots)
        raise
    response = Response(stream.pieces(), content_type=_CONTENT_TYPE)
    reader = _reader

    def leave() -> None:
        reader.leave(stream)
        _give_back(slots)

    response.call_on_close(leave)
    return _headed(response)


def _headed(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would wait for more
    return response


def _take_slots() -> list[Slot]:
    taken: list[Slot] = []
    for share in _shares:
        slot = share.take()
        if slot is None:
            _give_back(taken)
            raise Unavailable(retry_after=_RETRY_SECONDS)
        taken.append(slot)
    return taken


def _give_back(slots: list[Slot]) -> None:
    for slot in slots:
        slot.give_back()
