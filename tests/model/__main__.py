"""Let acts of chance happen to a model of an app and to the server, and compare.

    python -m tests.model [--examples 1000] [--steps 50] [--workers 4] [--seed 1]

Users, friends, blocks, groups, rooms, memberships, mutes and offline queues. With
--workers 0 the server is one process without a socket. What differs is told as the
shortest way there. TEST_DATABASE=postgresql does it on that.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from server.app import create_app
from server.settings import Settings
from tests import databases
from tests.conftest import Clock, still
from tests.model.callers import in_process, served
from tests.model.machine import Call
from tests.model.run import run


def beginning(stack: ExitStack, place: Path, workers: int) -> Callable[[], Call]:
    if workers:
        return stack.enter_context(served(place, workers))
    clock = Clock()
    still(stack.enter_context(pytest.MonkeyPatch.context()), clock)
    stack.callback(clock.run_again)
    url = databases.url_for(place / "state")
    settings = Settings(
        state_dir=place / "state", database_url=url,
        counters_url="memory://", synchronous="NORMAL",
    )  # fmt: skip
    return in_process(create_app(settings), clock)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--examples", type=int, default=1000)
    arguments.add_argument("--steps", type=int, default=50)
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    columns = (TextColumn("examples"), *Progress.get_default_columns()[1:2])
    with (
        tempfile.TemporaryDirectory() as place,
        ExitStack() as stack,
        Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn()) as progress,
    ):
        begin = beginning(stack, Path(place), options.workers)
        task = progress.add_task("", total=options.examples)
        run(
            begin, options.examples, options.steps,
            seed=options.seed, told=lambda: progress.advance(task),
        )  # fmt: skip
    print(f"{options.examples} examples of {options.steps} acts: all the same")


if __name__ == "__main__":
    main()
