"""Starts on a disk that takes nothing: words that name the setting, and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disks import fill, need_mounts, nobody_may_write, small_disk
from tests.server.gunicorn import ROOT, environment


def start(state: Path, **settings: str) -> str:
    """What a start says that comes to nothing."""
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(state, 1, **settings),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    return ended.stdout + ended.stderr


def settings_of(state: Path, at: Path, what: str) -> dict[str, str]:
    """The state dir is *state*; what is named lies at *at*."""
    return {
        "WEIR_STATE_DIR": {},
        "WEIR_DATABASE_URL": {"database_url": f"sqlite:///{at}/weir.db"},
        "WEIR_FILES_URL": {"files_url": f"file://{at}/files"},
    }[what]


PLACES = ["WEIR_STATE_DIR", "WEIR_DATABASE_URL", "WEIR_FILES_URL"]


@pytest.mark.parametrize("what", PLACES)
def test_a_read_only_place_is_explained(tmp_path: Path, what: str) -> None:
    need_mounts()
    at = tmp_path / "at"
    at.mkdir()
    state = at if what == "WEIR_STATE_DIR" else tmp_path / "state"

    with nobody_may_write(at):
        said = start(state, **settings_of(state, at, what))

    assert f"{what}: " in said
    assert "Read-only file system" in said or "readonly" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("what", PLACES[:2])
def test_a_full_disk_is_explained(tmp_path: Path, what: str) -> None:
    with small_disk(tmp_path / "at", 1) as at:
        fill(at / "ballast")
        state = at if what == "WEIR_STATE_DIR" else tmp_path / "state"

        said = start(state, **settings_of(state, at, what))

    assert f"{what}: " in said
    assert "No space left" in said or "full" in said
    assert "Traceback" not in said
