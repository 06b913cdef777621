"""Passwords of what the server stands on are told by no message, where it cannot be had.

The servers are out of reach here, which is when people write most.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.gunicorn import ROOT, environment, serving

SECRET, OTHER = "pass-of-a-backend", "key-of-a-backend"
NOWHERE = "127.0.0.1:1"
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
SERVE = [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"]
DATABASE = f"postgresql://weir:{SECRET}@{NOWHERE}/weir?options={OTHER}"
S3 = {
    "AWS_ACCESS_KEY_ID": OTHER,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": SECRET,
    "AWS_ENDPOINT_URL": f"http://{NOWHERE}",
}


def told(place: Path, command: list[str], settings: dict[str, str], **more: str) -> str:
    """All that it writes; it is to end with a refusal, and without a traceback."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment(place, 1, **settings) | more,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode not in (0, None), said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("command", [SERVE, [*FLASK, "apps", "list"]])
def test_a_database_out_of_reach_is_told_without_its_password(
    tmp_path: Path, command: list[str]
) -> None:
    said = told(tmp_path / "state", command, {"database_url": DATABASE, "log_level": "debug"})  # fmt: skip

    assert "WEIR_DATABASE_URL" in said
    assert SECRET not in said
    assert OTHER not in said


def test_a_bucket_out_of_reach_is_told_without_its_keys(tmp_path: Path) -> None:
    settings = {"files_url": "s3://bucket/weir", "log_level": "debug", "workers": "1"}

    said = told(tmp_path / "state", SERVE, settings, AWS_MAX_ATTEMPTS="1", **S3)

    assert "WEIR_FILES_URL" in said
    assert SECRET not in said
    assert OTHER not in said


def test_counters_out_of_reach_are_told_without_their_password(tmp_path: Path) -> None:
    url = f"redis://weir:{SECRET}@{NOWHERE}/0"
    place = tmp_path / "state"

    with serving(place, workers="1", counters_url=url, log_level="debug") as server:
        assert server.call("GET", "/demo/chat/users")[0] in (401, 503)
        metrics = server.raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")  # fmt: skip
        titles = [
            Path(f"/proc/{pid}/{name}").read_bytes()
            for pid in (server.process.pid, *server.workers())
            for name in ("cmdline", "comm")
        ]
        kept = [each.read_bytes() for each in place.rglob("*") if each.is_file()]
        assert "WEIR_COUNTERS_URL" in server.log
        assert b"weir_counters_lost" in metrics or metrics.startswith(b"HTTP/1.1 200")
        everything = [server.log.encode(), metrics, *titles, *kept]
    assert not any(SECRET.encode() in each for each in everything)
    assert "WEIR_COUNTERS_URL" not in os.environ
