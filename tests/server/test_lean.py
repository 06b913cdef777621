"""What a worker holds in memory from its start, before anyone calls."""

import subprocess
import sys
from pathlib import Path

from flask import Flask, url_for

from tests.server.gunicorn import ROOT, environment, flask

STARTED = """
import runpy, sys
runpy.run_path("server/gunicorn_conf.py")
import wsgi
print(*sys.modules)
"""


def test_a_worker_reads_no_library_that_its_settings_have_no_use_for(
    tmp_path: Path,
) -> None:
    flask(ROOT, tmp_path, "apps", "create", "acme/chat")
    started = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT, env=environment(tmp_path, 1), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    read = set(started.stdout.split())

    assert {"flask", "server.limiting.rings"} <= read
    assert read.isdisjoint({"redis", "rich", "PIL", "s3fs", "botocore", "gevent"})


def test_an_address_is_built_all_the_same(app: Flask) -> None:
    (route,) = [
        each for each in app.url_map.iter_rules()
        if each.rule == "/<org>/<app>/users/<username>" and "GET" in each.methods
    ]  # fmt: skip

    with app.test_request_context():
        built = url_for(route.endpoint, org="acme", app="chat", username="a b", page=2)

    assert built == "/acme/chat/users/a%20b?page=2"
