"""``wsgi:app`` in a hurry, for tests that would wait long: what is patience in the
server is moments here. Named to gunicorn in place of ``wsgi:app``."""

from datetime import timedelta

from server import downloads, retention

retention.FIRST = timedelta(milliseconds=100)
retention.EVERY = timedelta(milliseconds=100)
retention.ORPHANS_EACH = 1
downloads._STALLED_SECONDS = 1

from wsgi import app  # noqa: E402 (only now, for it starts the sweeper)

__all__ = ["app"]
