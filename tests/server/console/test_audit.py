"""What the audit holds: each change once, with who made it; and the commands."""

import getpass
import json
import threading

import pytest
from click.testing import Result
from flask import Flask

from server import rules, rules_history
from server.first_start import welcome
from server.settings import Settings
from server.store import apps, audit, operators


def flask(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def entries(**of: str) -> list[tuple[str, str, str]]:
    return [(e.actor, e.action, e.words) for e in audit.page(limit=100, **of)]


def test_each_change_a_command_makes_is_written_with_who_made_it(app: Flask) -> None:
    me = f"cli:{getpass.getuser()}"
    for command in (
        ("create", "acme/chat"),
        ("edition", "acme/chat", "enterprise"),
        ("edition", "acme/chat", "enterprise"),
        ("registration", "acme/chat", "open"),
        ("rotate", "acme/chat"),
        ("delete", "acme/chat", "--yes"),
    ):
        assert flask(app, "apps", *command).exit_code == 0

    assert entries(subject="acme/chat") == [
        (me, "app.deleted", ""),
        (me, "app.secret", ""),
        (me, "app.registration", "open registration"),
        (me, "app.edition", "from community to enterprise"),
        (me, "app.created", "community, authorised registration"),
    ]


def test_a_change_that_is_not_made_is_not_written(app: Flask) -> None:
    for command in (("edition", "no/such", "enterprise"), ("rotate", "no/such")):
        assert flask(app, "apps", *command).exit_code == 1

    assert entries() == []


def test_the_first_start_is_written(
    app: Flask, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    welcome(settings)
    welcome(settings)

    assert entries() == [
        ("first start", "app.created", "community, authorised registration")
    ]


def test_operators_come_and_go_by_command(app: Flask) -> None:
    made = json.loads(flask(app, "operators", "create", "olga", "--json").output)
    rotated = json.loads(flask(app, "operators", "rotate", "olga", "--json").output)
    (listed,) = json.loads(flask(app, "operators", "list", "--json").output)

    assert made["operator"] == listed["operator"] == "olga"
    assert listed["last_seen"] is None
    assert operators.sign_in(made["key"]) is None
    assert operators.sign_in(rotated["key"]) is not None
    (listed,) = json.loads(flask(app, "operators", "list", "--json").output)
    assert listed["last_seen"] == "2023-11-14T22:13:20.000000Z"
    assert flask(app, "operators", "delete", "olga", "--yes").exit_code == 0
    assert operators.every() == []
    actions = [action for _, action, _ in entries(subject="olga")]
    assert actions == ["operator.deleted", "operator.key", "operator.created"]
    assert made["key"] not in str(entries())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("create", "<b>"), "letters, digits and"),
        (("create", "a/b"), "letters, digits and"),
        (("create", "x" * 65), "letters, digits and"),
        (("create", "olga"), "there is an operator olga already"),
        (("rotate", "nobody"), "there is no operator nobody"),
        (("delete", "nobody", "--yes"), "there is no operator nobody"),
    ],
)
def test_what_cannot_be_done_is_said(
    app: Flask, command: tuple[str, ...], said: str
) -> None:
    operators.create("olga")

    result = flask(app, "operators", *command)

    assert result.exit_code == 1
    assert said in result.output


def test_the_audit_is_listed_for_people_and_programs(app: Flask) -> None:
    for n in range(5):
        apps.create("acme", f"app-{n}", "community")

    told = json.loads(flask(app, "audit", "--json", "--limit", "3").output)
    of_one = flask(app, "audit", "--app", "acme/app-1")

    assert [each["subject"] for each in told] == [f"acme/app-{n}" for n in (4, 3, 2)]
    assert set(told[0]) == {"id", "at", "actor", "action", "subject", "words"}
    (line,) = of_one.output.splitlines()
    assert line.split("\t")[1:4] == ["server", "app.created", "acme/app-1"]


def test_rules_are_written_at_the_first_start_and_not_again(app: Flask) -> None:
    rules_history.note()
    rules_history.note()

    assert entries() == [("server", "rules", rules_history.FIRST)]
    assert audit.page(limit=1)[0].subject == rules.DIGEST


def test_racing_starts_write_a_change_once(app: Flask) -> None:
    ready = threading.Barrier(8)

    def start() -> None:
        ready.wait()
        # As a start does that found other rules when it looked.
        with audit.seeing_rules("digest", "{}") as change:
            if change is not None:
                audit.note("rules", "digest")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(entries(action="rules")) == 1


FIGURES = {
    "users.calls": {
        "A": ["app", 10, 1, "10 times/second", "limits.md:1"],
        "B": ["app", 30, 1, "30 times/second", "limits.md:1"],
    },
    "users.user_id": {
        "A": ["max_length", 64, 1, "length 64", "limits.md:1"],
        "B": ["max_length", 64, 1, "length 64", "limits.md:1"],
    },
    "files.file": {"A": ["max_bytes", 9, 1, "9 bytes", "limits.md:2"]},
}


def test_what_changed_is_told_in_the_documents_words() -> None:
    new = {
        "users.calls": FIGURES["users.calls"]
        | {"B": ["app", 600, 60, "600 times/minute", "limits.md:1"]},
        "users.user_id": {
            edition: ["max_length", 32, 1, "length 32", "limits.md:1"]
            for edition in "AB"
        },
        "users.nickname": {
            edition: ["max_length", 5, 1, "nick 5", "limits.md:1"] for edition in "AB"
        },
    }

    assert [*rules_history.differences(FIGURES, new)] == [
        "users.calls (B) changed: 30 times/second → 600 times/minute (limits.md:1)",
        "users.user_id tighter: length 64 → length 32 (limits.md:1)",
        "users.nickname added: nick 5 (limits.md:1)",
        "files.file removed: was 9 bytes",
    ]
    assert [*rules_history.differences(FIGURES, FIGURES)] == []


def test_a_change_since_the_last_start_is_written_in_words(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules_history.note()
    monkeypatch.setattr(rules, "DIGEST", "another")
    rules_history.note()
    tighter = rules_history._figures()
    for figure in tighter["users.user_id"].values():
        figure[1:4] = [5, 1, "user ID length 5 characters"]
    monkeypatch.setattr(rules, "DIGEST", "a third")
    monkeypatch.setattr(rules_history, "_figures", lambda: tighter)
    rules_history.note()

    told = [words for _, _, words in entries(action="rules")]
    assert told[1:] == [rules_history.MOVED, rules_history.FIRST]
    assert told[0].startswith(
        "users.user_id tighter: user ID length 64 characters →"
        " user ID length 5 characters"
    )
