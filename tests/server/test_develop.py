"""`flask run --debug`, and a table that is edited under it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.gunicorn import (
    Gunicorn,
    environment,
    flask,
    free_port,
    wait_until_healthy,
)
from tests.trees import copy_of_the_tree

PATIENCE_SECONDS = 40


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return copy_of_the_tree(tmp_path)


@pytest.fixture
def server(tree: Path, tmp_path: Path) -> Iterator[Gunicorn]:
    """The one command, as a developer types it."""
    port, state, log_path = free_port(), tmp_path / "state", tmp_path / "log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "run", "--debug", "--port", str(port)],
            cwd=tree, env=environment(state, port), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    server = Gunicorn(process, port, state, log_path)
    try:
        wait_until_healthy(server, PATIENCE_SECONDS)
        server.wait_for_log("watching limits.md", PATIENCE_SECONDS)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(20)
        for pid in session(process.pid):
            os.kill(pid, signal.SIGKILL)


def session(leader: int) -> list[int]:
    """The processes that the command started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] == str(leader) and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def policy(server: Gunicorn, token: str) -> str | None:
    """What the server now says it holds callers to; None while it restarts."""
    try:
        _, headers, _ = server.call("GET", "/acme/chat/users/nobody", token=token)
    except OSError:
        return None
    return headers.get("ratelimit-policy")


def wait_for_policy(server: Gunicorn, token: str, wanted: str) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while policy(server, token) != wanted:
        assert time.monotonic() < ends, server.log
        time.sleep(0.05)


def edit(tree: Path, old: str, new: str) -> None:
    text = (tree / "limits.md").read_text()
    assert old in text
    (tree / "limits.md").write_text(text.replace(old, new))


def test_each_save_of_the_table_is_what_the_server_says(
    tree: Path, server: Gunicorn
) -> None:
    flask(tree, server.state_dir, "apps", "create", "acme/chat")
    token = flask(tree, server.state_dir, "apps", "token", "acme/chat").strip()
    assert policy(server, token) == '"users.calls";q=10;w=1'

    edit(tree, "limit 10 times/second", "limit 15 times/second")
    wait_for_policy(server, token, '"users.calls";q=15;w=1')

    edit(tree, "limit 15 times/second", "limit 15 tims/second")
    server.wait_for_log("nothing was written", PATIENCE_SECONDS)
    assert "limits.md:18:" in server.log
    assert 'nearest: "single app call limited to 15 times/second"' in server.log
    assert policy(server, token) == '"users.calls";q=15;w=1'

    edit(tree, "limit 15 tims/second", "limit 16 times/minute")
    wait_for_policy(server, token, '"users.calls";q=16;w=60')


def test_nothing_is_left_when_it_ends(server: Gunicorn) -> None:
    assert len(session(server.process.pid)) == 3  # itself, the server, the watcher

    server.process.terminate()
    server.process.wait(PATIENCE_SECONDS)

    ends = time.monotonic() + PATIENCE_SECONDS
    while session(server.process.pid):
        assert time.monotonic() < ends
        time.sleep(0.05)
