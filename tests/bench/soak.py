"""A server under steady load for long: ``python -m tests.bench.soak --minutes 30``.

gunicorn with four workers, SQLite and files, in a state dir of its own. First the mix of
calls is made as fast as it goes, for its capacity; then at a share of that, at moments
of chance. What the server is like is read each second. Ends with 1 when a claim of
``soak_verdict.py`` does not hold.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from server.settings import Settings
from server.store import database
from tests.bench import soak_report, soak_samples
from tests.bench.soak_mix import share_of
from tests.bench.soak_run import CAPACITY_SECONDS, CONNECTIONS, Soak
from tests.bench.soak_verdict import Claim, Times, claims
from tests.bench.soak_world import Plan, Tenant, populate, remember
from tests.server.gunicorn import serving

APPS, WORKERS = 120, 4
SETUP_SECONDS = 190
"""About how long it takes until the load begins."""


class Bar:
    """One line of progress a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("making apps", total=None)
        self._told_at = 0.0

    def next(self, what: str, total: float) -> None:
        self._progress.reset(self._task, description=what, total=total)

    def told(self, done: float) -> None:
        now = time.monotonic()
        if now >= self._told_at + 0.5:  # not at every turn of the load
            self._told_at = now
            self._progress.update(self._task, completed=done)


def soak(options: argparse.Namespace, console: Console, bar: Bar, place: Path) -> bool:
    """Whether all that is claimed of the server holds."""
    state_dir = place / "state"
    tenants = populate(Settings(state_dir=state_dir, synchronous="NORMAL"), APPS)
    plan = Plan.of(options.minutes * 60, SETUP_SECONDS)
    tree = plan.tree(place)
    soak_report.terms(console, options, plan, WORKERS, APPS)
    with serving(
        state_dir, tree=tree, workers=str(WORKERS), time_zone=plan.zone,
        access_log=str(place / "access.log"),
    ) as server:  # fmt: skip
        it = Soak(server, tenants, plan)
        it.settle(tree)
        times, to = Times.of(options.minutes * 60, plan), place / "samples"
        with soak_samples.sampling(server.process.pid, state_dir, to):
            began = time.monotonic()
            rate = prepare(it, options, console, bar)
            started = load(it, rate, times.total, bar)
        samples = soak_samples.read(to)
        missing = it.end()
        log = server.log
    soak_report.everything(console, options, it, samples, started, times)
    soak_report.machine(console, samples, began, started, times)
    unsent = it.load.refused_to_send
    found = claims(it.seen, samples, plan, times, missing, unsent, started)
    loud = soak_report.complaints(log)
    found.append(Claim("no error in the server's log", not loud, "\n".join(loud[:5])))
    return soak_report.verdict(console, found)


def prepare(it: Soak, options: argparse.Namespace, console: Console, bar: Bar) -> float:
    """Calls a second that the load is to be; the hours before it are there then."""
    bar.next("capacity", CAPACITY_SECONDS)
    capacity = it.capacity(bar.told)
    rate: float = capacity * options.share
    console.print(
        f"capacity {capacity:,.0f} calls/s ({CONNECTIONS} connections,"
        f" {CAPACITY_SECONDS} s); the load is {options.share:.0%} of it, {rate:,.0f} calls/s"
    )
    bar.next("hours before", 1)
    made = hours_before(it.tenants, it.plan, rate, it.server.state_dir, bar)
    console.print(f"{made:,} messages of the hours before, as dense as the load's")
    it.export_hours()
    return rate


def hours_before(
    tenants: list[Tenant], plan: Plan, rate: float, state_dir: Path, bar: Bar
) -> int:
    database.connect(Settings(state_dir=state_dir))
    try:
        return remember(tenants, plan, rate * share_of("messages"), bar.told)
    finally:
        database.disconnect()


def load(it: Soak, rate: float, seconds: float, bar: Bar) -> float:
    """When it began."""
    bar.next("soak", seconds)
    it.seen.anew()
    started = time.monotonic()

    def tick() -> None:
        it.tick()
        bar.told(time.monotonic() - started)

    it.load.at_rate(it.mix, rate, seconds, tick)
    return started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="After the warm-up.")
    parser.add_argument("--share", type=float, default=0.7, help="Of the capacity.")
    parser.add_argument(
        "--out", type=Path, default=Path("soak"), help="Where CSV and plot go."
    )
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as place,
        Progress(console=Console(stderr=True)) as progress,
    ):
        good = soak(options, console, Bar(progress), Path(place))
    sys.exit(not good)


if __name__ == "__main__":
    main()
