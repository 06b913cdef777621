"""``wsgi:app`` in a hurry, for tests that would wait long: what is patience in the
server is moments here. Named to gunicorn in place of ``wsgi:app``."""

import os
import socket
from datetime import timedelta

from flask import request

from server import downloads, retention

retention.FIRST = timedelta(milliseconds=100)
retention.EVERY = timedelta(milliseconds=100)
retention.FOLDERS_EACH = retention.ORPHANS_EACH = 1
_turn = retention.Sweeper.turn


def _turn_aloud(self: retention.Sweeper) -> retention.Swept | None:
    swept = _turn(self)
    print("swept" if swept else "turned away", f"by {os.getpid()}.", flush=True)
    return swept


retention.Sweeper.turn = _turn_aloud

downloads._STALLED_SECONDS = 1

_wait_so_long = downloads._do_not_wait_for_ever


def _and_keep_little_on_the_way() -> None:
    """Else the kernel would take whole files from us, and no receiver be slow."""
    connection: socket.socket = request.environ["gunicorn.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    _wait_so_long()


downloads._do_not_wait_for_ever = _and_keep_little_on_the_way

from wsgi import app  # noqa: E402 (only now, for it starts the sweeper)

__all__ = ["app"]
