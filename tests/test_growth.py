"""A new edition and an eleventh interface, by the steps of README.md and no other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.gunicorn import flask, serving
from tests.trees import copy_of_the_tree

HANDLERS = '''"""Presence: who says what of themselves."""

from flask import Response

from server import envelope
from server.caller import caller
from server.payload import Lenient, Text, body
from server.rules import presence as rules

blueprint = rules.blueprint


class Status(Lenient):
    text = Text(required=True, validate=rules.STATUS_TEXT.says("text is too long"))


@blueprint.post("/presence")
@body(Status, at_most=rules.REQUEST_BODY)
def publish(*, text: str) -> Response:
    """Say it back: this interface keeps nothing."""
    return envelope.of_app(action="post", data={"text": text, "by": caller().app.name})
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return copy_of_the_tree(tmp_path)


def compile_(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codegen"], cwd=tree, capture_output=True, text=True, check=False
    )  # fmt: skip


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def first_table(tree: Path) -> tuple[list[str], range]:
    """The lines of limits.md, and which of them are the first table."""
    lines = (tree / "limits.md").read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("| Interface"))
    end = next(n for n in range(begin, len(lines)) if not lines[n].startswith("|"))
    return lines, range(begin, end)


def test_a_new_edition_is_a_new_column_and_nothing_else(
    tree: Path, tmp_path: Path
) -> None:
    lines, table = first_table(tree)
    for n in table:
        cell = "single app call limit 3 times/minute"
        if n == table.start:
            cell = "Ultimate Edition"
        elif n == table.start + 1:
            cell = "---"
        lines[n] = f"{lines[n]} {cell} |"
    (tree / "limits.md").write_text("\n".join(lines) + "\n")
    changed = compile_(tree)
    assert changed.returncode == 0, changed.stderr

    with serving(tmp_path / "state", tree=tree, workers="2") as server:
        listed = flask(
            tree,
            server.state_dir,
            "apps",
            "create",
            "acme/chat",
            "--edition",
            "ultimate",
            "--json",
        )
        assert "client_secret" in json.loads(listed)
        token = flask(tree, server.state_dir, "apps", "token", "acme/chat").strip()
        calls = [
            server.call("GET", "/acme/chat/users/nobody", token=token) for _ in range(4)
        ]

    assert [status for status, *_ in calls] == [404, 404, 404, 429]
    assert calls[-1][1]["ratelimit-policy"] == '"users.calls";q=3;w=60'
    assert calls[-1][2]["limit"] == "single app call limit 3 times/minute"


def test_an_eleventh_interface_is_a_row_handlers_and_a_line(
    tree: Path, tmp_path: Path
) -> None:
    lines, table = first_table(tree)
    rate = "single app call limit 2 times/minute"
    lines.insert(
        table.stop,
        f"| Presence | Say how you are | {rate} | {rate} | status text length 5 characters |",
    )
    document = "\n".join(lines) + "\n"
    further = "| Groups | single app can have"
    row = "| Presence | request body size 1k bytes |\n"
    (tree / "limits.md").write_text(document.replace(further, row + further, 1))

    without = compile_(tree)
    (tree / "server/api/presence.py").write_text(HANDLERS)
    edit(tree / "server/api/__init__.py", "    ops,\n", "    ops,\n    presence,\n")
    edit(
        tree / "server/api/__init__.py",
        "            users,\n",
        "            users,\n            presence,\n",
    )
    complete = compile_(tree)

    assert without.returncode == 0
    assert "presence has no handlers yet" in without.stderr
    assert complete.returncode == 0, complete.stderr
    assert "presence" not in complete.stderr
    with serving(tmp_path / "state", tree=tree, workers="2") as server:
        flask(tree, server.state_dir, "apps", "create", "acme/chat")
        token = flask(tree, server.state_dir, "apps", "token", "acme/chat").strip()
        calls = [
            server.call("POST", "/acme/chat/presence", {"text": text}, token)
            for text in ("fine", "splendid", "fine")
        ]

    assert [status for status, *_ in calls] == [200, 400, 429]
    assert calls[0][2]["data"] == {"text": "fine", "by": "chat"}
    assert calls[1][2]["rule"] == "presence.status_text"
    assert calls[2][2]["rule"] == "presence.calls"


def test_a_figure_of_the_new_interface_that_nothing_enforces_is_an_error(
    tree: Path,
) -> None:
    lines, table = first_table(tree)
    rate = "single app call limit 2 times/minute"
    lines.insert(
        table.stop, f"| Presence | | {rate} | {rate} | mood length 5 characters |"
    )
    (tree / "limits.md").write_text("\n".join(lines) + "\n")
    used = HANDLERS.replace("STATUS_TEXT", "CALLS").replace("REQUEST_BODY", "CALLS")
    (tree / "server/api/presence.py").write_text(used)

    told = compile_(tree)

    assert told.returncode == 1
    assert "presence.mood: no operation enforces this figure" in told.stderr
    assert "nothing was written" in told.stderr
