"""Workers reloaded without end, and workers that are stuck."""

import os
import signal
import time
from pathlib import Path

from tests.faults.stage import Report, Stage, served
from tests.hosts.judging import most_in_a_second

RATE = 30
BRISK = Path(__file__).with_name("brisk_conf.py")
NEVER_ENDS = b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n"
"""See stuck_app.py."""


def hup(stage: Stage) -> Report:
    """HUP each second: no call fails, and none is forgiven.

    At full speed the callers would have the cores that new workers need to start, and
    a reload would take seconds; so they rest, and still call far more than they may.
    """
    with served(stage, rates=True, interfaces=("messages", "users"), rest=0.05):
        for turn in stage.turns():
            stage.pause_until(stage.began + turn)
            stage.server.process.send_signal(signal.SIGHUP)
            stage.did("HUP")
        while (reloads := _reloads(stage)) < stage.done["HUP"]:
            stage.until(lambda: _reloads(stage) > reloads, "reload")
        stage.go_on(RATE)
        failed = [e for e in stage.calls.outcomes if e.status not in (200, 404, 429)]
        stage.require(not failed, f"{len(failed)} calls failed, as {failed[:3]}")
        for interface, status in (("messages", 200), ("users", 404)):
            most = most_in_a_second(stage.calls.of(interface, status))
            stage.require(most <= RATE, f"{most} {interface} in a second")
            least = len(stage.calls.of(interface, 429))
            stage.require(least > 0, f"no call of {interface} was one too many")
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


def endless(stage: Stage) -> Report:
    """A call that never ends: the others go on, its worker is replaced, and no call
    but itself fails."""
    application = "tests.faults.stuck_app:app"
    with served(stage, rates=True, conf=str(BRISK), application=application):
        for turn in stage.turns():
            before = set(stage.server.workers())
            ended = stage.server.raw(NEVER_ENDS)
            stage.did("call that never ends")
            stage.require(ended == b"", f"its caller was answered {ended[:80]!r}")
            stage.until(lambda: _is_replaced(before, stage.server.workers()), "new one")  # noqa: B023
            stage.go_on(36)
            told = stage.server.log.count("_never.wait()")
            stage.require(told == turn + 1, f"where it stands was said {told} times")
        failed = [e for e in stage.calls.outcomes if e.status not in (200, 429)]
        stage.require(not failed, f"{len(failed)} others failed, as {failed[:3]}")
        return stage.report()


def _is_replaced(before: set[int], now: list[int]) -> bool:
    """Whether one is gone, and there are as many again."""
    return bool(before - set(now)) and len(now) == len(before)
