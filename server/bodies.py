"""The bytes of a request's body, as they come from the connection."""

from typing import IO

from gunicorn.http.errors import ParseException

from server import connections
from server.errors import (
    INVALID_REQUEST,
    IllegalArgument,
    RequestTimeout,
    Unavailable,
)

_RETRY_SECONDS = 2


def read(stream: IO[bytes], size: int) -> bytes:
    """At most *size* bytes of *stream*; none at its end.

    Raises:
        RequestTimeout: who sends it is gone, or too slow, or stopped within a chunk.
        Unavailable: it comes slowly, and as many threads wait for such as may.
        IllegalArgument: it is framed as HTTP does not.
    """
    try:
        return stream.read(size)
    except OSError as error:
        if connections.wants_thread(error):
            raise Unavailable(retry_after=_RETRY_SECONDS) from None
        raise RequestTimeout from None
    except ParseException:
        raise IllegalArgument(INVALID_REQUEST) from None
