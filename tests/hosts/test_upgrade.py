"""The upgrade of README.md, to a release that git has, while callers call."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from server.settings import Settings
from tests.databases import rows_of_file
from tests.hosts.conftest import Calling
from tests.hosts.fleet import TARGETS, populate
from tests.hosts.judging import wrongly_kept
from tests.readme import block
from tests.server.gunicorn import Gunicorn, serving
from tests.trees import copy_of_the_tree, recompile
from tests.waiting import wait_until

STEP = '''"""What a later release has."""

from peewee import Database

from server.store.migrations import Step


def up(_: object, database: Database) -> None:
    step = Step(database)
    step.run("CREATE TABLE later (one {whole} NOT NULL PRIMARY KEY)")
'''
PROGRAM = "#!{python}\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
# Installing needs no network where all that is wanted is there.
PIP = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *arguments],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def environment() -> dict[str, str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("WEIR", "GIT_"))}
    return clean | PIP


def run(tree: Path, command: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=tree, env=environment(),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with this release."""
    origin = copy_of_the_tree(tmp_path)
    (origin / ".gitignore").write_text("var/\n.venv/\n__pycache__/\n*.egg-info/\n")
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message=This release")
    return origin


@pytest.fixture
def clone(tmp_path: Path, origin: Path) -> Path:
    """What an operator has: a clone, and a .venv of its own that it is installed in."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    own = clone / ".venv"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", own], check=True, timeout=60
    )
    libraries = next(own.glob("lib/python*/site-packages"))
    (libraries / "of-the-tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, module in (("flask", "flask.cli"), ("pip", "pip._internal.cli.main")):
        program = own / "bin" / name
        program.write_text(PROGRAM.format(python=own / "bin/python", module=module))
        program.chmod(0o755)
    return clone


def release(origin: Path) -> None:
    """The next one: another figure, and a step for the database."""
    recompile(origin, "call limit 30 times/second", "call limit 31 times/second")
    steps = origin / "server/store/migrations"
    last = max(int(path.name[:4]) for path in steps.glob("0*.py"))
    (steps / f"{last + 1:04}_later.py").write_text(STEP)
    shutil.rmtree(origin / "server/__pycache__", ignore_errors=True)
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message=The next release")


def figure(server: Gunicorn, key: str, token: str) -> int:
    _, _, answer = server.call("GET", f"/{key}/limits", token=token)
    found: int = answer["data"][0]["rules"][0]["calls"]
    return found


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to pull with")
def test_no_call_fails_during_the_upgrade(
    origin: Path, clone: Path, calling: Calling
) -> None:
    state = clone / "var"
    (app,) = populate(Settings(state_dir=state), {"globex/one": "enterprise"})
    release(origin)
    here = {"database_url": f"sqlite:///{state}/weir.db", "access_log": "off"}
    with serving(state, tree=clone, workers="2", **here) as server:
        assert figure(server, app.key, app.token) == 30
        before = server.workers()
        with calling([server], [app]) as calls:
            calls.wait_for_more(20, [app.key], [0])
            done = run(clone, block("upgrade"))
            wait_until(lambda: not set(server.workers()) & set(before))
            calls.wait_for_more(20, [app.key], [0])
        assert figure(server, app.key, app.token) == 31

    assert "_later" in done
    assert rows_of_file(state, "SELECT count(*) FROM later") == [(0,)]
    failed = [each for each in calls.outcomes if each.status not in (200, 404, 429)]
    assert failed == []
    sends = [each for each in calls.outcomes if each.interface == "messages"]
    rows = rows_of_file(state, "SELECT id, target, body FROM message")
    assert wrongly_kept(sends, rows, TARGETS) == []
