"""What a command prints: for people on a terminal, for programs in a pipe.

The contract, which every command keeps by printing through here:

* stdout is the answer and nothing else; remarks, progress and errors go to stderr.
* With ``--json`` (:data:`as_json`) the answer is one JSON value on one line, in ASCII.
* On a terminal a list is a table with headings. In a pipe it is a line a row, its cells
  divided by tabs, without headings, nothing cut: ``flask apps list | cut -f1``.
* What callers wrote is shown with its control characters written out, so that no name
  begins a row or moves the cursor. JSON escapes them by itself.
* Colour and drawing are for terminals that want them (``NO_COLOR`` and ``TERM`` say).
* It ends with 0 when done; with 1 and ``Error: ...`` when it cannot be (:func:`fail`),
  which in groups of :class:`Commands` goes for a database or a disk that fails too;
  with 2, by click, when it was called wrongly.
* What may take longer than two seconds shows a :func:`progress`, on a terminal.
"""

import errno
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click
from flask.cli import AppGroup
from peewee import PeeweeException
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from server.store import audit
from server.visible import visible

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

Told = Callable[[str, int, int], None]
"""Says what is done now, and how many parts of how many are."""


class Commands(AppGroup):
    """A group whose commands end with words where the database or a disk fails."""

    def invoke(self, ctx: click.Context) -> Any:
        with answering(), audit.acting_as(f"cli:{_user()}"):
            return super().invoke(ctx)


@contextmanager
def answering() -> Iterator[None]:
    """What is done here ends with words where the database or a disk fails."""
    try:
        yield
    except PeeweeException as error:
        fail(f"the database does not answer: {error}")
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # who read us has read enough; click knows
        fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _user() -> str:
    """Who runs the command, as the audit names them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"


def fail(why: object) -> NoReturn:
    """End with 1, and say why."""
    raise click.ClickException(visible(str(why)))


def note(words: str) -> None:
    """A remark, which is no part of the answer."""
    click.echo(visible(words), err=True)


def said(words: str, value: Mapping[str, object], *, as_json: bool) -> None:
    """The answer in a sentence; *value* is the same for programs."""
    click.echo(json.dumps(value) if as_json else visible(words))


def one(value: Mapping[str, object], *, as_json: bool) -> None:
    """The answer is one thing: a name and a value a line."""
    if as_json:
        click.echo(json.dumps(value))
        return
    cells = {name: _cell(each) for name, each in value.items()}
    width = max(map(len, cells)) if _is_terminal() else 0
    for name, cell in cells.items():
        click.echo(f"{name:<{width}}  {cell}" if width else f"{name}\t{cell}")


def table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool
) -> None:
    """The answer is a list: *columns* of it are shown, JSON has every key."""
    if as_json:
        click.echo(json.dumps(rows))
    elif _is_terminal():
        _draw([[_cell(row[name]) for name in columns] for row in rows], columns)
    else:
        for row in rows:
            click.echo("\t".join(_cell(row[name]) for name in columns))


def _draw(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    if not rows:
        note("There is nothing to list.")
        return
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        drawn.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))  # never markup: names may hold brackets
    Console(file=sys.stdout, highlight=False).print(drawn)


def _cell(value: object) -> str:
    """As people and ``cut`` read it: nothing for None, words for the rest."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return visible(str(value))


def _is_terminal() -> bool:
    return sys.stdout.isatty()


@contextmanager
def progress(title: str) -> Iterator[Told]:
    """A bar while something long is done; it is gone when that is over."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)

        def tell(what: str, done: int, of: int) -> None:
            words = f"{title}: {visible(what)}"
            bar.update(task, description=words, completed=done, total=of)

        yield tell
