"""Workers reloaded without end, and workers that are stuck."""

import os
import signal
import time
from pathlib import Path

from tests.faults.stage import Report, Stage, served
from tests.hosts.judging import most_in_a_second

RATE = 30
BRISK = Path(__file__).with_name("brisk_conf.py")


def hup(stage: Stage) -> Report:
    """HUP each second: no call fails, and none is forgiven."""
    with served(stage, rates=True, interfaces=("messages", "users")):
        for turn in stage.turns():
            stage.server.process.send_signal(signal.SIGHUP)
            stage.did("HUP")
            # gunicorn remembers five signals, and forgets those beyond.
            stage.until(lambda: _reloads(stage) > turn, "reload")  # noqa: B023
            stage.pause_until(stage.began + turn + 1)
        stage.go_on(RATE)
        failed = [e for e in stage.calls.outcomes if e.status not in (200, 404, 429)]
        stage.require(not failed, f"{len(failed)} calls failed, as {failed[:3]}")
        for interface, status in (("messages", 200), ("users", 404)):
            most = most_in_a_second(stage.calls.of(interface, status))
            stage.require(most <= RATE, f"{most} {interface} in a second")
        return stage.report()


def _reloads(stage: Stage) -> int:
    return stage.server.log.count("Hang up: Master")


def stuck(stage: Stage) -> Report:
    """A worker that does nothing any more: the others go on, it is replaced."""
    with served(stage, conf=str(BRISK), workers="3"):
        for _ in stage.turns():
            pid = stage.chance.choice(stage.server.workers())
            begun = time.monotonic()
            os.kill(pid, signal.SIGSTOP)
            stage.did("worker stopped")
            stage.until(lambda: pid not in stage.server.workers(), "new worker")  # noqa: B023
            meanwhile = [
                each for each in stage.calls.outcomes
                if each.status == 200 and begun < each.began
            ]  # fmt: skip
            stage.done["answers meanwhile"] += len(meanwhile)
            stage.go_on(36)
        stage.require(stage.done["answers meanwhile"] > 0, "all others stood still")
        return stage.report()
