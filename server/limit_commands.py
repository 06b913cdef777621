"""The operator's questions about limits: ``flask limits ...``."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from server import shadow_report
from server.cli import SETTINGS
from server.limiting import shadow, tables
from server.replay import live
from server.replay.ledger import Ledger
from server.replay.lines import Faults, Ordered, in_order
from server.replay.report import Report
from server.store import apps

DOCUMENT = tables.ROOT / "limits.md"
WIDTH = 150  # of a report that goes to a file or a pipe

group = AppGroup("limits", help="What the table means for real callers.")

_log = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_table = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@group.command("replay")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True, type=_log)
@click.option("--table", type=_table, default=DOCUMENT, help="The proposed table.")
@click.option(
    "--window",
    type=click.IntRange(0, 3600),
    default=60,
    show_default=True,
    help="Seconds that a line may stand from its place: the longest call.",
)
@click.option(
    "--rows", type=click.IntRange(1), default=50, show_default=True, help="To show."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row.")
def replay(
    logs: tuple[Path, ...], table: Path, window: int, rows: int, as_json: bool
) -> None:
    """Count recorded calls under another table; say who would have been refused.

    LOGs are access logs of this server, also rotated and compressed, in any order.
    Ends with 1 when the table does not compile.
    """
    try:
        proposed = tables.compile_table(table)
    except tables.Unusable as unusable:
        raise click.ClickException(f"{table}\n{unusable}") from unusable
    ledger, faults = Ledger(live.table(current_app), proposed), Faults()
    with _progress(logs) as progress:
        for attempts in in_order(logs, faults, Ordered(window * 1_000_000), progress):
            ledger.replay(attempts)
    report = Report(str(table), proposed, ledger, faults, ledger.rows())
    if as_json:
        click.echo(json.dumps(report.as_json()))
        return
    report.show(_console(), most=rows)


@contextmanager
def _progress(logs: tuple[Path, ...]) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes of all files, where there is a terminal to draw it on."""
    console = Console(stderr=True)
    columns = (
        TextColumn("replaying"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=sum(log.stat().st_size for log in logs))
        yield lambda size: bar.advance(task, size)


@group.command("shadow")
@click.option(
    "--rows", type=click.IntRange(1), default=50, show_default=True, help="To show."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row.")
def show_shadow(rows: int, as_json: bool) -> None:
    """Say whom the table of WEIR_SHADOW_TABLE would have refused so far.

    What a running server counts is told a second later.
    """
    try:
        told = shadow.standing(current_app.config[SETTINGS])
    except sqlite3.Error as error:
        raise click.ClickException(f"the shadow cannot be read: {error}") from error
    names = {app.id: f"{app.org}/{app.name}" for app in apps.every()}
    if as_json:
        click.echo(json.dumps(shadow_report.as_json(told, names)))
    else:
        shadow_report.show(told, names, _console(), most=rows)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
