"""What a user token opens: every route of the server is walked, none can be forgotten."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from server import auth
from server.caller import Kind
from server.settings import Settings
from server.store import apps
from tests.conftest import ALICES_PASSWORD, Clock, Tenant
from tests.wire.calls import FORM, Furnished, furnish
from tests.wire.kept import Store

CAST = ("ada", "linus", "grace", "ken", "joan")
OWNER, ADMIN, OUTSIDER, MEMBER, BLOCKED = CAST

OPEN = {
    "POST /chatfiles": "APP USER",
    "GET /chatfiles/<uuid>": "APP USER",
    "GET /chatgroups/<group_id>/share_files": "APP USER",
    "POST /chatgroups/<group_id>/share_files": "APP USER",
    "GET /chatgroups/<group_id>/share_files/<file_id>": "APP USER",
    "DELETE /chatgroups/<group_id>/share_files/<file_id>": "APP USER",
    "PUT /metadata/user/<username>": "APP USER",
    "GET /metadata/user/<username>": "APP USER",
    "DELETE /metadata/user/<username>": "APP USER",
    "POST /metadata/user/get": "APP USER",
    "POST /token": "NOBODY",
    "POST /users": "APP NOBODY",
    "PUT /users/<username>/password": "APP NOBODY USER",
    "GET /users/<username>/stream": "NOBODY USER",
    "POST /users/<username>/stream/ack": "USER",
    "POST /users/<username>/stream/ticket": "USER",
}
"""Whom each route lets in that is not for app tokens alone; all others are."""


def rules_of(app: Flask) -> list[Rule]:
    """Every route of an app's API."""
    found = (rule for rule in app.url_map.iter_rules() if "org" in rule.arguments)
    return sorted(found, key=str)


def operations(app: Flask) -> Iterator[tuple[str, str, Rule]]:
    for rule in rules_of(app):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule.removeprefix('/<org>/<app>')}", method, rule


def test_whom_each_route_lets_in_is_what_stands_here(app: Flask) -> None:
    found = {}
    for operation, _, rule in operations(app):
        blueprint = rule.endpoint.partition(".")[0]
        kinds = auth.opened(app.view_functions[rule.endpoint], blueprint).kinds
        if kinds != {Kind.APP}:
            found[operation] = " ".join(sorted(each.name for each in kinds))

    assert found == OPEN
    assert len(list(operations(app))) > 115


@dataclass
class Walk:
    """An app with people and things in it, and everything that was wrong."""

    app: Flask
    ours: Furnished
    store: Store
    wrong: list[str] = field(default_factory=list)

    def path(self, rule: Rule) -> str:
        params = self.ours.params
        known = params | {
            "org": "acme", "app": "chat", "group_id": params["gid"], "group_ids": params["gid"],
            "room_id": params["rid"], "room_ids": params["rid"], "super_admin": OWNER,
            "status": "busy", "expiry": "60",
        }  # fmt: skip
        parts = {name: known[name] for name in rule.arguments}
        return rule.build(parts)[1]

    def ask(self, method: str, path: str, who: str, **options: object) -> TestResponse:
        return self.ours.send(
            method, path, token=self.ours.tenant.user_token(who), **options
        )


@pytest.fixture
def walk(app: Flask, acme: Tenant, clock: Clock, settings: Settings) -> Iterator[Walk]:
    ours = furnish(acme, clock, CAST)
    walk = Walk(app, ours, Store(settings))
    yield walk
    walk.store.close()
    assert not walk.wrong, "\n".join(walk.wrong)


@pytest.mark.parametrize("who", [OWNER, ADMIN, OUTSIDER])
def test_what_is_for_app_tokens_refuses_a_users_and_changes_nothing(
    walk: Walk, who: str
) -> None:
    """Not even the owner of a group, an administrator or oneself."""
    walked = 0
    for operation, method, rule in operations(walk.app):
        if operation in OPEN:
            continue
        asked = [method, "HEAD", "OPTIONS"] if method == "GET" else [method, "OPTIONS"]
        for each in asked:
            answer = walk.ask(each, walk.path(rule), who, json={})
            if answer.status_code not in (401, 403):
                walk.wrong.append(f"{each} {operation}: {answer.status}")
        walked += 1

    walk.store.check_same()
    assert walked > 100


def test_what_is_ones_own_is_nobody_elses(walk: Walk) -> None:
    told = walk.ours.call("GET {A}/users/{username}", username=OWNER)
    names = (OWNER, OWNER.upper(), told.json["entities"][0]["uuid"])
    for method, rest, options in (
        ("PUT", "/metadata/user/{}", {"data": "a=b", "content_type": FORM}),
        ("DELETE", "/metadata/user/{}", {}),
        ("PUT", "/users/{}/password", {"json": {"newpassword": "x", "oldpassword": ALICES_PASSWORD}}),
        ("GET", "/users/{}/stream", {}),
        ("POST", "/users/{}/stream/ticket", {"json": {}}),
        ("POST", "/users/{}/stream/ack", {"json": {"upto": "9"}}),
        ("POST", "/users", {"json": {"username": "new", "password": "x"}}),
    ):  # fmt: skip
        for name in names:
            path = f"/acme/chat{rest.format(name)}"
            answer = walk.ask(method, path, OUTSIDER, **options)
            assert answer.status_code == 401, (method, path, answer.text)

    walk.store.check_same()


@pytest.mark.parametrize("who", [OUTSIDER, BLOCKED])
def test_files_of_a_group_are_for_its_members(walk: Walk, who: str) -> None:
    gid, file_id = walk.ours.params["gid"], walk.ours.params["file_id"]
    files = f"/acme/chat/chatgroups/{gid}/share_files"

    for method, path in (
        ("GET", files),
        ("POST", files),
        ("GET", f"{files}/{file_id}"),
        ("DELETE", f"{files}/{file_id}"),
    ):
        data = {"file": (io.BytesIO(b"x"), "a")} if method == "POST" else None
        assert walk.ask(method, path, who, data=data).status_code == 401

    walk.store.check_same()


def test_a_member_reads_files_and_deletes_none_of_others(walk: Walk) -> None:
    gid, file_id = walk.ours.params["gid"], walk.ours.params["file_id"]
    path = f"/acme/chat/chatgroups/{gid}/share_files/{file_id}"

    assert walk.ask("GET", path, MEMBER).status_code == 200
    assert walk.ask("DELETE", path, MEMBER).status_code == 401

    walk.store.check_same()


def test_a_user_token_gets_no_app_token(walk: Walk) -> None:
    """Nor another user's: an inherited token is an app's to ask for."""
    app = apps.find("acme", "chat")
    assert app is not None
    for grant in (
        {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": ""},
        {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret_hash.hex()},
        {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": [app.secret_hash.hex()]},
        {"grant_type": "inherit", "username": OWNER},
        {"grant_type": "inherit", "username": "new", "autoCreateUser": True},
        {"grant_type": "password", "username": OWNER, "password": "wrong"},
        {"grant_type": "password", "username": OWNER, "password": {"$ne": ""}},
        {"grant_type": "app"}, {"grant_type": ["client_credentials"]},
    ):  # fmt: skip
        answer = walk.ask("POST", "/acme/chat/token", OUTSIDER, json=grant)
        assert answer.status_code in (400, 401), (grant, answer.text)
        assert "access_token" not in answer.json

    walk.store.check_same()
