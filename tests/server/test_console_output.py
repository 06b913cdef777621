"""What commands print: a table for people, tabs for programs, JSON for both."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from flask import Flask
from peewee import OperationalError

from server import retention
from server.store import apps
from tests.conftest import Tenant
from tests.server.gunicorn import ROOT, environment, flask

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(state: Path, *arguments: str, **variables: str) -> str:
    """What a person sees of a ``flask`` command."""
    ours, theirs = pty.openpty()
    env = environment(state, 0, bind="127.0.0.1:1") | {"TERM": "xterm"} | variables
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        try:
            while chunk := os.read(ours, 65_536):
                seen += chunk
        except OSError:  # a terminal's way to say that it is over
            pass
        os.close(ours)
    assert process.returncode == 0, seen
    return seen.decode()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    flask(ROOT, tmp_path / "state", "apps", "create", "acme/chat")
    flask(ROOT, tmp_path / "state", "apps", "create", "globex/chat", "--open")
    return tmp_path / "state"


def test_a_list_is_a_table_on_a_terminal_and_tabs_in_a_pipe(state: Path) -> None:
    seen = ESCAPE.sub("", on_a_terminal(state, "apps", "list"))
    piped = flask(ROOT, state, "apps", "list")

    lines = [line.rstrip() for line in seen.splitlines() if line.strip()]
    assert lines[0].split() == ["app", "edition", "registration"]
    assert set(lines[1].strip()) == {"─"}
    assert lines[2].split() == ["acme/chat", "community", "authorised"]
    assert piped == ("acme/chat\tcommunity\tauthorised\nglobex/chat\tcommunity\topen\n")


def test_no_colour_is_for_those_who_want_none(state: Path) -> None:
    assert "\x1b[1m" in on_a_terminal(state, "apps", "list")
    assert "\x1b[1m" not in on_a_terminal(state, "apps", "list", TERM="dumb")


def test_a_sweep_shows_how_far_it_is_on_a_terminal_alone(state: Path) -> None:
    seen = on_a_terminal(state, "retention", "sweep")
    piped = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "retention", "sweep"],
        cwd=ROOT, env=environment(state, 0, bind="127.0.0.1:1"),
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "Sweeping" in seen
    assert "removed 0 files" in seen
    assert piped.stderr == ""
    assert piped.stdout.startswith("removed 0 files")


def run(app: Flask, *arguments: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["apps", "create", "new/one"], {"app": "new/one"}),
        (["apps", "edition", "acme/chat", "enterprise"], {"edition": "enterprise"}),
        (["apps", "registration", "acme/chat", "open"], {"registration": "open"}),
        (["apps", "rotate", "acme/chat"], {"app": "acme/chat"}),
        (["apps", "token", "acme/chat", "--ttl", "7"], {"expires_in": 7}),
        (["apps", "delete", "acme/chat", "--yes"], {"deleted": True}),
        (["retention", "sweep"], {"files": 0, "orphans": 0}),
    ],
)
def test_every_command_prints_one_line_of_json(
    app: Flask, acme: Tenant, arguments: list[str], told: dict[str, object]
) -> None:
    code, out, err = run(app, *arguments, "--json")

    value = json.loads(out)
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    assert told.items() <= value.items()


def test_every_command_there_is_prints_json(app: Flask) -> None:
    for name in ("apps", "retention"):
        for command in app.cli.get_command(
            click.Context(app.cli), name
        ).commands.values():
            assert "as_json" in {option.name for option in command.params}, command.name


def test_an_error_is_on_stderr_and_ends_with_1(app: Flask, acme: Tenant) -> None:
    code, out, err = run(app, "apps", "rotate", "acme/none", "--json")

    assert (code, out) == (1, "")
    assert err == "Error: there is no app acme/none\n"


def test_a_database_that_fails_is_told_without_a_traceback(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(apps, "every", fail)
    code, out, err = run(app, "apps", "list")

    assert (code, out) == (1, "")
    assert err == "Error: the database does not answer: disk I/O error\n"


def test_a_disk_that_fails_is_told_likewise(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/srv/files")

    monkeypatch.setattr(retention, "sweep", fail)
    code, _, err = run(app, "retention", "sweep")

    assert (code, err) == (1, "Error: /srv/files: Permission denied\n")


def test_a_hostile_name_is_one_cell(
    app: Flask, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = apps.every()
    hostile = type(row)(
        **{name: getattr(row, name) for name in row.__slots__}
        | {"name": "x\ty\nz\x1b[31m[red]"}
    )
    monkeypatch.setattr(apps, "every", lambda: [hostile])

    _, out, _ = run(app, "apps", "list")

    assert out == "acme/x\\ty\\nz\\x1b[31m[red]\tcommunity\tauthorised\n"


def test_wrong_use_ends_with_2(app: Flask) -> None:
    code, out, err = run(app, "apps", "list", "--yaml")

    assert (code, out) == (2, "")
    assert "No such option" in err
