"""The operator's commands: ``flask apps ...`` and ``flask retention sweep``."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import NoReturn, TypeVar

import click
from flask import Flask
from flask.cli import AppGroup

from server import retention, rules
from server.caller import App
from server.clock import now_ms
from server.demo import fill
from server.store import apps, tokens

Command = TypeVar("Command", bound=Callable[..., object])

group = AppGroup("apps", help="The apps this server serves.")
keeping = AppGroup("retention", help="What is past its time.")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
key = click.argument("key", metavar="ORG/APP")
edition_choice = click.Choice(list(rules.EDITIONS), case_sensitive=False)


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(group)
    app.cli.add_command(keeping)


def _split(text: str) -> tuple[str, str]:
    org, slash, name = text.partition("/")
    if not slash or not org or not name or "/" in name:
        message = f"{text!r} is no ORG/APP"
        raise click.BadParameter(message)
    return org, name


def _fail(error: Exception) -> NoReturn:
    raise click.ClickException(str(error)) from error


def _print_credentials(
    key: str, made: apps.Credentials, *, as_json: bool, **more: object
) -> None:
    shown = {
        "app": key,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        **more,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        told = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{name:<14} {told}")
    click.echo("The secret is not kept and not shown again.", err=True)


@group.command("create")
@key
@click.option("--edition", type=edition_choice, default=next(iter(rules.EDITIONS)))
@click.option("--open", "open_registration", is_flag=True, help="Anyone may register.")
@click.option("--demo", is_flag=True, help="With a few users, and what they said.")
@as_json
def create(
    key: str, edition: str, open_registration: bool, demo: bool, as_json: bool
) -> None:
    """Create an app and print its credentials, once."""
    org, name = _split(key)
    try:
        made = apps.create(org, name, edition, open_registration=open_registration)
    except (apps.UnusableName, apps.AppExists) as error:
        _fail(error)
    cast = _cast(org, name) if demo else {}
    _print_credentials(key, made, as_json=as_json, **cast)


def _cast(org: str, name: str) -> dict[str, object]:
    """Fill a new app with a cast; what there is to call things with."""
    app = apps.find(org, name)
    if app is None:
        _fail(apps.NoSuchApp(f"there is no app {org}/{name}"))
    return asdict(fill(app))


@group.command("list")
@as_json
def list_apps(as_json: bool) -> None:
    """List the apps with their editions."""
    shown = [_shown(app) for app in apps.every()]
    if as_json:
        click.echo(json.dumps(shown))
    for app in [] if as_json else shown:
        click.echo(f"{app['app']:<40} {app['edition']:<12} {app['registration']}")


def _shown(app: App) -> dict[str, str]:
    return {
        "app": f"{app.org}/{app.name}",
        "uuid": app.uuid,
        "edition": app.edition,
        "registration": "open" if app.open_registration else "authorised",
        "client_id": app.client_id,
    }


@group.command("edition")
@key
@click.argument("edition", type=edition_choice)
def set_edition(key: str, edition: str) -> None:
    """Put an app on another edition, from its next call on."""
    try:
        apps.set_edition(*_split(key), edition)
    except apps.NoSuchApp as error:
        _fail(error)
    click.echo(f"{key} is on {rules.EDITIONS[edition]}")


@group.command("registration")
@key
@click.argument("mode", type=click.Choice(["open", "authorised"]))
def set_registration(key: str, mode: str) -> None:
    """Say whether users may register without an app token."""
    try:
        apps.set_open_registration(*_split(key), open_registration=mode == "open")
    except apps.NoSuchApp as error:
        _fail(error)
    click.echo(f"registration in {key} is {mode}")


@group.command("rotate")
@key
@as_json
def rotate(key: str, as_json: bool) -> None:
    """Print new credentials; the old ones and every app token end at once."""
    try:
        made = apps.rotate(*_split(key))
    except apps.NoSuchApp as error:
        _fail(error)
    _print_credentials(key, made, as_json=as_json)


@group.command("token")
@key
@click.option("--ttl", type=click.IntRange(1), default=3600, help="Seconds.")
def token(key: str, ttl: int) -> None:
    """Print an app token, to try things with."""
    org, name = _split(key)
    app = apps.find(org, name)
    if app is None:
        _fail(apps.NoSuchApp(f"there is no app {key}"))
    ends = now_ms() // 1000 + ttl
    click.echo(tokens.issue(app.id, None, ends, app.token_key))


@group.command("delete")
@key
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(key: str, yes: bool) -> None:
    """Delete an app and everything in it."""
    org, name = _split(key)
    if apps.find(org, name) is None:
        _fail(apps.NoSuchApp(f"there is no app {key}"))
    if not yes:
        click.confirm(f"Delete {key}, its users and its messages?", abort=True)
    try:
        apps.delete(org, name)
    except apps.NoSuchApp as error:
        _fail(error)
    click.echo(f"{key} is deleted")


@keeping.command("sweep")
def sweep() -> None:
    """Remove what is past its time, and what a crash has left, and give back space."""
    click.echo(f"removed {retention.sweep()}")
