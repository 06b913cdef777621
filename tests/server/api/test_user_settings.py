"""Passwords, push settings, push nicknames, who is online."""

import pytest

from server.clock import now_ms
from server.store import users
from server.store.models import Connection
from tests.conftest import ALICES_PASSWORD, Clock, Tenant


def signs_in(acme: Tenant, username: str, password: str) -> bool:
    grant = {"grant_type": "password", "username": username, "password": password}
    return acme.as_nobody().post("/token", json=grant).status_code == 200


def test_an_app_resets_a_password_without_the_old_one(acme: Tenant) -> None:
    token = acme.as_user("alice")

    answer = acme.put(
        "/users/alice/password", json={"newpassword": "new", "oldpassword": "wrong"}
    )

    assert answer.json.keys() == {"action", "timestamp", "duration"}
    assert answer.json["action"] == "set user password"
    assert signs_in(acme, "alice", "new")
    assert not signs_in(acme, "alice", ALICES_PASSWORD)
    assert token.get("/metadata/user/alice").status_code == 401


@pytest.mark.parametrize("field", ["oldpassword", "oldPassword"])
def test_a_user_changes_a_password_with_the_old_one(acme: Tenant, field: str) -> None:
    change = {"newpassword": "new", field: ALICES_PASSWORD}

    answer = acme.as_nobody().put("/users/Alice/password", json=change)

    assert answer.status_code == 200
    assert signs_in(acme, "alice", "new")


def test_a_users_own_token_needs_the_old_password_too(acme: Tenant) -> None:
    alice = acme.as_user("alice")

    without = alice.put("/users/alice/password", json={"newpassword": "new"})
    with_it = alice.put(
        "/users/alice/password",
        json={"newpassword": "new", "oldpassword": ALICES_PASSWORD},
    )

    assert without.json["error_description"] == "oldPassword is required"
    assert with_it.status_code == 200


def test_another_users_token_is_refused(acme: Tenant) -> None:
    uuid = acme.get("/users/bob").json["entities"][0]["uuid"]

    answer = acme.as_user("alice").put(
        "/users/bob/password",
        json={"newpassword": "x", "oldpassword": ALICES_PASSWORD},
    )

    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        "Subject does not have permission"
        f" [applications:put:{acme.row.uuid}:/users/{uuid}]"
    )
    assert signs_in(acme, "bob", ALICES_PASSWORD)


@pytest.mark.parametrize(
    ("path", "body", "status", "error", "description"),
    [
        ("alice", {}, 400, "illegal_argument", "newpassword is required"),
        ("alice", {"newpassword": ""}, 400, "illegal_argument", "newpassword is required"),
        ("alice", {"newpassword": "x" * 65}, 400, "illegal_argument", "PASSWORD_TOO_LONG"),
        ("nobody", {"newpassword": "x"}, 404, "entity_not_found", "User null not found"),
    ],
)  # fmt: skip
def test_a_reset_that_is_refused(
    acme: Tenant, path: str, body: object, status: int, error: str, description: str
) -> None:
    answer = acme.put(f"/users/{path}/password", json=body)

    assert answer.status_code == status
    assert answer.json["error"] == error
    assert answer.json["error_description"] == description


@pytest.mark.parametrize(
    ("path", "old", "error", "description"),
    [
        ("alice", None, "illegal_argument", "oldPassword is required"),
        ("alice", "wrong", "invalid_grant", "invalid username or password"),
        ("nobody", "wrong", "invalid_grant", "invalid username or password"),
    ],
)
def test_a_change_without_the_right_old_password(
    acme: Tenant, path: str, old: str | None, error: str, description: str
) -> None:
    body = {"newpassword": "new", "oldpassword": old}

    answer = acme.as_nobody().put(f"/users/{path}/password", json=body)

    assert answer.status_code == 400
    assert answer.json["error"] == error
    assert answer.json["error_description"] == description
    assert "timestamp" in answer.json
    assert signs_in(acme, "alice", ALICES_PASSWORD)


def test_push_settings_are_set_together(acme: Tenant, clock: Clock) -> None:
    clock.forward(60)

    answer = acme.put(
        "/users/alice",
        json={
            "nickname": "Countess",
            "notification_display_style": "1",
            "notification_no_disturbing": 1,
            "notification_no_disturbing_start": "22",
            "notification_no_disturbing_end": 7,
            "username": "mallory",
            "password": "stolen",
        },
    )

    assert answer.json["action"] == "put"
    assert answer.json["uri"] == "http://localhost/acme/chat/users"
    (entity,) = answer.json["entities"]
    assert entity["username"] == "alice"
    assert entity["nickname"] == "Countess"
    assert entity["notification_display_style"] == 1
    assert entity["notification_no_disturbing"] is True
    assert entity["notification_no_disturbing_start"] == 22
    assert entity["notification_no_disturbing_end"] == 7
    assert entity["modified"] == entity["created"] + 60_000
    assert not signs_in(acme, "alice", "stolen")


def test_what_is_not_sent_stays(acme: Tenant) -> None:
    acme.put("/users/bob", json={"notification_no_disturbing_start": 22})

    answer = acme.put("/users/bob", json={"nickname": "B"})

    assert answer.json["entities"][0]["notification_no_disturbing_start"] == 22


def test_an_empty_nickname_removes_it(acme: Tenant) -> None:
    answer = acme.put("/users/alice", json={"nickname": ""})

    assert "nickname" not in answer.json["entities"][0]


