"""The first start: with no app at all, the server makes one to try things on."""

import shlex

import click

from server import rules
from server.settings import Settings
from server.store import apps, audit

ORG, NAME = "demo", "chat"


def in_worker() -> bool:
    """Whether this process is a worker of gunicorn's."""
    return click.get_current_context(silent=True) is None


def serving() -> bool:
    """Whether this process serves: under gunicorn, or ``flask run``; not a command."""
    context = click.get_current_context(silent=True)
    return context is None or context.info_name == "run"


def welcome(settings: Settings) -> None:
    """Make ``demo/chat`` if there is no app, and say how to call it."""
    with audit.acting_as("first start"):
        made = apps.create_first(ORG, NAME, next(iter(rules.EDITIONS)))
    if made is None:
        return
    grant = (
        '{"grant_type":"client_credentials",'
        f'"client_id":"{made.client_id}","client_secret":"{made.client_secret}"}}'
    )
    url = f"{_address(settings)}/{ORG}/{NAME}/token"
    # To the terminal, not to the log: the secret is shown this once.
    click.echo(
        f"\nThere was no app yet, so here is {ORG}/{NAME}:\n\n"
        f"  client_id      {made.client_id}\n"
        f"  client_secret  {made.client_secret}\n\n"
        "Get a token with\n\n"
        f"  curl {url} -d {shlex.quote(grant)}\n"
    )


def _address(settings: Settings) -> str:
    if settings.public_url is not None:
        return settings.public_url
    context = click.get_current_context(silent=True)
    if context is not None:
        return f"http://{context.params['host']}:{context.params['port']}"
    if settings.bind.startswith("unix:"):
        return "http://localhost"
    host, _, port = settings.bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}"  # noqa: S104 (read, not bound)
