"""The backups of README.md, made and restored while callers write."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.settings import Settings
from tests.databases import rows_of_file
from tests.hosts.conftest import Calling
from tests.hosts.fleet import TARGETS, Fleet, populate
from tests.hosts.judging import wrongly_kept
from tests.hosts.load import App, Calls, Outcome
from tests.readme import block
from tests.server.gunicorn import Gunicorn, serving
from tests.services import postgres
from tests.trees import copy_of_the_tree

KEYS = {"globex/one": "enterprise"}
KEPT = "SELECT id, target, body FROM message"
MESSAGE = {
    "target_type": "users",
    "target": ["bob"],
    "msg": {"type": "txt", "msg": "x"},
}


def run(name: str, tree: Path, **environ: str) -> None:
    """Run the block of README.md, in a copy of the tree."""
    # PostgreSQL's programs are on no path of Debian's.
    path = f"{postgres.programs()}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block(name)],
        cwd=tree, env=os.environ | {"PATH": path} | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def sends_at(calls: Calls, moment: float) -> list[Outcome]:
    """As they stood at this moment: what was answered later may be there or not."""
    return [
        each if each.ended < moment else dataclasses.replace(each, status=0)
        for each in calls.outcomes
        if each.interface == "messages"
    ]


def goes_on(server: Gunicorn, app: App, newest: int) -> None:
    """A server on what was restored: old tokens and files are good, ids go on."""
    path = f"/{app.key}/messages?useMsgId=true"
    status, _, answer = server.call("POST", path, MESSAGE, app.token)

    assert status == 200, answer
    assert int(answer["data"]["bob"]) > newest
    file = f"GET {app.file} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {app.token}\r\n\r\n"
    assert server.raw(file.encode()).endswith(b"\r\n\r\nof each app")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = copy_of_the_tree(tmp_path)
    (tree / ".venv").symlink_to(sys.prefix)
    return tree


def test_sqlite_under_load(tree: Path, calling: Calling) -> None:
    state = tree / "var"
    (app,) = populate(Settings(state_dir=state), KEYS)
    here = {"database_url": f"sqlite:///{state}/weir.db"}
    with (
        serving(state, tree=tree, workers="2", **here) as server,
        calling([server], [app]) as calls,
    ):
        calls.wait_for_more(40, list(KEYS), [0])
        began = time.monotonic()
        run("backup-sqlite", tree)
        calls.wait_for_more(40, list(KEYS), [0])
    sends = sends_at(calls, began)
    newest = max(max(each.ids) for each in calls.of("messages"))
    (state / "weir.db-wal").write_bytes(b"of the database that was lost")
    shutil.rmtree(state / "files")
    (tree / "backup.db").chmod(0o600)

    run("restore-sqlite", tree)

    assert rows_of_file(state, "PRAGMA integrity_check") == [("ok",)]
    kept = rows_of_file(state, KEPT)
    assert wrongly_kept(sends, kept, TARGETS) == []
    assert 0 < len(kept) < len(TARGETS) * len(calls.of("messages"))
    assert rows_of_file(state, "SELECT sum(used) FROM quota_use") == [(len(kept),)]
    assert (state / "weir.db").stat().st_mode & 0o777 == 0o600
    with serving(state, tree=tree, workers="1", **here) as server:
        goes_on(server, app, newest)


def test_postgresql_under_load(pair: Fleet, tree: Path, calling: Calling) -> None:
    url, restored = pair.shared["database_url"], pair.cluster.url("restored")
    with calling(pair.hosts, pair.apps) as calls:
        calls.wait_for_more(20, list(KEYS), [0, 1])
        began = time.monotonic()
        run("backup-postgresql", tree, WEIR_DATABASE_URL=url)
        calls.wait_for_more(20, list(KEYS), [0, 1])
    sends = sends_at(calls, began)
    newest = max(max(each.ids) for each in calls.of("messages"))
    pair.cluster.execute("CREATE DATABASE restored")

    run("restore-postgresql", tree, WEIR_DATABASE_URL=restored)

    kept = pair.cluster.execute(KEPT, "restored")
    assert wrongly_kept(sends, kept, TARGETS) == []
    assert 0 < len(kept) < len(TARGETS) * len(calls.of("messages"))
    used = pair.cluster.execute("SELECT sum(used)::int FROM quota_use", "restored")
    assert used == [(len(kept),)]
    goes_on(pair.add(database_url=restored), pair.apps[0], newest)
