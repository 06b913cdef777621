"""The clock set forward and back, by seconds and hours, under load.

clock.c stands between the server's processes and the C library: what time it is, they
are told with the step of a file added. The clocks that nobody can set go on as they do
when an operator sets the time. (libfaketime cannot leave them alone: with it a sleep of
Python's ends at once in an error.) The callers' clock is left as it is, so it tells how
many calls a second were admitted.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.stage import Report, Stage, served
from tests.hosts.judging import most_in_a_second

RATE = 30
HOUR = 3_600
STEPS = (5, -5, 3 * HOUR, -2 * HOUR, 90, -26 * HOUR, 30 * HOUR, 0)
"""Seconds from the true time; after the other, it goes by up to two days at once."""


def library(place: Path) -> Path:
    """clock.c, compiled; skip where no compiler is, unless CC_REQUIRED is set."""
    compiler = shutil.which("cc")
    if compiler is None:
        reason = "needs a C compiler (apt-get install gcc libc6-dev)"
        assert not os.environ.get("CC_REQUIRED"), reason
        pytest.skip(reason)
    made = place / "clock.so"
    source = Path(__file__).with_name("clock.c")
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", made, source, "-ldl"]
    subprocess.run(command, check=True)
    return made


def clock(stage: Stage) -> Report:
    """Limits neither forgive nor lock; ids grow; nothing is lost."""
    says = stage.place / "clock"
    _set(says, 0)
    within = ("env", f"LD_PRELOAD={library(stage.place)}", f"CLOCK_STEP={says}")
    with served(stage, rates=True, within=within):
        for turn in stage.turns():
            step = STEPS[turn % len(STEPS)]
            _set(says, step)
            stage.did(f"clock at {step:+,} s")
            off = stage.server_time() / 1000 - time.time() - step
            stage.require(abs(off) < 5, f"the clock is not at {step} s but {off} off")
            stage.go_on(2 * RATE)
        most = most_in_a_second(stage.calls.of("messages"))
        stage.require(most <= RATE, f"{most} calls were admitted in a second")
        return stage.report()


def _set(says: Path, seconds: int) -> None:
    coming = says.with_suffix(".coming")
    coming.write_text(f"{seconds}\n")
    coming.rename(says)
