"""Register, read, list and remove users."""

import re

import pytest
from flask import Flask

from tests import facts
from tests.conftest import Clock, Tenant, make_tenant

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOST_IN_BULK = facts.BOUNDS["users.bulk_registration"][1]


def new(username: str, **more: object) -> dict[str, object]:
    return {"username": username, "password": "pw"} | more


def test_registering_one_answers_as_the_reference_does(globex: Tenant) -> None:
    answer = globex.post("/users", json=new("Ada", nickname="Countess"))

    assert answer.status_code == 200
    assert answer.content_type == "application/json; charset=utf-8"
    body = answer.json
    (entity,) = body.pop("entities")
    assert body == {
        "action": "post",
        "application": globex.row.uuid,
        "path": "/users",
        "uri": "http://localhost/globex/chat/users",
        "timestamp": 1_700_000_000_000,
        "duration": body["duration"],
        "organization": "globex",
        "applicationName": "chat",
    }
    assert UUID.fullmatch(entity.pop("uuid"))
    assert entity == {
        "type": "user",
        "created": 1_700_000_000_000,
        "modified": 1_700_000_000_000,
        "username": "ada",
        "activated": True,
        "nickname": "Countess",
    }
    assert type(body["duration"]) is int


def test_an_array_of_one_is_the_single_form(globex: Tenant) -> None:
    answer = globex.post("/users", json=[new("ada")])

    assert "data" not in answer.json
    again = globex.post("/users", json=[new("ada")])
    assert again.status_code == 400


def test_bulk_registers_the_free_names_and_reports_the_taken(acme: Tenant) -> None:
    answer = acme.post("/users", json=[new("carol"), new("ALICE"), new("carol")])

    assert answer.status_code == 200
    assert [each["username"] for each in answer.json["entities"]] == ["carol"]
    assert answer.json["data"] == [
        {"username": "alice", "registerUserFailReason": "the alice already exists"},
        {"username": "carol", "registerUserFailReason": "the carol already exists"},
    ]


def test_bulk_with_nothing_taken_has_an_empty_data(globex: Tenant) -> None:
    answer = globex.post("/users", json=[new("ada"), new("linus")])

    assert answer.json["data"] == []


def test_bulk_with_one_illegal_entry_registers_nobody(globex: Tenant) -> None:
    answer = globex.post("/users", json=[new("ada"), new("not legal")])

    assert answer.status_code == 400
    assert answer.json["error_description"] == "username [not legal] is not legal"
    assert globex.get("/users").json["count"] == 0


def test_bulk_takes_as_many_as_the_table_says_and_no_more(globex: Tenant) -> None:
    names = [new(f"u{n}") for n in range(MOST_IN_BULK + 1)]

    refused = globex.post("/users", json=names)
    accepted = globex.post("/users", json=names[:-1])

    assert refused.status_code == 400
    assert refused.json["error"] == "illegal_argument"
    assert refused.json["error_description"] == (
        "Request body array size[61] had almost reached or been greater than the"
        " upper range value[60]"
    )
    assert refused.json["rule"] == "users.bulk_registration"
    assert refused.json["doc"].startswith("limits.md:")
    assert len(accepted.json["entities"]) == MOST_IN_BULK


TOO_LONG = "x" * 65
UUID_NAME = "a1d4c9e0-5b80-11ec-8c3f-0242ac130003"


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"password": "x"}, "Entity user requires a property named username"),
        ({"username": None, "password": "x"}, "Entity user requires a property named username"),
        (new(""), "username [] is not legal"),
        (new("A B"), "username [A B] is not legal"),
        (new("ada#1"), "username [ada#1] is not legal"),
        (new("ada@x"), "username [ada@x] is not legal"),
        (new("adä"), "username [adä] is not legal"),
        (new("\u212a"), "username [\u212a] is not legal"),
        (new("ada\n"), "username [ada\n] is not legal"),
        (new("ada\x00"), "username [ada\x00] is not legal"),
        (new(UUID_NAME), f"username [{UUID_NAME}] is not legal"),
        (new(TOO_LONG), "USERNAME_TOO_LONG"),
        (new(17), "this is an invalid request."),
        ({"username": "ada"}, "password or pin must provided"),
        (new("ada", password=""), "password or pin must provided"),
        (new("ada", password=None), "password or pin must provided"),
        (new("ada", password="x" * 65), "PASSWORD_TOO_LONG"),
        (new("ada", password=1), "this is an invalid request."),
        (new("ada", nickname="x" * 101), "NICKNAME_TOO_LONG"),
        (new("ada", nickname=["x"]), "this is an invalid request."),
        ([], "this is an invalid request."),
        ([new("ada"), "linus"], "this is an invalid request."),
        ("ada", "this is an invalid request."),
        (17, "this is an invalid request."),
    ],
)  # fmt: skip
def test_an_illegal_registration_is_told_why(
    globex: Tenant, body: object, description: str
) -> None:
    answer = globex.post("/users", json=body)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["exception"] == "java.lang.IllegalArgumentException"
    assert answer.json["error_description"] == description
    assert globex.get("/users").json["count"] == 0


