"""Health, and the answers when the database is out of reach."""

from pathlib import Path

import pytest
from flask import Flask
from peewee import SqliteDatabase

from server.store import database
from tests import databases
from tests.conftest import Tenant


def out_of_reach(tmp_path: Path) -> None:
    """From now on the database is in a directory, or at a port, that is not there."""
    database.disconnect()
    backend = database.connected()
    if databases.ON_POSTGRESQL:
        backend.close()
        backend.database.connect_params["port"] = "1"
    else:
        backend.database = SqliteDatabase(str(tmp_path / "gone" / "weir.db"))
        database.database.initialize(backend.database)


def test_health_needs_no_token_and_counts_nowhere(app: Flask) -> None:
    answer = app.test_client().get("/healthz")

    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert "RateLimit" not in answer.headers


def test_health_tells_when_the_database_does_not_answer(
    app: Flask, tmp_path: Path
) -> None:
    out_of_reach(tmp_path)

    answer = app.test_client().get("/healthz")

    assert answer.status_code == 503
    assert answer.json["error"] == "service_unavailable"
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/users", "/users/alice", "/metadata/user/alice"])
def test_a_call_meanwhile_is_a_503(acme: Tenant, tmp_path: Path, path: str) -> None:
    acme.get("/users/alice")
    out_of_reach(tmp_path)

    answer = acme.get(path)

    assert answer.status_code == 503
    assert "gone" not in answer.text


def test_a_send_meanwhile_is_a_503(acme: Tenant, tmp_path: Path) -> None:
    out_of_reach(tmp_path)
    message = {
        "target_type": "users",
        "target": ["a"],
        "msg": {"type": "txt", "msg": "x"},
    }

    assert acme.post("/messages", json=message).status_code == 503


def test_the_limits_are_told_in_the_documents_words(acme: Tenant) -> None:
    acme.get("/users/alice")
    message = {
        "target_type": "users",
        "target": ["a", "b"],
        "msg": {"type": "txt", "msg": "x"},
    }
    acme.post("/messages", json=message)

    answer = acme.get("/limits").json

    by_rule = {rule["rule"]: rule for each in answer["data"] for rule in each["rules"]}
    lines = Path("limits.md").read_text().splitlines()
    assert answer["edition"] == "community"
    assert by_rule["users.calls"]["remaining"] == 9
    assert by_rule["users.calls"]["reset_seconds"] == 1
    assert by_rule["friends.calls"]["remaining"] == 10
    assert by_rule["friends.calls"]["reset_seconds"] == 0
    assert by_rule["messages.daily_system_push_messages"]["remaining"] == 19_998
    for rule in by_rule.values():
        assert rule["limit"] in lines[int(rule["doc"].removeprefix("limits.md:")) - 1]


def test_limits_of_an_edition_are_its_own(globex: Tenant) -> None:
    answer = globex.get("/limits").json

    by_rule = {rule["rule"]: rule for each in answer["data"] for rule in each["rules"]}
    assert by_rule["users.calls"]["calls"] == 30
    assert "messages.daily_system_push_messages" not in by_rule
    assert "users.users_per_app" not in by_rule


def test_limits_need_an_app_token_and_cost_nothing(acme: Tenant) -> None:
    for _ in range(30):
        assert acme.get("/limits").json["data"][0]["rules"][0]["remaining"] == 10

    assert acme.as_user("alice").get("/limits").status_code == 401
    assert acme.as_nobody().get("/limits").status_code == 401