def test_no_known_setting_changes_nothing(acme: Tenant, clock: Clock) -> None:
    clock.forward(60)

    answer = acme.put("/users/alice", json={"foo": 1})

    (entity,) = answer.json["entities"]
    assert answer.status_code == 200
    assert entity["modified"] == entity["created"]


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"nickname": "x" * 101}, "NICKNAME_TOO_LONG"),
        ({"nickname": 5}, "this is an invalid request."),
        ({"notification_display_style": 2}, "this is an invalid request."),
        ({"notification_display_style": True}, "this is an invalid request."),
        ({"notification_no_disturbing": "yes"}, "this is an invalid request."),
        ({"notification_no_disturbing_start": 24}, "this is an invalid request."),
        ({"notification_no_disturbing_end": -1}, "this is an invalid request."),
        ({"notification_no_disturbing_end": 7.5}, "this is an invalid request."),
        ({"notification_no_disturbing_end": [7]}, "this is an invalid request."),
    ],
)
def test_a_setting_out_of_range_changes_nothing(
    acme: Tenant, change: dict[str, object], description: str
) -> None:
    before = acme.get("/users/bob").json["entities"]

    answer = acme.put("/users/bob", json={"notification_no_disturbing": True} | change)

    assert answer.status_code == 400
    assert answer.json["error_description"] == description
    assert acme.get("/users/bob").json["entities"] == before


def test_settings_of_a_user_nobody_knows(acme: Tenant) -> None:
    answer = acme.put("/users/nobody", json={"nickname": "x"})

    assert answer.status_code == 400
    assert answer.json["error"] == "required_property_not_found"
    assert answer.json["error_description"] == (
        "Entity user requires a property named username"
    )


def test_push_settings_need_an_app_token(acme: Tenant) -> None:
    answer = acme.as_user("alice").put("/users/alice", json={"nickname": "x"})

    assert answer.status_code == 401
    assert answer.json["error_description"].endswith(":/users]")


def test_nicknames_in_a_batch(acme: Tenant) -> None:
    answer = acme.put(
        "/push/nickname",
        json=[
            {"username": "Alice", "push_nickname": "A"},
            {"username": "nobody", "push_nickname": "N"},
        ],
    )

    assert answer.json["path"] == "/push/nickname"
    assert answer.json["data"] == {"success": ["Alice"], "failed": ["nobody"]}
    assert acme.get("/users/alice").json["entities"][0]["nickname"] == "A"


def test_one_long_nickname_of_a_batch_changes_nobody(acme: Tenant) -> None:
    answer = acme.put(
        "/push/nickname",
        json=[
            {"username": "alice", "push_nickname": "A"},
            {"username": "bob", "push_nickname": "x" * 101},
        ],
    )

    assert answer.json["error_description"] == "NICKNAME_TOO_LONG"
    assert acme.get("/users/alice").json["entities"][0]["nickname"] == "Alice L"


def test_a_batch_of_nicknames_is_bounded(acme: Tenant) -> None:
    entry = {"username": "alice", "push_nickname": "A"}

    assert acme.put("/push/nickname", json=[entry] * 101).status_code == 400
    assert acme.put("/push/nickname", json=[entry] * 100).status_code == 200


def receive(acme: Tenant, username: str, until_ms: int) -> None:
    """A device of the user holds a lease, as one that receives would."""
    found = users.find(acme.id, username)
    assert found is not None
    Connection.create(user=found.id, resource="ios_1", expires=until_ms)


def test_who_is_receiving_is_online(acme: Tenant, clock: Clock) -> None:
    receive(acme, "alice", now_ms() + 30_000)

    online = acme.get("/users/Alice/status").json
    offline = acme.get("/users/bob/status").json
    clock.forward(30)
    lapsed = acme.get("/users/alice/status").json

    assert online["data"] == {"Alice": "online"}
    assert (online["action"], online["entities"], online["count"]) == ("get", [], 0)
    assert online["uri"] == "http://localhost/acme/chat/users/Alice/status"
    assert offline["data"] == {"bob": "offline"}
    assert lapsed["data"] == {"alice": "offline"}
    assert acme.get("/users/nobody/status").status_code == 404


def test_batch_status_keeps_order_spelling_and_repeats(acme: Tenant) -> None:
    receive(acme, "alice", now_ms() + 30_000)

    answer = acme.post(
        "/users/batch/status", json={"usernames": ["ALICE", "nobody", "bob", "ALICE"]}
    )

    assert answer.json.keys() == {"action", "data", "timestamp", "duration"}
    assert answer.json["action"] == "get batch user status"
    assert answer.json["data"] == [
        {"ALICE": "online"},
        {"nobody": "offline"},
        {"bob": "offline"},
        {"ALICE": "online"},
    ]


def test_batch_status_is_bounded(acme: Tenant) -> None:
    over = acme.post("/users/batch/status", json={"usernames": ["x"] * 101})
    full = acme.post("/users/batch/status", json={"usernames": ["x"] * 100})
    empty = acme.post("/users/batch/status", json={"usernames": []})

    assert over.json["error_description"] == (
        "request body exceeds maximum limit, maximum limit is 100"
    )
    assert full.status_code == 200
    assert empty.json["data"] == []


@pytest.mark.parametrize("body", [{}, {"usernames": "ada"}, {"usernames": [1]}, []])
def test_batch_status_of_no_list_of_names(acme: Tenant, body: object) -> None:
    answer = acme.post("/users/batch/status", json=body)

    assert answer.status_code == 400
    assert answer.json["error_description"] == "this is an invalid request."


def test_batch_status_without_an_app_token(acme: Tenant) -> None:
    answer = acme.as_user("alice").post("/users/batch/status", json={"usernames": []})

    assert answer.status_code == 401
    assert answer.json["error_description"] == "No admin user access authorized"
