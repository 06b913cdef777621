"""How gunicorn hosts many: ``gunicorn -c server/gunicorn_stream_conf.py wsgi:app``.

The same application as gunicorn_conf.py serves, by greenlets instead of threads: for
``/{org}/{app}/users/{username}/stream`` beside it, behind one proxy. What a call does
in the database, or waits for another process's lock there, holds up the worker's other
streams for that time: well below a millisecond for a read, a sync of the disk for a
write. So calls belong to the other server. Needs gevent: ``pip install '.[stream]'``.
"""

# First of all: whatever takes a lock, a thread's own place or a socket from now on is
# to take the greenlets' (peewee keeps a connection for each "thread").
from gevent import monkey

monkey.patch_all()

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

# Streams of one process, unless WEIR_STREAMS says so; each takes two or three files.
_STREAMS = 5_000
os.environ.setdefault("WEIR_STREAMS", str(_STREAMS))
# A socket of its own, and a file of its own for the process's number.
os.environ.setdefault("WEIR_BIND", "127.0.0.1:8001")

from server import state_dir
from server.gunicorn_stream_worker import StreamWorker
from server.settings import MEMORY, BadSettings, Settings
from server.store import database, schema

try:
    _settings = Settings.from_env(os.environ)
    state_dir.make(_settings.state_dir)
except (BadSettings, OSError) as _wrong:
    sys.exit(f"Weir cannot start:\n{_wrong}")

# As in gunicorn_conf.py: a HUP must find new code.
for _name in [name for name in sys.modules if name.partition(".")[0] == "server"]:
    del sys.modules[_name]

bind = _settings.bind
worker_class = StreamWorker
workers = _settings.workers
worker_connections = _settings.streams + 1_000
loglevel = _settings.log_level
keepalive = 5
graceful_timeout = 10
timeout = 60
control_socket_disable = True
umask = 0o077
# What stands before the path, and whether callers use https, is for
# WEIR_TRUSTED_PROXIES to say. gunicorn would believe anyone on this host, and so
# whoever a proxy on it serves: with "SCRIPT_NAME: /x", /x/metrics, which the proxy lets
# pass, is our /metrics.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
# The one that the tests try; a faster one would be taken wherever it is installed.
http_parser = "python"
pidfile = str(_settings.state_dir / "gunicorn-stream.pid")
proc_name = "weir-stream"


def pre_fork(_server: Any, _worker: Any) -> None:
    """As in gunicorn_conf.py: the file with the process's number is nobody else's."""
    with suppress(OSError):
        Path(pidfile).chmod(0o600)


def on_starting(_server: Any) -> None:
    """Stop where it cannot work; let each process have the files that it needs."""
    if _settings.counters_url == MEMORY:
        sys.exit(
            "Weir cannot start:\nWEIR_COUNTERS_URL=memory:// counts in each process by"
            " itself, and streams are served beside the calls: use the default counters"
        )
    try:
        schema.check(_settings)
    except database.UnusableDatabase as wrong:
        sys.exit(f"Weir cannot start:\n{wrong}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
