"""How gunicorn hosts Weir: ``gunicorn -c server/gunicorn_conf.py wsgi:app``.

No preloading: HUP must read new rules. One listening socket that the workers share, see
gunicorn_worker.py.
"""

import gc
import os
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from server import (
    allocator,
    descriptors,
    logs,
    redis_urls,
    state_dir,
)
from server.gunicorn_roster import roster_of
from server.gunicorn_worker import BalancedWorker
from server.settings import MEMORY, BadSettings, Settings
from server.store import database, file_storage, schema

try:
    _settings = Settings.from_env(os.environ)
except BadSettings as wrong:
    sys.exit(f"Weir cannot start:\n{wrong}")
if redis_urls.is_shared(_settings.counters_url):
    from server import redis_check  # the only one with use for it: see counters.connect

pidfile = str(_settings.state_dir / "gunicorn.pid")
try:
    state_dir.prepare(_settings.state_dir, Path(pidfile))
except OSError as _error:
    sys.exit(f"Weir cannot start:\nWEIR_STATE_DIR: {_error}")

allocator.give_back_early()

# Workers are forked from this process, and would not read again what it has imported:
# a HUP after an upgrade must find the new code.
for _name in [name for name in sys.modules if name.partition(".")[0] == "server"]:
    del sys.modules[_name]

bind = _settings.bind
worker_class = BalancedWorker
workers = _settings.workers
threads = _settings.threads
loglevel = _settings.log_level
logconfig_dict = logs.configuration(_settings)
keepalive = 75
BalancedWorker.head_seconds = _settings.head_seconds
BalancedWorker.body_seconds = _settings.body_seconds
graceful_timeout = 30
# A worker that does not answer the master for so long is replaced.
timeout = 60
control_socket_disable = True
# A connection that nobody uses costs some kilobytes and one file; the least needed of
# them gives way before files run out that answers need (three a thread for SQLite).
_MOST_CONNECTIONS, _FILES_BESIDE, _FILES_A_THREAD = 10_000, 80, 6
_most_files = descriptors.raise_limit()
worker_connections = max(
    threads + 16,
    min(_MOST_CONNECTIONS, _most_files - _FILES_BESIDE - _FILES_A_THREAD * threads),
)
# A batch removal names its users in the path; this is as much as gunicorn reads.
limit_request_line = 8190
umask = 0o077
# What stands before the path, and whether callers use https, is for
# WEIR_TRUSTED_PROXIES to say. gunicorn would believe anyone on this host, and so
# whoever a proxy on it serves: with "SCRIPT_NAME: /x", /x/metrics, which the proxy lets
# pass, is our /metrics.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
# The one that the tests try; a faster one would be taken wherever it is installed.
http_parser = "python"
proc_name = "weir"


# A worker runs on one core: its threads take turns anyway, and a turn that passes from
# core to core costs more than many a call (a third of the throughput on two cores).
_cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_core_of: dict[int, int] = {}


def pre_fork(server: Any, worker: BalancedWorker) -> None:
    """Choose the core with the fewest workers. Runs in the master, one at a time."""
    with suppress(OSError):  # gunicorn lets everyone read it, at each start and reload
        Path(pidfile).chmod(0o600)
    roster_of(server, workers).begin(worker.age)
    if 1 < len(_cores) <= workers:
        taken = list(_core_of.values())
        worker.core = min(_cores, key=taken.count)
        _core_of[worker.age] = worker.core


def post_fork(server: Any, worker: BalancedWorker) -> None:
    """Give a new worker what it shares with the others, and its core."""
    worker.tmp.notify()  # else one that is stuck at its start would never be replaced
    worker.roster = roster_of(server, workers)
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})


def post_worker_init(_worker: Any) -> None:
    """What was made at start stays: garbage is looked for among the rest only."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: BalancedWorker) -> None:
    """A worker that is gone, or was killed, holds no connections."""
    roster_of(server, workers).end(worker.age)
    _core_of.pop(worker.age, None)


def on_starting(server: Any) -> None:
    """Stop rather than let a limit quietly multiply, or workers die one by one."""
    if _settings.counters_url == MEMORY and server.cfg.workers > 1:
        sys.exit(
            "Weir cannot start:\nWEIR_COUNTERS_URL=memory:// counts in each process by"
            f" itself, and there are {server.cfg.workers} workers: set WEIR_WORKERS=1"
            " or use the default counters"
        )
    try:
        log_of_calls = logs.file_of_calls(_settings)
    except logs.UnusableLog as wrong:
        sys.exit(f"Weir cannot start:\n{wrong}")
    if log_of_calls is not None:
        log_of_calls.close()
    if redis_urls.is_shared(_settings.counters_url):
        _look_at_counters(server)
    try:
        schema.check(_settings)
    except database.UnusableDatabase as wrong:
        sys.exit(f"Weir cannot start:\n{wrong}")
    # In a child: what fsspec starts for a bucket must not be in the master to fork.
    checking = get_context("fork").Process(target=_check_files)
    checking.start()
    checking.join()
    if checking.exitcode:
        sys.exit(1)  # the child has said why


def _check_files() -> None:
    try:
        file_storage.check(_settings)
    except BadSettings as wrong:
        sys.exit(f"Weir cannot start:\n{wrong}")


def _look_at_counters(server: Any) -> None:
    """Servers that are away may come back: until then calls meet the counters' loss."""
    try:
        for complaint in redis_check.check(redis_urls.read(_settings.counters_url)):
            server.log.error("WEIR_COUNTERS_URL: %s", complaint)
    except redis_check.UnusableCounters as wrong:
        sys.exit(f"Weir cannot start:\nWEIR_COUNTERS_URL: {wrong}")
