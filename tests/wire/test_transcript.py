"""The transcript that people read is made of calls that curl really makes."""

import shutil
import subprocess
import sys

import pytest

from tests.server.gunicorn import ROOT

INTERFACES = ["users", "friends", "blacklist", "blocking", "groups", "chatrooms"]
INTERFACES += ["messages, offline", "files", "history", "deletions"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_speaks_with_every_interface() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.wire.transcript"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line[3:] for line in lines if line.startswith("## ")] == INTERFACES
    assert lines[-1] == "every operation was called: True"
    calls = [line for line in lines if line.startswith("$ curl ")]
    # A call that met its rate was made again.
    assert len(calls) > 130
    assert lines.count("HTTP/1.1 200 OK") > 120
