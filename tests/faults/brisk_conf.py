"""gunicorn_conf.py in a hurry: a worker that does not answer is replaced after 8 s, one
whose call does not end after 3 s."""

from pathlib import Path

from server.gunicorn_worker import BalancedWorker

exec(Path("server/gunicorn_conf.py").read_text())  # noqa: S102 (as gunicorn itself does)

timeout = 8
BalancedWorker.stuck_seconds = 3
