"""How gunicorn hosts Weir: ``gunicorn -c server/gunicorn_conf.py wsgi:app``.

No preloading: HUP must read new rules. One listening socket that the workers share:
with ``reuse_port`` each worker has a queue of its own, and the connections waiting in
it are reset when a reload ends the worker (45 of 32,000 in ten reloads under load);
keep-alive connections spread as evenly without it.
"""

import os
import sys
from typing import Any

from server.settings import MEMORY, BadSettings, Settings
from server.store import database
from server.store.models import TABLES

try:
    _settings = Settings.from_env(os.environ)
except BadSettings as wrong:
    sys.exit(f"Weir cannot start:\n{wrong}")

try:
    _settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as _error:
    sys.exit(f"Weir cannot start:\nWEIR_STATE_DIR: {_error}")

# Workers are forked from this process, and would not read again what it has imported:
# a HUP after an upgrade must find the new code.
for _name in [name for name in sys.modules if name.partition(".")[0] == "server"]:
    del sys.modules[_name]

bind = _settings.bind
worker_class = "gthread"
workers = _settings.workers
threads = _settings.threads
loglevel = _settings.log_level
keepalive = 75
graceful_timeout = 30
# A worker that does not answer the master for so long is replaced.
timeout = 60
control_socket_disable = True
umask = 0o077
pidfile = str(_settings.state_dir / "gunicorn.pid")
proc_name = "weir"
# Behind proxies, who called is read from X-Forwarded-For by Werkzeug, not here.
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(server: Any) -> None:
    """Stop rather than let a limit quietly multiply, or workers die one by one."""
    if _settings.counters_url == MEMORY and server.cfg.workers > 1:
        sys.exit(
            "Weir cannot start:\nWEIR_COUNTERS_URL=memory:// counts in each process by"
            f" itself, and there are {server.cfg.workers} workers: set WEIR_WORKERS=1"
            " or use the default counters"
        )
    try:
        database.check(_settings, TABLES)
    except database.UnusableDatabase as wrong:
        sys.exit(f"Weir cannot start:\n{wrong}")
