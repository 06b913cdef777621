"""The bytes of a request's body, as they come from the connection."""

from typing import IO

from gunicorn.http.errors import ParseException

from server.errors import INVALID_REQUEST, IllegalArgument, RequestTimeout


def read(stream: IO[bytes], size: int) -> bytes:
    """At most *size* bytes of *stream*; none at its end.

    Raises:
        RequestTimeout: who sends it is gone, or too slow, or stopped within a chunk.
        IllegalArgument: it is framed as HTTP does not.
    """
    try:
        return stream.read(size)
    except OSError:
        raise RequestTimeout from None
    except ParseException:
        raise IllegalArgument(INVALID_REQUEST) from None
