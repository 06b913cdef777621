"""The cast that ``flask apps create --demo`` leaves, by the API's own account."""

import json
from typing import Any

import pytest
from flask import Flask

from server.store import apps, tokens
from tests.conftest import Tenant

Json = dict[str, Any]


@pytest.fixture
def cast(app: Flask) -> Json:
    command = ["apps", "create", "demo/town", "--edition", "enterprise", "--demo"]
    printed = app.test_cli_runner().invoke(args=[*command, "--json"])
    assert printed.exit_code == 0, printed.output
    return json.loads(printed.output)


@pytest.fixture
def town(app: Flask, cast: Json) -> Tenant:
    org, name = cast["app"].split("/")
    found = apps.find(org, name)
    assert found is not None
    token = tokens.issue(found.id, None, None, found.token_key)
    credentials = apps.Credentials(cast["client_id"], cast["client_secret"])
    return Tenant(app.test_client(), cast["app"], credentials, token)


def test_everyone_is_there_and_can_sign_in(town: Tenant, cast: Json) -> None:
    listed = town.get("/users").json["entities"]

    assert [user["username"] for user in listed] == cast["users"]
    for name in cast["users"]:
        grant = {
            "grant_type": "password",
            "username": name,
            "password": cast["password"],
        }
        assert town.post("/token", json=grant).status_code == 200


def test_they_know_and_avoid_each_other(town: Tenant) -> None:
    friends = town.get("/users/ada/contacts?needReturnRemark=true").json["data"]
    blocked = town.get("/users/linus/blocks/users").json["data"]

    assert friends["contacts"] == [
        {"username": "linus", "remark": None},
        {"username": "grace", "remark": "from the compiler team"},
    ]
    assert blocked == ["joan"]
    assert town.get("/metadata/user/ada").json["data"]["city"] == "London"


def test_they_meet_in_groups_and_in_a_room(town: Tenant, cast: Json) -> None:
    (group,) = town.get(f"/chatgroups/{cast['group']}").json["data"]
    (room,) = town.get(f"/chatrooms/{cast['room']}").json["data"]
    admins = town.get(f"/chatgroups/{cast['group']}/admin").json["data"]

    assert (group["name"], group["owner"], group["public"]) == (
        "Night shift",
        "ada",
        True,
    )
    assert group["affiliations_count"] == 3
    assert admins == ["grace"]
    assert (room["name"], room["affiliations_count"]) == ("Town square", 3)
    assert len(town.get("/chatgroups").json["data"]) == 2


def test_what_they_said_waits_for_them(town: Tenant) -> None:
    waiting = {
        name: town.get(f"/users/{name}/offline_msg_count").json["data"][name]
        for name in ("ada", "grace", "linus", "ken", "joan")
    }

    # What is said in a group waits for all but who said it; in a room, for nobody.
    assert waiting == {"ada": 3, "grace": 2, "linus": 2, "ken": 1, "joan": 0}


def test_the_picture_can_be_looked_at(town: Tenant, cast: Json) -> None:
    picture = town.get(f"/chatfiles/{cast['file']}")

    assert picture.content_type == "image/png"
    assert picture.get_data().startswith(b"\x89PNG")


def test_a_person_is_told_what_there_is(app: Flask) -> None:
    command = ["apps", "create", "demo/village", "--demo"]
    printed = app.test_cli_runner().invoke(args=command).output

    assert "users          ada, grace, linus, ken, joan" in printed
    assert "password       secret" in printed


def test_without_it_an_app_is_empty(app: Flask) -> None:
    made = app.test_cli_runner().invoke(args=["apps", "create", "a/b", "--json"])

    assert set(json.loads(made.output)) == {"app", "client_id", "client_secret"}
