"""Paths as clients send them, made regular before they are routed.

Shipped clients double the slash after the app, or end paths with one; answering with a
redirect would turn their POST into a GET. And an encoded slash is part of a name, not
a separator: ``users/a%2Fpassword`` must not reach ``users/a/password``.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SLASHES = re.compile(r"/{2,}")
_ENCODED_SLASH = re.compile(r"%2f", re.IGNORECASE)


class RegularPaths:
    """WSGI middleware: rewrites ``PATH_INFO``."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        # gunicorn and werkzeug keep the path as it was sent under this name.
        sent: str = environ.get("RAW_URI", "")
        if "%2F" in sent or "%2f" in sent:
            path = _decoded_but_slashes(sent)
        if "//" in path:
            path = _SLASHES.sub("/", path)
        if path.endswith("/") and path != "/":
            path = path[:-1]
        environ["PATH_INFO"] = path
        return self._application(environ, start_response)


def _decoded_but_slashes(sent: str) -> str:
    """The path of a request target, percent-decoded, encoded slashes left encoded."""
    path = sent.partition("?")[0]
    if not path.startswith("/"):  # absolute form: scheme://host/path
        path = "/" + path.partition("://")[2].partition("/")[2]
    kept = _ENCODED_SLASH.sub("%252F", path)
    return unquote_to_bytes(kept).decode("latin-1")  # WSGI's way to carry bytes