@pytest.mark.parametrize(
    "body",
    [
        new("x" * 64),
        new("ada", password="x" * 64),
        new("ada", password="пароль 密码"),
        new("ada", nickname="名" * 100),
        new("12345"),
        new("a.b-c_d"),
        new("ada", nickname=None, age=7, activated=False, type="admin"),
    ],
)
def test_what_is_just_within_bounds_is_registered(
    globex: Tenant, body: dict[str, object]
) -> None:
    answer = globex.post("/users", json=body)

    assert answer.status_code == 200
    assert answer.json["entities"][0]["activated"] is True


def test_a_name_is_taken_in_every_case(acme: Tenant) -> None:
    answer = acme.post("/users", json=new("ALICE"))

    assert answer.status_code == 400
    assert answer.json["error"] == "duplicate_unique_property_exists"
    assert answer.json["error_description"] == (
        "Application null Entity user requires that property named username be"
        " unique, value of alice exists"
    )


def test_registration_without_a_token_is_closed_by_default(globex: Tenant) -> None:
    answer = globex.as_nobody().post("/users", json=new("ada"))

    assert answer.status_code == 401
    assert answer.json["error"] == "unauthorized"
    assert answer.json["error_description"] == (
        "registration is not open, please contact the app admin"
    )


def test_a_user_token_does_not_register(acme: Tenant) -> None:
    answer = acme.as_user("alice").post("/users", json=new("ada"))

    assert answer.status_code == 401
    assert answer.json["error_description"] == (
        f"Subject does not have permission [applications:post:{acme.row.uuid}:/users]"
    )


def test_open_registration_takes_one_user_from_anyone(app: Flask) -> None:
    opened = make_tenant(app, "open/chat", "community", open_registration=True)

    one = opened.as_nobody().post("/users", json=new("ada"))
    bulk = opened.as_nobody().post("/users", json=[new("b"), new("c")])
    as_user = opened.as_user("ada").post("/users", json=new("d"))
    bad = opened.as_nobody().post(
        "/users", json=new("e"), headers={"Authorization": "Bearer nonsense"}
    )

    assert one.status_code == 200
    assert bulk.status_code == 401
    assert as_user.status_code == 200
    assert bad.status_code == 401


def test_reading_a_user(acme: Tenant) -> None:
    answer = acme.get("/users/Alice")

    body = answer.json
    assert (body["action"], body["path"], body["count"]) == ("get", "/users", 1)
    assert body["uri"] == "http://localhost/acme/chat/users/Alice"
    assert body["entities"][0]["username"] == "alice"
    assert "organization" not in body
    by_uuid = acme.get(f"/users/{body['entities'][0]['uuid']}")
    assert by_uuid.json["entities"] == body["entities"]


@pytest.mark.parametrize(
    "name",
    ["nobody", "%00", "%FF", "x" * 65, UUID_NAME, "..", "a%2Fb", "%2e%2e", "'--"],
)
def test_a_user_nobody_knows_is_not_found(acme: Tenant, name: str) -> None:
    for method in ("GET", "DELETE"):
        answer = acme.call(method, f"/users/{name}")

        assert answer.status_code == 404
        assert answer.json["error"] == "service_resource_not_found"
        assert answer.json["error_description"] == "Service resource not found"


def test_an_encoded_slash_is_part_of_the_name(acme: Tenant) -> None:
    answer = acme.put("/users/alice%2Fpassword", json={"newpassword": "x"})

    assert answer.status_code == 400  # PUT /users/{username}, of a user nobody knows
    assert answer.json["error"] == "required_property_not_found"


