"""``python -m tests.mutation``: ends with 1 when a change was not followed exactly."""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from tests.mutation import figures, report
from tests.mutation.figures import Mutant
from tests.mutation.observe import Outcome, copy, observe
from tests.server.gunicorn import ROOT

# A process keeps the databases of its mutants mapped; a new one does not.
MUTANTS_A_PROCESS = 20


@click.command()
@click.option(
    "--only", multiple=True, metavar="NAME", help="A rule, an interface, a change."
)
@click.option("--sample", type=click.IntRange(1), help="So many changes, by chance.")
@click.option("--seed", default="", help="The same sample for the same seed.")
@click.option("--json", "as_json", is_flag=True, help="The listing for programs.")
@click.option("--jobs", type=click.IntRange(1), help="Servers at a time; one a core.")
@click.option("--tree", type=click.Path(path_type=Path), default=ROOT, hidden=True)
def main(
    only: tuple[str, ...],
    sample: int | None,
    seed: str,
    as_json: bool,
    jobs: int | None,
    tree: Path,
) -> None:
    """Change each figure of limits.md in turn, and see that callers meet just that."""
    began = time.monotonic()
    found = figures.of_tree(tree)
    mutants = figures.mutants(found)
    if only:
        mutants = [each for each in mutants if not each.names.isdisjoint(only)]
        if not mutants:
            raise click.BadParameter("there is nothing of this name", param_hint=only)
    if sample:
        mutants = figures.sample(mutants, sample, seed)
    click.echo(f"{len(found)} figures, {len(mutants)} changes to try", err=True)
    outcomes = []
    with report.progress() as progress:
        bar = progress.add_task("mutants", total=len(mutants))
        for outcome in _observed(mutants, tree, jobs or len(os.sched_getaffinity(0))):
            outcomes.append(outcome)
            progress.update(bar, advance=1, description=outcome.name)
            if not as_json:
                click.echo(report.lines(outcome))
    order = {mutant.name: n for n, mutant in enumerate(mutants)}
    outcomes.sort(key=lambda outcome: order[outcome.name])
    took = time.monotonic() - began
    click.echo(
        report.as_json(outcomes, took) if as_json else report.total(outcomes, took)
    )
    sys.exit(any(outcome.wrong for outcome in outcomes))


def _observed(mutants: list[Mutant], tree: Path, jobs: int) -> Iterator[Outcome]:
    """Each as it is done."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        template = copy(tree, Path(scratch) / "tree")
        # concurrent.futures of Python 3.11 waits for ever once its processes had their
        # most tasks.
        with spawn.Pool(jobs, maxtasksperchild=MUTANTS_A_PROCESS) as pool:
            yield from pool.imap_unordered(partial(observe, tree=template), mutants)


if __name__ == "__main__":
    main()
