"""The short form of ``python -m tests.model``."""

from pathlib import Path

from flask import Flask

from tests.conftest import Clock
from tests.model.callers import in_process, served
from tests.model.run import run


def test_one_process_does_as_the_world(app: Flask, clock: Clock) -> None:
    run(in_process(app, clock), examples=40, steps=40)


def test_four_workers_do_as_the_world(tmp_path: Path) -> None:
    with served(tmp_path) as begin:
        run(begin, examples=12, steps=40)
