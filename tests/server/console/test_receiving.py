"""A user's stream, opened from an app's page: whose it is, and who says no."""

import pytest
from flask import Flask

from server.store import audit, blocking
from tests import facts
from tests.conftest import Clock, Tenant
from tests.server.console.operator import Operator, operator

FORM = "/apps/acme/chat/stream"


@pytest.fixture
def olga(app: Flask) -> Operator:
    return operator(app)


def test_a_way_is_into_the_stream_of_one_user_alone(
    acme: Tenant, olga: Operator, clock: Clock
) -> None:
    path = olga.post(FORM, user="Bob").json["path"]
    stranger = olga.client.application.test_client()
    ticket = path.partition("?")[2]

    assert path.startswith("/acme/chat/users/bob/stream?ticket=")
    assert stranger.head(path).status_code == 200
    for other in ("users/alice/stream", "users/bob/offline_msg_count"):
        assert stranger.get(f"/acme/chat/{other}?{ticket}").status_code == 401
    clock.forward(facts.bound("offline.stream_ticket")[0][1])
    assert stranger.head(path).status_code == 401


def test_who_listened_to_whom_is_written_down(acme: Tenant, olga: Operator) -> None:
    olga.post(FORM, user="bob")

    (entry,) = audit.page(action="user.stream", limit=9)
    assert (entry.actor, entry.subject, entry.words) == ("olga", "acme/chat", "bob")
    page = olga.get("/audit").text
    assert "stream opened" in page


@pytest.mark.parametrize("user", ["", "nobody", "<b>", "../alice", "x" * 5000])
def test_a_user_who_is_not_there_is_said_not_to_be(
    acme: Tenant, olga: Operator, user: str
) -> None:
    answer = olga.post(FORM, user=user)

    assert answer.status_code == 404
    assert answer.json["words"] == f"acme/chat has no user {user!r}."
    assert audit.page(action="user.stream", limit=9) == []


def test_what_the_api_refuses_is_told_as_it_says_it(
    acme: Tenant, olga: Operator
) -> None:
    blocking.deactivate(acme.id, "bob")

    answer = olga.post(FORM, user="bob")

    assert answer.status_code in (401, 403)
    assert answer.json["words"].startswith(f"{answer.status_code}: ")
    assert audit.page(action="user.stream", limit=9) == []


def test_it_draws_on_the_apps_own_budget(acme: Tenant, olga: Operator) -> None:
    answers = [olga.post(FORM, user="bob") for _ in range(11)]

    assert [each.status_code for each in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_an_app_that_is_not_there_has_no_streams(olga: Operator) -> None:
    assert olga.post("/apps/acme/nope/stream", user="bob").status_code == 404
