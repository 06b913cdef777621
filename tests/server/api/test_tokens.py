"""Tokens: the three grants, what opens what, and how tokens end."""

import pytest
from flask import Flask

from server.store import apps, users
from tests.conftest import ALICES_PASSWORD, Clock, Tenant

SIXTY_DAYS = 5_184_000


def grant(tenant: Tenant, **fields: object) -> object:
    return tenant.as_nobody().post("/token", json=fields)


def app_grant(tenant: Tenant, **more: object) -> object:
    return grant(
        tenant,
        grant_type="client_credentials",
        client_id=tenant.credentials.client_id,
        client_secret=tenant.credentials.client_secret,
        **more,
    )


def with_token(tenant: Tenant, token: str) -> Tenant:
    return Tenant(tenant.client, tenant.key, tenant.credentials, token)


def test_an_app_token(acme: Tenant) -> None:
    answer = app_grant(acme)

    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "expires_in", "application"}
    assert answer.json["expires_in"] == SIXTY_DAYS
    assert answer.json["application"] == acme.row.uuid
    assert (
        with_token(acme, answer.json["access_token"]).get("/users").status_code == 200
    )


def test_a_password_token(acme: Tenant) -> None:
    answer = grant(
        acme, grant_type="password", username="ALICE", password=ALICES_PASSWORD
    )

    assert answer.json.keys() == {"access_token", "expires_in", "user"}
    assert answer.json["user"]["username"] == "alice"
    assert answer.json["user"]["activated"] is True
    alice = with_token(acme, answer.json["access_token"])
    assert alice.get("/metadata/user/bob").status_code == 200
    assert alice.get("/users").status_code == 401


@pytest.mark.parametrize(
    ("fields", "status", "error", "description"),
    [
        ({}, 400, "invalid_request", "grant_type is required"),
        ({"grant_type": ""}, 400, "invalid_request", "grant_type is required"),
        ({"grant_type": ["password"]}, 400, "invalid_request", "grant_type is required"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", "unsupported grant_type"),
        ({"grant_type": "password"}, 400, "invalid_request", "username is required"),
        ({"grant_type": "password", "username": "alice"}, 400, "invalid_request", "password is required"),
        ({"grant_type": "password", "username": "alice", "password": "x"}, 400, "invalid_grant", "invalid username or password"),
        ({"grant_type": "password", "username": "nobody", "password": "x"}, 400, "invalid_grant", "invalid username or password"),
        ({"grant_type": "client_credentials"}, 400, "invalid_request", "client_id is required"),
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, 400, "invalid_grant", "client_id does not match"),
        ({"grant_type": "client_credentials", "client_id": "é", "client_secret": "y"}, 400, "invalid_grant", "client_id does not match"),
    ],
)  # fmt: skip
def test_a_grant_that_fails_says_only_that(
    acme: Tenant, fields: dict[str, object], status: int, error: str, description: str
) -> None:
    answer = grant(acme, **fields)

    assert answer.status_code == status
    assert answer.json == {"error": error, "error_description": description}


def test_another_apps_credentials_do_not_match(acme: Tenant, globex: Tenant) -> None:
    theirs = globex.credentials
    wrong_secret = grant(
        acme,
        grant_type="client_credentials",
        client_id=acme.credentials.client_id,
        client_secret=theirs.client_secret,
    )
    wrong_id = grant(
        acme,
        grant_type="client_credentials",
        client_id=theirs.client_id,
        client_secret=theirs.client_secret,
    )

    assert wrong_secret.json["error_description"] == "client_secret does not match"
    assert wrong_id.json["error_description"] == "client_id does not match"


def test_inherit_gives_an_app_any_users_token(acme: Tenant) -> None:
    answer = acme.post("/token", json={"grant_type": "inherit", "username": "Bob"})

    assert answer.json["user"]["username"] == "bob"
    assert answer.json["expires_in"] == SIXTY_DAYS


def test_inherit_of_an_unknown_user(acme: Tenant) -> None:
    answer = acme.post("/token", json={"grant_type": "inherit", "username": "carol"})

    assert answer.status_code == 404
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "user not found",
    }


def test_inherit_may_create_the_user(acme: Tenant) -> None:
    ask = {"grant_type": "inherit", "username": "Carol", "autoCreateUser": True}

    created = acme.post("/token", json=ask)
    again = acme.post("/token", json=ask)
    illegal = acme.post("/token", json=ask | {"username": "no good"})
    password = grant(acme, grant_type="password", username="carol", password="x")

    assert created.json["user"]["uuid"] == again.json["user"]["uuid"]
    assert illegal.status_code == 400
    assert illegal.json["error_description"] == "username [no good] is not legal"
    assert password.json["error_description"] == "invalid username or password"


@pytest.mark.parametrize("who", ["nobody", "alice", "forged"])
def test_inherit_needs_an_app_token(acme: Tenant, who: str) -> None:
    tenant = {
        "nobody": acme.as_nobody(),
        "alice": acme.as_user("alice"),
        "forged": with_token(acme, "x"),
    }[who]

    answer = tenant.post("/token", json={"grant_type": "inherit", "username": "bob"})

    assert answer.status_code == 401
    assert answer.json["error"] == "auth_bad_access_token"
    assert answer.json["error_description"] == (
        "Unable to authenticate due to corrupt access token"
    )
    assert "timestamp" in answer.json


