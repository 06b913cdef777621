"""What a soak prints, besides its table."""

import argparse
import os
import re

from rich.console import Console
from rich.table import Table

from tests.bench import soak_plot
from tests.bench.soak_mix import KINDS
from tests.bench.soak_run import DEVICES, Soak
from tests.bench.soak_verdict import Claim, Times, percentile
from tests.bench.soak_world import Plan

LOUD = re.compile(r'"level": ?"(error|critical)"|Traceback')


def terms(
    console: Console, options: argparse.Namespace, plan: Plan, workers: int, apps: int
) -> None:
    console.print(
        f"{options.minutes:g} minutes after {plan.warm_seconds / 60:.1f} of warm-up, {workers} workers, {len(os.sched_getaffinity(0))} cores,"
        f" {apps} apps on both editions, {len(KINDS)} kinds of calls, {DEVICES} streams; {plan}"
    )


def complaints(log: str) -> list[str]:
    """Lines of the server's log that tell of what should not be."""
    return [line for line in log.splitlines() if LOUD.search(line)]


def everything(
    console: Console,
    options: argparse.Namespace,
    it: Soak,
    samples: list[dict],
    started: float,
    times: Times,
) -> None:
    """The table, and what is written: the CSV and the plot."""
    found = soak_plot.rows(it.seen, samples, started)
    options.out.mkdir(parents=True, exist_ok=True)
    soak_plot.write_csv(options.out / "soak.csv", found)
    title = f"Weir, {options.minutes:g} minutes at {options.share:.0%} of capacity"
    soak_plot.write_plot(options.out / "soak.png", found, title)
    soak_plot.show_table(console, it.seen, found, times)
    console.print(_kinds(it))
    opened = sum(each.opened for each in it.devices)
    statuses = dict(sorted(it.seen.statuses.items()))
    console.print(f"answers by status: {statuses}; streams opened {opened} times")
    for example in it.seen.examples:
        console.print(f"not as it should be: {example}", markup=False)
    console.print(f"written: {options.out / 'soak.csv'}, {options.out / 'soak.png'}")


def machine(
    console: Console, samples: list[dict], began: float, started: float, times: Times
) -> None:
    """How fast the machine itself was, in whose time the claims were tried."""
    first, last = started + times.warm, started + times.total - times.window
    for told, begin, end in (
        ("before the load (capacity)", began, started),
        ("first", first, first + times.window),
        ("last", last, last + times.window),
    ):
        these = [each for each in samples if begin <= each["at"] < end]
        work = [each["work_ms"] for each in these]
        stolen = these[-1]["stolen_s"] - these[0]["stolen_s"] if these else 0.0
        console.print(
            f"the machine, {told}: a fixed piece of work took {percentile(work, 0.5):.2f} ms"
            f" (p99 {percentile(work, 0.99):.2f}); {stolen:.1f} s were given to other guests"
        )


def _kinds(it: Soak) -> Table:
    table = Table(title="Calls by kind")
    for heading in ("kind", "calls") * 4:
        table.add_column(heading)
    kinds = sorted(it.seen.kinds.items())
    cells = [cell for name, count in kinds for cell in (name, f"{count:,}")]
    for n in range(0, len(cells), 8):
        table.add_row(*cells[n : n + 8])
    return table


def verdict(console: Console, found: list[Claim]) -> bool:
    table = Table(title="Verdict")
    for heading in ("", "claim", "figures"):
        table.add_column(heading)
    for each in found:
        table.add_row("holds" if each.holds else "FAILS", each.what, each.figures)
    console.print(table)
    failed = [each.what for each in found if not each.holds]
    console.print(
        f"{len(found) - len(failed)} of {len(found)} claims hold"
        + "".join(f"\n  not: {what}" for what in failed)
    )
    return not failed
