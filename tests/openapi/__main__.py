"""Hold the document of the API against the server, by calls that Schemathesis makes.

    python -m tests.openapi [--examples 100] [--seed 1] [--phases fuzzing,stateful]

All operations, with what the document allows and what it forbids, alone and one upon
another's answer. No answer may be a fault, or have a status, a media type, a header or
a key that the document does not have. 100 examples are some 25,000 calls.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.openapi import run
from tests.openapi.run import PHASES


@click.command(help=__doc__)
@click.option("--examples", default=100, help="Of each operation, at most.")
@click.option("--seed", default=1, help="The same seed makes the same calls.")
@click.option("--phases", default=",".join(PHASES), help="Divided by commas.")
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
def main(examples: int, seed: int, phases: str, more: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        report = run.run(
            Path(place), examples, seed, phases.split(","), more=more, quiet=False
        )
    click.echo(report.in_words())
    sys.exit(report.status)


if __name__ == "__main__":
    main()
