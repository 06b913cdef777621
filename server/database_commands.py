"""The operator's commands ``flask db ...``, which need no app: none starts before them.

They are found as a plugin of Flask's (see ``entry-points`` in pyproject.toml).
"""

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from server.settings import BadSettings, Settings
from server.store import database, schema
from server.store.database import UnusableDatabase

Arguments = ParamSpec("Arguments")


@click.group("db", help="The tables of the database at WEIR_DATABASE_URL.")
def group() -> None:
    pass


def on_the_database(
    command: Callable[Arguments, None],
) -> Callable[Arguments, None]:
    """Connect before the command, and say what is wrong in one message."""

    @wraps(command)
    def connected(*arguments: Arguments.args, **options: Arguments.kwargs) -> None:
        try:
            database.connect(Settings.from_env(os.environ))
            command(*arguments, **options)
        except (BadSettings, UnusableDatabase) as wrong:
            raise click.ClickException(str(wrong)) from wrong
        finally:
            database.forget()

    return connected


@group.command("upgrade")
@on_the_database
def upgrade() -> None:
    """Bring the tables up to this program: all steps that are due, or none."""
    taken = schema.upgrade()
    for name in taken:
        click.echo(f"done: {name}")
    if not taken:
        click.echo("nothing is due")


@group.command("status")
@on_the_database
def status() -> None:
    """List the steps, those that are due marked; exit code 1 if any is."""
    found = schema.steps()
    for step in found:
        mark = "due" if step.taken is None else "done" if step.known else "newer"
        click.echo(f"{mark:<6} {step.name}")
    if any(step.taken is None for step in found):
        raise click.exceptions.Exit(1)
