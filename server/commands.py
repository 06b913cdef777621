"""The operator's commands: ``flask apps ...`` and ``flask retention sweep``."""

from dataclasses import asdict

import click

from server import retention, rules
from server.caller import App
from server.clock import now_ms
from server.console_output import (
    Commands,
    as_json,
    fail,
    note,
    one,
    progress,
    said,
    table,
)
from server.demo import fill
from server.store import apps, tokens

group = Commands("apps", help="The apps this server serves.")
keeping = Commands("retention", help="What is past its time.")

key = click.argument("key", metavar="ORG/APP")
edition_choice = click.Choice(list(rules.EDITIONS), case_sensitive=False)


def _split(text: str) -> tuple[str, str]:
    org, slash, name = text.partition("/")
    if not slash or not org or not name or "/" in name:
        message = f"{text!r} is no ORG/APP"
        raise click.BadParameter(message)
    return org, name


def _print_credentials(
    key: str, made: apps.Credentials, *, as_json: bool, **more: object
) -> None:
    shown = {
        "app": key,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        **more,
    }
    one(shown, as_json=as_json)
    if not as_json:
        note("The secret is not kept and not shown again.")


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
        fail(error)
    cast = _cast(org, name) if demo else {}
    _print_credentials(key, made, as_json=as_json, **cast)


def _cast(org: str, name: str) -> dict[str, object]:
    """Fill a new app with a cast; what there is to call things with."""
    app = apps.find(org, name)
    if app is None:
        fail(apps.NoSuchApp(f"there is no app {org}/{name}"))
    return asdict(fill(app))


@group.command("list")
@as_json
def list_apps(as_json: bool) -> None:
    """List the apps with their editions."""
    shown = [_shown(app) for app in apps.every()]
    table(shown, ("app", "edition", "registration"), as_json=as_json)


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
@as_json
def set_edition(key: str, edition: str, as_json: bool) -> None:
    """Put an app on another edition, from its next call on."""
    try:
        apps.set_edition(*_split(key), edition)
    except apps.NoSuchApp as error:
        fail(error)
    words = f"{key} is on {rules.EDITIONS[edition]}"
    said(words, {"app": key, "edition": edition}, as_json=as_json)


@group.command("registration")
@key
@click.argument("mode", type=click.Choice(["open", "authorised"]))
@as_json
def set_registration(key: str, mode: str, as_json: bool) -> None:
    """Say whether users may register without an app token."""
    try:
        apps.set_open_registration(*_split(key), open_registration=mode == "open")
    except apps.NoSuchApp as error:
        fail(error)
    words = f"registration in {key} is {mode}"
    said(words, {"app": key, "registration": mode}, as_json=as_json)


@group.command("rotate")
@key
@as_json
def rotate(key: str, as_json: bool) -> None:
    """Print new credentials; the old ones and every app token end at once."""
    try:
        made = apps.rotate(*_split(key))
    except apps.NoSuchApp as error:
        fail(error)
    _print_credentials(key, made, as_json=as_json)


@group.command("token")
@key
@click.option("--ttl", type=click.IntRange(1), default=3600, help="Seconds.")
@as_json
def token(key: str, ttl: int, as_json: bool) -> None:
    """Print an app token, to try things with."""
    org, name = _split(key)
    app = apps.find(org, name)
    if app is None:
        fail(f"there is no app {key}")
    ends = now_ms() // 1000 + ttl
    issued = tokens.issue(app.id, None, ends, app.token_key)
    said(issued, {"app": key, "token": issued, "expires_in": ttl}, as_json=as_json)


@group.command("delete")
@key
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def delete(key: str, yes: bool, as_json: bool) -> None:
    """Delete an app and everything in it."""
    org, name = _split(key)
    if apps.find(org, name) is None:
        fail(f"there is no app {key}")
    if not yes:
        question = f"Delete {key}, its users and its messages?"
        click.confirm(question, abort=True, err=True)
    try:
        apps.delete(org, name)
    except apps.NoSuchApp as error:
        fail(error)
    said(f"{key} is deleted", {"app": key, "deleted": True}, as_json=as_json)


@keeping.command("sweep")
@as_json
def sweep(as_json: bool) -> None:
    """Remove what is past its time, and what a crash has left, and give back space."""
    with progress("Sweeping") as tell:
        swept = retention.sweep(tell=tell)
    said(f"removed {swept}", asdict(swept), as_json=as_json)
