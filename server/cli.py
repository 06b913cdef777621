"""The groups of commands that ``flask`` has, each read when it is first asked for.

A worker never asks, and is several megabytes smaller for it (what draws tables and the
demo's pictures stays out); a command reads its own group alone.
"""

from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

from server.settings import Settings

SETTINGS = "WEIR_SETTINGS"

_GROUPS = {
    "apps": "server.commands:group",
    "audit": "server.operator_commands:show_audit",
    "limits": "server.limit_commands:group",
    "operators": "server.operator_commands:group",
    "retention": "server.commands:keeping",
}


class _Later(AppGroup):
    """A group whose commands are named in `_GROUPS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_GROUPS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _GROUPS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _GROUPS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def init_app(app: Flask, settings: Settings) -> None:
    """Add the commands to ``flask``."""
    app.cli = _Later(app.name)
    app.config[SETTINGS] = settings