def test_pages_follow_each_other_to_the_end(globex: Tenant) -> None:
    names = [f"u{n:02}" for n in range(25)]
    globex.post("/users", json=[new(name) for name in names])

    seen, query, pages = [], "limit=10", 0
    while query:
        answer = globex.get(f"/users?{query}")
        assert answer.json["params"]["limit"] == ["10"]
        assert answer.json["count"] == len(answer.json["entities"])
        seen += [each["username"] for each in answer.json["entities"]]
        pages += 1
        cursor = answer.json.get("cursor")
        query = f"limit=10&cursor={cursor}" if cursor else ""

    assert seen == names
    assert pages == 3


def test_a_cursor_outlives_the_user_it_points_at(globex: Tenant) -> None:
    globex.post("/users", json=[new(f"u{n}") for n in range(4)])
    cursor = globex.get("/users?limit=2").json["cursor"]

    globex.delete("/users/u1")
    globex.delete("/users/u2")

    rest = globex.get(f"/users?cursor={cursor}").json
    assert [each["username"] for each in rest["entities"]] == ["u3"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-5", "limit=abc", "limit=", "cursor=", "ql=None", ""]
)
def test_odd_paging_means_the_default(globex: Tenant, query: str) -> None:
    globex.post("/users", json=[new(f"u{n:02}") for n in range(11)])

    assert globex.get(f"/users?{query}").json["count"] == 10


def test_a_page_is_no_longer_than_the_table_says(globex: Tenant, clock: Clock) -> None:
    for start in (0, 60):
        globex.post("/users", json=[new(f"u{start + n:03}") for n in range(60)])

    assert globex.get("/users?limit=1000").json["count"] == 100


@pytest.mark.parametrize("cursor", ["x", "bDoxNzcz", "AAAA", "%FF", "dXNlcnM6MQ=="])
def test_a_foreign_cursor_is_refused(acme: Tenant, cursor: str) -> None:
    for method in ("GET", "DELETE"):
        answer = acme.call(method, f"/users?cursor={cursor}")

        if cursor == "dXNlcnM6MQ==":  # padded, but ours
            continue
        assert answer.status_code == 400
        assert answer.json["error_description"] == "this is an invalid request."
    assert cursor == "dXNlcnM6MQ==" or acme.get("/users").json["count"] == 2


def test_deleting_a_user_shows_who_it_was(acme: Tenant) -> None:
    token = acme.as_user("alice")

    answer = acme.delete("/users/alice")

    assert answer.json["action"] == "delete"
    assert answer.json["path"] == "/users"
    assert answer.json["uri"] == "http://localhost/acme/chat/users"
    assert answer.json["entities"][0]["username"] == "alice"
    assert answer.json["organization"] == "acme"
    assert acme.delete("/users/alice").status_code == 404
    assert token.get("/metadata/user/alice").status_code == 401


def test_a_name_freed_is_registered_as_somebody_else(acme: Tenant) -> None:
    before = acme.get("/users/alice").json["entities"][0]["uuid"]
    old_token = acme.as_user("alice")
    acme.delete("/users/alice")

    after = acme.post("/users", json=new("alice")).json["entities"][0]["uuid"]

    assert after != before
    assert old_token.get("/metadata/user/alice").status_code == 401


def test_deleting_some_goes_in_the_order_they_were_made(globex: Tenant) -> None:
    globex.post("/users", json=[new(f"u{n}") for n in range(5)])

    first = globex.delete("/users?limit=2").json
    rest = globex.delete(f"/users?limit=9&cursor={first['cursor']}").json

    assert [each["username"] for each in first["entities"]] == ["u0", "u1"]
    assert first["params"] == {"limit": ["2"]}
    assert [each["username"] for each in rest["entities"]] == ["u2", "u3", "u4"]
    assert "cursor" not in rest
    assert globex.delete("/users").json["entities"] == []


def test_apps_do_not_see_each_other(acme: Tenant, globex: Tenant) -> None:
    uuid = acme.get("/users/alice").json["entities"][0]["uuid"]

    assert globex.get("/users/alice").status_code == 404
    assert globex.get(f"/users/{uuid}").status_code == 404
    assert globex.delete(f"/users/{uuid}").status_code == 404
    assert globex.post("/users", json=new("alice")).status_code == 200
    assert acme.get("/users").json["count"] == 2
