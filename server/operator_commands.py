"""Who may use the console, and who changed what: ``flask operators`` and ``audit``."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from server.access_log import utc
from server.console_output import (
    Commands,
    answering,
    as_json,
    fail,
    note,
    one,
    said,
    table,
)
from server.store import audit, operators

group = Commands("operators", help="Who may use the console.")

_name = click.argument("name")
_MS = 1_000_000


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc(at_ms * _MS)


def _print_key(name: str, key: str, *, as_json: bool) -> None:
    one({"operator": name, "key": key}, as_json=as_json)
    if not as_json:
        note("The key is not kept and not shown again. Sign in with it at /console.")


@group.command("create")
@_name
@as_json
def create(name: str, as_json: bool) -> None:
    """Let someone use the console; print their key, once."""
    try:
        key = operators.create(name)
    except (operators.UnusableName, operators.OperatorExists) as error:
        fail(error)
    _print_key(name, key, as_json=as_json)


@group.command("list")
@as_json
def list_operators(as_json: bool) -> None:
    """List the operators, and when they were last there."""
    rows = [
        {
            "operator": each.name,
            "created": _moment(each.created),
            "last_seen": _moment(each.seen),
        }
        for each in operators.every()
    ]
    table(rows, ("operator", "created", "last_seen"), as_json=as_json)


@group.command("rotate")
@_name
@as_json
def rotate(name: str, as_json: bool) -> None:
    """Print a new key; the old one and every session end at once."""
    try:
        key = operators.rotate(name)
    except operators.NoSuchOperator as error:
        fail(error)
    _print_key(name, key, as_json=as_json)


@group.command("delete")
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def delete(name: str, yes: bool, as_json: bool) -> None:
    """Let an operator in no more."""
    if not yes:
        click.confirm(f"Delete the operator {name}?", abort=True, err=True)
    try:
        operators.delete(name)
    except operators.NoSuchOperator as error:
        fail(error)
    said(f"{name} is deleted", {"operator": name, "deleted": True}, as_json=as_json)


@click.command("audit")
@click.option("--app", "key", metavar="ORG/APP", help="Of one app only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
@with_appcontext
def show_audit(key: str | None, limit: int, as_json: bool) -> None:
    """Show who changed what: apps, operators, the rules in force; the latest first."""
    with answering():
        found = audit.page(subject=key, limit=limit)
    rows = [asdict(each) | {"at": _moment(each.at)} for each in found]
    table(rows, ("at", "actor", "action", "subject", "words"), as_json=as_json)
