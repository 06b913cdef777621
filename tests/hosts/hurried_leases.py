"""``wsgi:app`` whose leases are short, so that a test sees one end by itself. Named to
gunicorn in place of ``wsgi:app``."""

from server.store import leases
from server.streaming import reader

leases.LEASE_MS = 4_000
reader.RENEWAL_SECONDS = 1.0

from wsgi import app  # noqa: E402 (only now, for it serves at once)

__all__ = ["app"]
