"""Downloads: stored bytes as an answer, whole or a range, at the pace of the table."""

import errno
import logging
import re
import socket
from collections.abc import Callable

from flask import Response, request

from server import connections, envelope, metrics, pacing
from server.errors import NotFound, RangeNotSatisfiable, Unavailable
from server.kinds import Bandwidth
from server.pacing import Slots
from server.settings import Settings
from server.store import file_storage
from server.store.file_place import FilesOutOfReach
from server.store.file_storage import Bytes

log = logging.getLogger("weir")

OPAQUE = "application/octet-stream"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
_HARMLESS = re.compile(
    r"(?:image|audio|video)/(?!.*(?:svg|xml))[a-z0-9.+-]{1,100}"
    r"|text/plain|application/(?:pdf|zip|gzip|json)"
)
# What a browser would run, or sniff, comes as bytes of no type. And what came to one
# caller is for that one: a cache between us would go on giving a file to whoever has
# its signed address, after its time.
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private"}

_RETRY_SECONDS = 2
# A receiver that takes nothing for so long gives its thread back.
_STALLED_SECONDS = 60

_slots = Slots(1)
_x_accel: str | None = None


def init_app(settings: Settings, slots: Slots) -> None:
    """Hand files over as the settings say, by threads of *slots*."""
    global _slots, _x_accel  # one app a process
    _slots = slots
    _x_accel = settings.x_accel


def type_of(stated: str) -> str:
    """*stated*, the sender's word for it, where that can do no harm."""
    kind = stated.partition(";")[0].strip().lower()
    return kind if _HARMLESS.fullmatch(kind) else OPAQUE


def send(key: str, content_type: str, *, pace: Bandwidth | None = None) -> Response:
    """The bytes of *key*, as the request asks for them.

    Raises:
        Unavailable: too many threads of this worker are downloading; nothing was read.
        NotFound: there are no such bytes.
    """
    stated = None if pace is None else pace.stated()
    rate = None if stated is None else stated.value
    if _x_accel is not None:
        return _handed_over(_x_accel + key, content_type, rate)
    slot = _slots.take(metrics.downloading)
    if slot is None:
        raise Unavailable(retry_after=_RETRY_SECONDS)
    content = None
    try:
        content = file_storage.open_stored(key)
        if content is None:
            raise NotFound
        response = _answer(content, content_type, rate)
    except BaseException:
        slot.give_back()
        if content is not None:
            content.close()
        raise
    response.call_on_close(slot.give_back)
    response.call_on_close(content.close)
    return response


def _handed_over(path: str, content_type: str, rate: int | None) -> Response:
    """nginx sends the file, ranges included."""
    response = Response(status=200, content_type=content_type)
    response.headers.update(_HEADERS)
    response.headers["X-Accel-Redirect"] = path
    if rate is not None:
        response.headers["X-Accel-Limit-Rate"] = str(rate)
    return response


def _answer(content: Bytes, content_type: str, rate: int | None) -> Response:
    length = content.seek(0, 2)
    asked = _range(length)
    if asked is not None and asked[0] >= asked[1]:
        response = envelope.refuse(RangeNotSatisfiable())
        response.headers["Content-Range"] = f"bytes */{length}"
        return response
    start, stop = asked or (0, length)
    content.seek(start)
    if start < stop:  # the first bytes are had before an answer is begun
        content.read(1)
        content.seek(start)
    _do_not_wait_for_ever()
    response = Response(
        pacing.chunks(_all_of(content), stop - start, rate),
        status=200 if asked is None else 206,
        content_type=content_type,
    )
    response.content_length = stop - start
    response.headers["Accept-Ranges"] = "bytes"
    response.headers.update(_HEADERS)
    if asked is not None:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    return response


def _all_of(content: Bytes) -> Callable[[int], bytes]:
    """Read on, or cut the connection: it is too late to answer anything else."""

    def read(size: int) -> bytes:
        try:
            found = content.read(size)
        except FilesOutOfReach as error:
            log.error("a download is cut off: %s", error)
            raise _cut() from None
        if not found:
            log.error("a download is cut off: its file has become shorter")
            raise _cut()
        return found

    return read


def _cut() -> OSError:
    """What gunicorn takes for a receiver that has gone, and says nothing of."""
    return OSError(errno.EPIPE, "cut off")


def _range(length: int) -> tuple[int, int] | None:
    """From where to before where; empty when no byte of it is there.

    None: the whole. So are several ranges, other units, and anything malformed; and
    whatever is asked under a condition, for no answer of ours names what to compare.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.method != "GET" or "If-Range" in request.headers:
        return None
    first, last = asked.groups()
    if not first:
        return (max(0, length - int(last)), length) if last else None
    if last and int(last) < int(first):
        return None
    return int(first), min(length, int(last) + 1) if last else length


def _do_not_wait_for_ever() -> None:
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is not None:
        connections.keep(connection, _STALLED_SECONDS)
