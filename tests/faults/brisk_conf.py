"""gunicorn_conf.py in a hurry: a worker that does not answer is replaced after 8 s."""

from pathlib import Path

exec(Path("server/gunicorn_conf.py").read_text())  # noqa: S102 (as gunicorn itself does)

timeout = 8