@pytest.mark.parametrize(
    ("ttl", "expires_in"),
    [
        (7200, 7200),
        ("7200", 7200),
        (0, 2_147_483_647),
        ("0", 2_147_483_647),
        (10**15, 2_147_483_647),
        ("", SIXTY_DAYS),
        (-1, SIXTY_DAYS),
        ("soon", SIXTY_DAYS),
        ("²", SIXTY_DAYS),
        (None, SIXTY_DAYS),
        (True, SIXTY_DAYS),
        ([1], SIXTY_DAYS),
    ],
)
def test_a_lifetime_may_be_asked_for(
    acme: Tenant, ttl: object, expires_in: int
) -> None:
    answer = app_grant(acme, ttl=ttl)

    assert answer.json["expires_in"] == expires_in


def test_a_token_ends_when_it_said(acme: Tenant, clock: Clock) -> None:
    tenant = with_token(acme, app_grant(acme, ttl=10).json["access_token"])
    forever = with_token(acme, app_grant(acme, ttl=0).json["access_token"])

    clock.forward(9.5)
    before = tenant.get("/users/alice")
    clock.forward(0.5)
    after = tenant.get("/users/alice")

    assert before.status_code == 200
    assert after.status_code == 401
    assert after.json["error"] == "unauthorized"
    assert after.json["error_description"] == (
        "Unable to authenticate due to expired access token"
    )
    clock.forward(3e9)
    assert forever.get("/users/alice").status_code == 200


def test_earlier_tokens_stay_valid(acme: Tenant) -> None:
    first = with_token(acme, app_grant(acme).json["access_token"])

    app_grant(acme)

    assert first.get("/users/alice").status_code == 200


def test_rotating_ends_secret_and_tokens(acme: Tenant) -> None:
    made = apps.rotate("acme", "chat")

    assert acme.get("/users/alice").json["error_description"] == (
        "Unable to authenticate due to expired access token"
    )
    assert app_grant(acme).status_code == 400
    acme.credentials = made
    assert app_grant(acme).status_code == 200


def test_a_deactivated_user_signs_in_no_more(acme: Tenant) -> None:
    alice = acme.as_user("alice")
    users.Statement("UPDATE user SET activated = FALSE WHERE username = 'alice'").run()

    answer = grant(
        acme, grant_type="password", username="alice", password=ALICES_PASSWORD
    )
    inherited = acme.post("/token", json={"grant_type": "inherit", "username": "alice"})

    assert answer.json["error_description"] == "user not activated"
    assert inherited.json["error_description"] == "user not activated"
    assert alice.get("/metadata/user/alice").status_code == 401


def refusal_of(acme: Tenant, authorization: str | None) -> dict[str, object]:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = acme.as_nobody().get("/users/alice", headers=headers)
    assert answer.status_code == 401
    return answer.json


def test_without_a_token_the_subject_has_no_permission(acme: Tenant) -> None:
    uuid = acme.get("/users/alice").json["entities"][0]["uuid"]

    refused = refusal_of(acme, None)

    assert refused["error"] == "unauthorized"
    assert refused["exception"] == "org.apache.shiro.authz.UnauthorizedException"
    assert refused["error_description"] == (
        "Subject does not have permission"
        f" [applications:get:{acme.row.uuid}:/users/{uuid}]"
    )
    assert set(refused) == {
        "error", "exception", "timestamp", "duration", "error_description"
    }  # fmt: skip


@pytest.mark.parametrize(
    "authorization",
    ["x", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer wt1.app.x.y", "Bearer é",
     "Bearer wt1.app." + "A" * 43 + "." + "B" * 42],
)  # fmt: skip
def test_a_malformed_token_is_corrupt(acme: Tenant, authorization: str) -> None:
    refused = refusal_of(acme, authorization)

    assert refused["error"] == "auth_bad_access_token"
    assert refused["error_description"] == (
        "Unable to authenticate due to corrupt access token"
    )


def test_a_token_of_nobodys_making(acme: Tenant) -> None:
    head, _, signature = acme.token.rpartition(".")
    other = "B" if signature[5] != "B" else "C"

    altered = refusal_of(acme, f"Bearer {head}.{signature[:5]}{other}{signature[6:]}")
    upgraded = refusal_of(
        acme, "Bearer " + acme.user_token("alice").replace(".usr.", ".app.")
    )

    for refused in (altered, upgraded):
        assert refused["error"] == "auth_bad_access_token"
        assert refused["error_description"] == "Unable to authenticate"


def test_another_apps_token_is_corrupt_here(acme: Tenant, globex: Tenant) -> None:
    refused = refusal_of(acme, f"Bearer {globex.token}")

    assert refused["error"] == "auth_bad_access_token"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  ", "  Bearer   "])
def test_the_scheme_is_read_generously(acme: Tenant, scheme: str) -> None:
    answer = acme.as_nobody().get(
        "/users/alice", headers={"Authorization": f"{scheme}{acme.token} "}
    )

    assert answer.status_code == 200


def test_an_unknown_app_is_not_found(app: Flask, acme: Tenant) -> None:
    answer = app.test_client().post("/acme/nowhere/users?x=1", json={})

    assert answer.status_code == 404
    assert answer.json["error"] == "organization_application_not_found"
    assert answer.json["error_description"] == (
        "Could not find application for acme/nowhere from URI: acme/nowhere/users"
    )


def test_secrets_are_not_kept_in_clear(acme: Tenant, settings: object) -> None:
    token = app_grant(acme).json["access_token"]

    for path in settings.state_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert acme.credentials.client_secret.encode() not in content
        assert token.encode() not in content
        assert ALICES_PASSWORD.encode() not in content
