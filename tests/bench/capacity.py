"""How many hosts, counters and databases do many apps need?

    python -m tests.bench.capacity [--apps 100000] [--calls 1000000] [--seconds 4]

What a call costs is measured at the start, in short runs of a real gunicorn, Redis and
PostgreSQL on this machine; a simulation of the apps is fed with that. Before it is
believed, it says what one and two workers should do with a mix of calls, on the cores
that other programs leave, and that is measured. On a busy machine this tries only
whether costs add up; on a quiet one also whether it is the workers who are exhausted.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.bench import capacity_model as model
from tests.bench.capacity_costs import (
    STEPS,
    Account,
    Bench,
    Costs,
    bench,
    called,
    gunicorn,
    measure,
)
from tests.bench.request_path import TICKS

STATED_ERROR = 0.25
SIMULATED_SECONDS = 2


@dataclass(frozen=True)
class Check:
    """The model beside the real thing."""

    workers: int
    cores: float
    """What other programs left of this machine meanwhile."""
    predicted: float
    measured: float
    expected_us: float
    used_us: float
    """CPU of everything but the caller, for one call."""

    @property
    def error(self) -> float:
        return self.predicted / self.measured - 1


def idle_seconds() -> float:
    """Of all cores of the machine so far."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def mixed(parts: Bench, seed: int = 1) -> list[bytes]:
    """Requests of all interfaces, as often as the model assumes."""
    chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    names = chance.choices(list(model.MIX), list(model.MIX.values()), k=3_000)
    turns = {name: iter(parts.requests[name] * 10) for name in model.MIX}
    return [next(turns[name]) for name in names]


def check(parts: Bench, costs: Costs, workers: int, seconds: float) -> Check:
    """One host with so many workers, called with the mix."""
    requests = mixed(parts)
    with gunicorn(parts, workers) as (port, master):
        # Each connection to the database prepares a statement when it has seen it a few
        # times, and a thread of each worker has one.
        called(port, requests, 3 * seconds)
        before, own = Account(parts, master), time.process_time()
        idle, began = idle_seconds(), time.monotonic()
        result = called(port, requests, seconds)
        passed = time.monotonic() - began
        busy = os.cpu_count() - (idle_seconds() - idle) / passed
        used = Account(parts, master).since(before, result.calls).all_of_it
        ours = used * result.calls / 1e6 + time.process_time() - own
    cores = os.cpu_count() - max(0.0, busy - ours / passed)
    expected = model.predicted(costs, workers, cores)
    expected_us = model.mean(costs, lambda cost: cost.all_of_it)
    return Check(workers, cores, expected, result.per_second, expected_us, used)


def tell_costs(console: Console, costs: Costs) -> None:
    table = Table(title="What a call costs, µs of CPU")
    for heading in ("interface", "host", "Redis", "PostgreSQL", "WAL bytes"):
        table.add_column(heading, justify="left" if heading == "interface" else "right")
    for name, cost in costs.calls.items():
        figures = (cost.host, cost.redis, cost.postgres, cost.wal_bytes)
        table.add_row(name, *(f"{each:,.0f}" for each in figures))
    console.print(table)
    commits = costs.commits
    console.print(
        f"round trip of the counters' script: {costs.round_trip_us:.0f} µs;"
        f" PostgreSQL commits {commits.alone:,.0f}/s for one connection,"
        f" {commits.together:,.0f}/s for {commits.connections}"
        f" ({commits.together / commits.alone:.1f} to a flush);"
        f" {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}"
    )


def tell_checks(console: Console, checks: list[Check]) -> bool:
    for each in checks:
        good = abs(each.error) <= STATED_ERROR
        console.print(
            f"{each.workers} worker{'s' * (each.workers > 1)}: predicted"
            f" {each.predicted:,.0f} calls/s on the {each.cores:.1f} cores that were"
            f" ours, measured {each.measured:,.0f}: {each.error:+.0%},"
            f" {'within' if good else 'NOT WITHIN'} the stated {STATED_ERROR:.0%}"
            f" (a call: {each.expected_us:,.0f} µs predicted, {each.used_us:,.0f} used)"
        )
    return all(abs(each.error) <= STATED_ERROR for each in checks)


def tell_needs(
    console: Console, world: model.World, load: model.Load, costs: Costs
) -> None:
    share = load.refused / load.offered
    table = Table(
        title=f"{world.apps:,} apps, {load.offered:,} calls/s offered, {share:.0%} refused"
    )
    table.add_column("what saturates, in this order")
    table.add_column("one carries calls/s", justify="right")
    table.add_column("needed", justify="right")
    table.add_column("because of")
    plan = model.planned(world, load, costs)
    for need in plan.needs:
        table.add_row(need.name, f"{need.calls:,.0f}", f"{need.units:,}", need.why)
    console.print(table)
    console.print(
        f"Needed in all: {plan.installations} installations, between which the apps are"
        " divided: a database and its counters cannot be.",
        highlight=False,
    )
    wal = model.spent(load, costs, lambda cost: cost.wal_bytes) / 1e6
    console.print(
        f"WAL: {wal:,.0f} MB/s. The busiest app makes at most {load.busiest_app}"
        f" transactions/s one after another, of the {costs.commits.alone:,.0f} that"
        " one connection can.",
        highlight=False,
    )
    console.print(
        "Assumed: the mix "
        + ", ".join(f"{name} {part:.0%}" for name, part in model.MIX.items())
        + f"; the n-th busiest app calls 1/n^{world.skew} as often as the busiest;"
        f" {world.enterprise:.0%} of apps on the larger edition; one operation stands for"
        f" its interface, one recipient a send; every core, here and there, does what one"
        f" here does and is planned to be {model.BUSY:.0%} busy; CPU grows with the calls"
        " and nothing else, caches and tables as small as here; commits grow with the"
        " database's cores, its disk keeps up; Redis uses one core a shard; networks are"
        " free. The figure of all downloads holds in each installation by itself.",
        highlight=False,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--apps", type=int, default=100_000)
    arguments.add_argument("--calls", type=float, default=1e6)
    arguments.add_argument("--host-cores", type=int, default=16)
    arguments.add_argument("--database-cores", type=int, default=64)
    arguments.add_argument("--seconds", type=float, default=4)
    options = arguments.parse_args()
    world = model.World(
        apps=options.apps, calls=options.calls,
        host_cores=options.host_cores, database_cores=options.database_cores,
    )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 120)
    with (
        tempfile.TemporaryDirectory() as place,
        Progress(console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("making apps", total=STEPS + 2 + 1)
        with bench(Path(place)) as parts:

            def told(step: str) -> None:
                progress.update(task, advance=1, description=f"measuring {step}")

            costs = measure(parts, options.seconds, told)
            checks = []
            for workers in (1, 2):
                told(f"{workers} worker{'s' * (workers > 1)}")
                checks.append(check(parts, costs, workers, options.seconds))
        progress.update(task, advance=1, description="measured")
        apps = progress.add_task("simulating apps", total=world.apps)
        load = model.simulate(
            world, SIMULATED_SECONDS, lambda count: progress.advance(apps, count)
        )
    tell_costs(console, costs)
    good = tell_checks(console, checks)
    tell_needs(console, world, load, costs)
    if not good:
        sys.exit("the model is not to be believed here: is the machine busy?")


if __name__ == "__main__":
    main()
