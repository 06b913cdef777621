"""The operator's commands."""

import json

import pytest
from click.testing import Result
from flask import Flask

from server.kinds import Membership
from server.store import apps, users
from server.store.models import TABLES, Message
from tests.conftest import Clock, Tenant
from tests.probes.messages import send


def flask(app: Flask, *arguments: str, answer: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["apps", *arguments], input=answer)


def test_creating_prints_credentials_that_work(app: Flask) -> None:
    made = json.loads(flask(app, "create", "acme/chat", "--json").output)

    assert made["app"] == "acme/chat"
    grant = {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    }
    assert app.test_client().post("/acme/chat/token", json=grant).status_code == 200
    found = apps.find("acme", "chat")
    assert found is not None
    assert found.edition == "community"
    assert made["client_secret"].encode() not in found.secret_hash


def test_creating_for_a_person_says_the_secret_is_shown_once(app: Flask) -> None:
    result = flask(app, "create", "acme/chat", "--edition", "enterprise")

    assert "client_secret" in result.output
    assert "not shown again" in result.output
    assert "enterprise" in flask(app, "list").output


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("acme", "is no ORG/APP"),
        ("acme/", "is no ORG/APP"),
        ("a/b/c", "is no ORG/APP"),
        ("Acme/chat", "1 to 32 of a-z"),
        ("acme/" + "x" * 33, "1 to 32 of a-z"),
        ("acme/ch at", "1 to 32 of a-z"),
        ("console/x", "the server's own pages"),
        ("healthz/x", "the server's own pages"),
        ("metrics/x", "the server's own pages"),
        ("docs/x", "the server's own pages"),
        ("static/x", "the server's own pages"),
    ],
)
def test_a_key_that_cannot_be(app: Flask, key: str, words: str) -> None:
    result = flask(app, "create", key)

    assert result.exit_code != 0
    assert words in result.output
    assert apps.every() == []


def test_a_key_is_taken_once(acme: Tenant, app: Flask) -> None:
    result = flask(app, "create", "acme/chat")

    assert result.exit_code != 0
    assert "acme/chat exists already" in result.output


def test_an_edition_that_is_not_in_the_table(app: Flask) -> None:
    result = flask(app, "create", "acme/chat", "--edition", "ultimate")

    assert result.exit_code == 2
    assert "'community', 'enterprise'" in result.output


def test_an_edition_takes_effect_on_the_next_call(acme: Tenant, app: Flask) -> None:
    for _ in range(10):
        acme.get("/users/alice")
    assert acme.get("/users/alice").status_code == 429

    flask(app, "edition", "acme/chat", "enterprise")

    statuses = [acme.get("/users/alice").status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


def test_registration_is_opened_and_closed(acme: Tenant, app: Flask) -> None:
    new = {"username": "carol", "password": "x"}

    flask(app, "registration", "acme/chat", "open")
    opened = acme.as_nobody().post("/users", json=new)
    flask(app, "registration", "acme/chat", "authorised")
    closed = acme.as_nobody().post("/users", json=new | {"username": "dave"})

    assert opened.status_code == 200
    assert closed.status_code == 401


def test_rotating_prints_new_credentials(acme: Tenant, app: Flask) -> None:
    made = json.loads(flask(app, "rotate", "acme/chat", "--json").output)

    assert made["client_secret"] != acme.credentials.client_secret
    assert acme.get("/users/alice").status_code == 401


def test_deleting_asks_first(acme: Tenant, app: Flask) -> None:
    kept = flask(app, "delete", "acme/chat", answer="n\n")
    assert kept.exit_code == 1
    assert apps.find("acme", "chat") is not None
    send(acme)

    gone = flask(app, "delete", "acme/chat", answer="y\n")

    assert gone.exit_code == 0
    assert apps.find("acme", "chat") is None
    assert Message.select().count() == 0
    assert acme.get("/users/alice").status_code == 404


def test_deleting_leaves_nothing_of_the_app_behind(
    acme: Tenant, globex: Tenant, app: Flask
) -> None:
    send(acme)
    send(globex)
    users.add(globex.id, [users.NewUser("zoe", None)], at_most=Membership("none"))

    flask(app, "delete", "acme/chat", "--yes")

    counts = {table.__name__: table.select().count() for table in TABLES}
    assert (
        counts["App"] == counts["User"] == counts["Message"] == counts["QuotaUse"] == 1
    )


@pytest.mark.parametrize("command", ["rotate", "delete"])
def test_an_app_nobody_made(app: Flask, command: str) -> None:
    result = flask(app, command, "acme/none")

    assert result.exit_code == 1
    assert "there is no app acme/none" in result.output


def test_the_list_for_programs(acme: Tenant, globex: Tenant, app: Flask) -> None:
    listed = json.loads(flask(app, "list", "--json").output)

    assert [(each["app"], each["edition"]) for each in listed] == [
        ("acme/chat", "community"),
        ("globex/chat", "enterprise"),
    ]
    assert "secret" not in json.dumps(listed)


def test_a_token_to_try_things_with(acme: Tenant, app: Flask, clock: Clock) -> None:
    acme.token = flask(app, "token", "acme/chat", "--ttl", "60").output.strip()

    assert acme.get("/users/alice").status_code == 200
    clock.forward(60)
    assert acme.get("/users/alice").status_code == 401
    assert flask(app, "token", "acme/none").exit_code == 1
