"""Kill the server at random moments while many send, and look at what it kept.

    python -m tests.faults.kills [--times 200] [--seed 1]

Nothing that was answered 200 may be missing, nothing may be there twice or by halves,
and the quota must have counted what is there. A kill (SIGKILL) takes one worker, all of
them, or the master and then what it left: which and when is chance. The seed repeats
the order, not the instants. TEST_DATABASE=postgresql does it on that.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.settings import Settings
from tests import databases
from tests.faults.judging import wrongs
from tests.hosts.fleet import TARGETS, populate
from tests.hosts.load import App, Caller, Calls
from tests.server.gunicorn import Gunicorn, serving
from tests.trees import copy_of_the_tree, recompile

KEY = "globex/one"
WORKERS, SENDERS = 3, 16
MOST_BETWEEN, LONGEST_SECONDS = 40, 0.03
"""Answers from one kill to the next, and how long after the last of them."""


@dataclass(frozen=True)
class Report:
    """What was done, and what came of it."""

    kills: Counter[str]
    acknowledged: int
    unanswered: int
    unanswered_kept: int
    """Sends without an answer of which all messages are there."""
    wrong: Sequence[str]


def prepared(state: Path) -> App:
    """An app with two users, who receive nothing while they are away."""
    settings = Settings(state_dir=state, database_url=databases.url_for(state))
    (app,) = populate(settings, {KEY: "enterprise"})
    return app


def kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it is gone already
            os.kill(pid, signal.SIGKILL)


def kill_by_chance(server: Gunicorn, chance: random.Random) -> str:
    """Kill; what it was that was killed. After the master, somebody must start anew."""
    workers = server.workers()
    (what,) = chance.choices(("worker", "workers", "master"), (6, 2, 2))
    if what == "worker":
        kill(workers and [chance.choice(workers)])
    elif what == "workers":
        kill(workers)
    else:
        kill([server.process.pid])
        server.process.wait()
        time.sleep(chance.uniform(0, LONGEST_SECONDS))
        kill(workers)
    return what


def run(
    place: Path, times: int, seed: int, told: Callable[[], object] = lambda: None
) -> Report:
    """Kill so many times, in a folder of its own; *told* is called after each."""
    chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    tree, state = copy_of_the_tree(place), place / "state"
    recompile(tree, "call limit 30 times/second", "call limit 10,000 times/second")
    app = prepared(state)
    calls = Calls(TARGETS, interfaces=("messages",))
    kills: Counter[str] = Counter()
    with ExitStack() as stack:
        servers: list[Gunicorn] = []

        def start() -> None:
            server = serving(state, tree=tree, workers=str(WORKERS), access_log="off")
            servers.append(stack.enter_context(server))

        start()
        callers = [
            Caller(calls, 0, lambda: servers[-1].place(), [app], seed * 1000 + n)
            for n in range(SENDERS)
        ]
        for caller in callers:
            caller.start()
        stack.callback(calls.stop.set)
        for _ in range(times):
            calls.wait_for_more(chance.randint(1, MOST_BETWEEN), [KEY], [0])
            time.sleep(chance.uniform(0, LONGEST_SECONDS))
            what = kill_by_chance(servers[-1], chance)
            kills[what] += 1
            if what == "master":
                start()
            told()
        calls.wait_for_more(SENDERS, [KEY], [0])
        calls.stop.set()
        for caller in callers:
            caller.join()
    return judged(state, calls, kills)


def judged(state: Path, calls: Calls, kills: Counter[str]) -> Report:
    """Compare what was answered with what is there, now that nobody serves."""
    wrong = wrongs(calls, lambda query: databases.rows(state, query))
    if not databases.ON_POSTGRESQL:
        wrong += [
            words
            for (words,) in databases.rows(state, "PRAGMA integrity_check")
            if words != "ok"
        ]
    acknowledged = len(calls.of("messages"))
    unanswered = sum(each.is_unknown for each in calls.outcomes)
    ((rows,),) = databases.rows(state, "SELECT count(*) FROM message")
    kept = rows // len(TARGETS) - acknowledged
    return Report(kills, acknowledged, unanswered, kept, wrong)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--times", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    columns = (TextColumn("killing"), *Progress.get_default_columns()[1:2])
    with (
        tempfile.TemporaryDirectory() as place,
        Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn()) as progress,
    ):
        task = progress.add_task("", total=options.times)
        report = run(
            Path(place), options.times, options.seed, lambda: progress.advance(task)
        )
    print(
        f"kills: {', '.join(f'{n} of {what}' for what, n in report.kills.items())};"
        f" seed {options.seed}\n"
        f"answered 200: {report.acknowledged:,} sends of {len(TARGETS)} messages\n"
        f"without an answer: {report.unanswered:,}, of which {report.unanswered_kept:,}"
        f" are kept whole\nwrong: {len(report.wrong)}"
    )
    if report.wrong:
        sys.exit("\n".join(report.wrong[:20]))


if __name__ == "__main__":
    main()
