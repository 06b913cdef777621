"""Apps are kept in memory, and a change is seen by every process at its next call."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from server.settings import Settings
from server.store import apps
from server.store.generation import Generation
from tests import databases
from tests.conftest import Tenant

ROOT = Path(__file__).parent.parent.parent.parent

ELSEWHERE = """
import os, sys
from server.settings import Settings
from server.store import apps, database
database.connect(Settings.from_env(os.environ))
apps.set_edition("acme", "chat", sys.argv[1])
"""
KILLED = ELSEWHERE.replace(
    'apps.set_edition("acme", "chat", sys.argv[1])',
    """
with database.writing_apps():
    apps._SET_EDITION.run(sys.argv[1], "acme", "chat")
    print("changing", flush=True)
    sys.stdin.read()
""",
)


def edition() -> str:
    found = apps.find("acme", "chat")
    assert found is not None
    return found.edition


def test_another_process_changes_an_app(acme: Tenant, settings: Settings) -> None:
    assert edition() == "community"

    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, "enterprise"],
        cwd=ROOT, env=databases.environment(settings), check=True,
    )  # fmt: skip

    assert edition() == "enterprise"


@databases.only_sqlite
def test_an_app_is_read_once_until_it_changes(acme: Tenant) -> None:
    first = apps.find("acme", "chat")

    assert apps.find("acme", "chat") is first
    apps.set_edition("acme", "chat", "enterprise")
    assert apps.find("acme", "chat") is not first


def test_a_change_killed_half_way_is_undone_and_nothing_is_kept(
    acme: Tenant, settings: Settings
) -> None:
    changing = subprocess.Popen(
        [sys.executable, "-c", KILLED, "enterprise"],
        cwd=ROOT, env=databases.environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert changing.stdout.readline() == b"changing\n"
    before = edition()
    os.kill(changing.pid, signal.SIGKILL)
    changing.communicate()

    assert (before, edition()) == ("community", "community")
    assert apps.find("acme", "chat") is not apps.find("acme", "chat")
    apps.set_edition("acme", "chat", "enterprise")
    assert edition() == "enterprise"
    if not databases.ON_POSTGRESQL:
        assert apps.find("acme", "chat") is apps.find("acme", "chat")


def test_apps_that_do_not_exist_are_not_kept(app: Flask) -> None:
    for n in range(100):
        assert apps.find("nobody", f"app{n}") is None

    assert apps._kept == {}


def test_a_generation_is_shared_by_whoever_opens_the_file(tmp_path: Path) -> None:
    one, other = Generation(tmp_path / "n"), Generation(tmp_path / "n")

    before = other.read()
    with one.changing():
        assert other.read() % 2 == 1

    assert other.read() % 2 == 0
    assert other.read() != before


def test_a_change_that_fails_is_over_too(tmp_path: Path) -> None:
    generation = Generation(tmp_path / "n")
    before = generation.read()

    with pytest.raises(ValueError, match="undone"), generation.changing():
        raise ValueError("undone")

    assert generation.read() == before + 2
