"""A server SDK that others published, unchanged, against a real server."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server.gunicorn import ROOT, flask, serving

PROGRAM = Path(__file__).with_name("published_sdk.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bool, Any]]:
    """What came of each step of its day, in an app with a cast."""
    place = tmp_path_factory.mktemp("sdk") / "state"
    with serving(place, workers="1") as server:
        command = ["apps", "create", "demo/town", "--edition", "enterprise"]
        printed = flask(ROOT, server.state_dir, *command, "--demo", "--json")
        made = json.loads(printed)
        ran = subprocess.run(
            [sys.executable, PROGRAM, made["app"], made["client_id"],
             made["client_secret"], f"http://127.0.0.1:{server.port}"],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    # It prints its token too.
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    steps = [json.loads(line) for line in lines]
    return {each["step"]: (each["done"], each["told"]) for each in steps}


def test_every_call_of_its_day_succeeds(told: dict[str, tuple[bool, Any]]) -> None:
    refused = {step: answer for step, (done, answer) in told.items() if not done}

    assert refused == {}
    assert len(told) == 18


def test_it_reads_what_it_is_told(told: dict[str, tuple[bool, Any]]) -> None:
    def data(step: str) -> Any:
        return told[step][1]["data"]

    assert told["read"][1]["entities"][0]["username"] == "edsger"
    assert told["nickname"][1]["entities"][0]["nickname"] == "E. W."
    assert data("friends") == ["ada"]
    assert data("blocked") == ["joan"]
    assert data("group")[0]["name"] == "Choir"
    assert {"member": "edsger"} in data("members")
    assert data("online") == {"grace": "offline"}
    assert data("say") == {"grace": "success"}
    assert data("waiting") == {"grace": 3}
