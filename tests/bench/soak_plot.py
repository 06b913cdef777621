"""What a soak leaves behind: a CSV of its seconds, a plot, and a table."""

import csv
import math
from pathlib import Path

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from tests.bench.soak_book import Seen
from tests.bench.soak_verdict import Times, latencies, percentile

MB = 1e6
COLUMNS = (
    "second", "calls", "p50_ms", "p99_ms", "refused", "fails", "events", "rss_mb", "largest_mb",
    "descriptors", "database_mb", "wal_mb", "uploads", "uploads_mb", "history_files", "counters_mb",
    "work_ms",
)  # fmt: skip
PANELS = (
    ("calls a second", ("calls", "refused", "fails")),
    ("latency, ms", ("p50_ms", "p99_ms")),
    ("a fixed piece of work beside it, ms of a core", ("work_ms",)),
    ("resident memory, MB", ("rss_mb", "largest_mb")),
    ("open descriptors", ("descriptors",)),
    ("database and write-ahead log, MB", ("database_mb", "wal_mb")),
    ("files", ("uploads", "history_files")),
    ("uploads and counters, MB", ("uploads_mb", "counters_mb")),
    ("events over streams", ("events",)),
)


def rows(seen: Seen, samples: list[dict], started: float) -> list[dict[str, float]]:
    """A row for each sample: what was answered in its second, and how the server was."""
    found = []
    for each in samples:
        second = int(each["at"] - started)
        if second < 0:
            continue
        calls = seen.seconds.get(second)
        if calls is None:
            continue
        kilobytes, opened, *_ = zip(*each["processes"].values(), strict=True)
        values = (
            second, calls.calls, percentile(calls.latencies_ms, 0.5), percentile(calls.latencies_ms, 0.99),
            calls.refused, calls.fails, calls.events, sum(kilobytes) / 1024,
            max(kilobytes) / 1024, sum(opened), each["db"] / MB, each["wal"] / MB,
            each["uploads"][0], each["uploads"][1] / MB, each["history"][0], each["counters"] / MB,
            each["work_ms"],
        )  # fmt: skip
        found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def write_csv(path: Path, found: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(
            {name: round(value, 3) for name, value in row.items()} for row in found
        )


def write_plot(path: Path, found: list[dict[str, float]], title: str) -> None:
    figure = Figure(figsize=(14, 17))
    axes = figure.subplots(5, 2, sharex=True)
    minutes = [row["second"] / 60 for row in found]
    for axis, (heading, columns) in zip(axes.flat, PANELS, strict=False):
        for column in columns:
            axis.plot(
                minutes, [row[column] for row in found], label=column, linewidth=0.8
            )
        axis.set_title(heading, fontsize=10)
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("minutes")
    for axis in axes.flat[len(PANELS) :]:
        axis.set_axis_off()
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def show_table(
    console: Console, seen: Seen, found: list[dict[str, float]], times: Times
) -> None:
    """A line for each part of the time."""
    table = Table(title="The soak in parts")
    for heading in (
        "minutes",
        "calls/s",
        "p50 ms",
        "p99 ms",
        "429",
        "5xx",
        "RSS MB",
        "fds",
        "db MB",
        "WAL MB",
        "uploads",
        "history",
        "events",
    ):
        table.add_column(heading, justify="right")
    each = times.window
    for n in range(math.ceil(times.total / each)):
        begin, end = n * each, min((n + 1) * each, times.total)
        part = [row for row in found if begin <= row["second"] < end]
        if not part:
            continue
        of_it, last = latencies(seen, begin, end), part[-1]
        table.add_row(
            f"{begin / 60:.1f} to {end / 60:.1f}", f"{sum(row['calls'] for row in part) / len(part):,.0f}",
            f"{percentile(of_it, 0.5):.1f}", f"{percentile(of_it, 0.99):.1f}",
            f"{sum(row['refused'] for row in part):.0f}", f"{sum(row['fails'] for row in part):.0f}",
            f"{last['rss_mb']:.0f}", f"{last['descriptors']:.0f}", f"{last['database_mb']:.1f}",
            f"{last['wal_mb']:.1f}", f"{last['uploads']:.0f}", f"{last['history_files']:.0f}",
            f"{sum(row['events'] for row in part):.0f}",
        )  # fmt: skip
    console.print(table)
