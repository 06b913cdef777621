"""Play a fault under load, and compare what is kept with what was acknowledged.

    python -m tests.faults NAME [--seconds 60] [--seed 1]

NAME is one of those below, or ``all``. Kills are a play of their own:
``python -m tests.faults.kills``. The seed repeats the order, not the instants.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.faults import clocks, counterfiles, disks, services, sockets, workers
from tests.faults.stage import Report, Stage

FAULTS: dict[str, Callable[[Stage], Report]] = {
    "database": services.database,
    "counters": services.counters,
    "full-disk": disks.full,
    "read-only": disks.readonly,
    "torn-counters": counterfiles.torn,
    "clock": clocks.clock,
    "hup": workers.hup,
    "stuck": workers.stuck,
    "endless": workers.endless,
    "descriptors": sockets.descriptors,
    "idle": sockets.idle,
    "slow": sockets.slow,
}


def play(
    name: str,
    place: Path,
    seconds: float,
    seed: int,
    told: Callable[[float], object] = lambda _: None,
) -> Report:
    """One of them, in a folder of its own."""
    chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    return FAULTS[name](Stage(name, place, seconds, chance, told))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("name", choices=[*FAULTS, "all"])
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    wrong: list[str] = []
    for name in FAULTS if options.name == "all" else [options.name]:
        with tempfile.TemporaryDirectory() as place, Progress() as progress:
            task = progress.add_task(name, total=1.0)
            report = play(
                name, Path(place), options.seconds, options.seed,
                lambda share: progress.update(task, completed=share),  # noqa: B023
            )  # fmt: skip
        table = Table("", name, show_edge=False)
        for line in report.lines():
            table.add_row(*line)
        Console().print(table)
        wrong += [f"{name}: {each}" for each in report.wrong]
        wrong += [f"{name}: {report.bugs} answers are bugs"] * bool(report.bugs)
    if wrong:
        sys.exit("\n".join(wrong[:20]))


if __name__ == "__main__":
    main()
