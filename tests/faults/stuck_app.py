"""wsgi.py with an address whose handler never ends, as a bug would have it."""

import threading

from wsgi import app

__all__ = ["app"]

_never = threading.Event()


@app.get("/never")
def never() -> str:
    """Wait for what nobody says."""
    _never.wait()
    raise AssertionError("somebody said it")
