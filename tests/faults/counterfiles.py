"""The counters' file damaged and cut short under those who count in it."""

import os
import signal
import time
from pathlib import Path

from server.limiting.ringfile import capacity_for
from tests.faults.stage import Report, Stage, served
from tests.hosts.judging import most_in_a_second

RATE = 30
DAMAGES = ("cut to nothing", "head destroyed", "cut short")


def torn(stage: Stage) -> Report:
    """Rebuilt and said so; never unlimited, never locked for more than a window."""
    with served(stage, rates=True):
        seen = 0.0
        for turn in stage.turns():
            how = DAMAGES[turn % len(DAMAGES)]
            said = stage.server.log.count("is torn")
            _damage(_counted_in(stage.state / "counters"), how)
            stage.did(how)
            stage.go_on(3 * RATE)
            if how == "cut short":  # nobody may have counted in what is gone
                stage.server.process.send_signal(signal.SIGHUP)
            stage.until(lambda: stage.server.log.count("is torn") > said, "word of it")  # noqa: B023
            stage.go_on(2 * RATE)
            admitted = [e for e in stage.calls.of("messages") if e.began > seen]
            most = most_in_a_second(admitted)
            # What a window had counted is forgotten once, where a file begins anew.
            stage.require(most <= 2 * RATE, f"{most} in a second after {how}")
            seen = time.monotonic()
        return stage.report()


def _counted_in(folder: Path) -> Path:
    """The file of the rings that hold this rate."""
    return folder / f"rings-{capacity_for(RATE)}"


def _damage(file: Path, how: str) -> None:
    if how == "cut to nothing":
        os.truncate(file, 0)
    elif how == "cut short":
        os.truncate(file, file.stat().st_size // 2)
    else:
        with file.open("r+b") as opened:
            opened.write(b"\xa5" * 4096)
