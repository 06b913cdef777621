"""List, read, create, change and destroy chat rooms; who may."""

import pytest
from flask import Flask

from server.store import tokens
from server.store.database import Statement
from tests.conftest import Tenant, make_tenant
from tests.server.api import mucs
from tests.server.api.mucs import (
    NOWHERE,
    check,
    forbidden,
    illegal,
    new_group,
    new_room,
    nobody,
    refused,
    unknown,
    unread,
)

NOW = 1_700_000_000_000
NEW = {"name": "launch party", "description": "all hands", "owner": "ada"}

OPERATIONS = [
    ("GET", "/chatrooms"), ("POST", "/chatrooms"),
    ("GET", "/users/ada/joined_chatrooms"),
    ("GET", "/chatrooms/{rid}"), ("PUT", "/chatrooms/{rid}"), ("DELETE", "/chatrooms/{rid}"),
    ("GET", "/chatrooms/{rid}/users"), ("POST", "/chatrooms/{rid}/users"),
    ("POST", "/chatrooms/{rid}/users/ken"), ("DELETE", "/chatrooms/{rid}/users/ken"),
    ("GET", "/chatrooms/{rid}/admin"), ("POST", "/chatrooms/{rid}/admin"),
    ("DELETE", "/chatrooms/{rid}/admin/ken"),
    ("GET", "/chatrooms/{rid}/mute"), ("POST", "/chatrooms/{rid}/mute"),
    ("DELETE", "/chatrooms/{rid}/mute/ken"),
    ("GET", "/chatrooms/super_admin"), ("POST", "/chatrooms/super_admin"),
    ("DELETE", "/chatrooms/super_admin/ken"),
    ("GET", "/chatrooms/{rid}/announcement"), ("POST", "/chatrooms/{rid}/announcement"),
    ("GET", "/chatrooms/{rid}/blocks/users"), ("POST", "/chatrooms/{rid}/blocks/users"),
    ("POST", "/chatrooms/{rid}/blocks/users/ken"), ("DELETE", "/chatrooms/{rid}/blocks/users/ken"),
    ("POST", "/chatrooms/{rid}/ban"), ("DELETE", "/chatrooms/{rid}/ban"),
    ("GET", "/chatrooms/{rid}/white/users"), ("POST", "/chatrooms/{rid}/white/users"),
    ("POST", "/chatrooms/{rid}/white/users/ken"), ("DELETE", "/chatrooms/{rid}/white/users/ken"),
]  # fmt: skip
BODIES = {
    "users": {"usernames": ["ken"]},
    "mute": {"usernames": ["ken"], "mute_duration": 1000},
    "admin": {"newadmin": "ken"},
    "announcement": {"announcement": "x"},
    "{rid}": {"description": "x"},
}


def details(tenant: Tenant, room_id: str) -> dict[str, object]:
    return tenant.get(f"/chatrooms/{room_id}").json["data"][0]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_401_is_the_same(
    acme: Tenant, globex: Tenant, method: str, path: str
) -> None:
    path = path.format(rid=new_room(globex))
    expired = tokens.issue(globex.id, None, 1, globex.row.token_key)
    others = [
        globex.as_nobody(),
        globex.as_user("ada"),
        *(
            Tenant(globex.client, globex.key, globex.credentials, token)
            for token in ("nonsense", acme.token, expired, globex.token[:-9] + "A" * 9)
        ),
    ]

    for other in others:
        answer = other.call(method, path)

        assert answer.status_code == 401
        assert {key: answer.json[key] for key in mucs.DENIED} == mucs.DENIED


@pytest.mark.parametrize(
    ("method", "path"), [each for each in OPERATIONS if "{rid}" in each[1]]
)
@pytest.mark.parametrize("which", ["unknown", "foreign", "group", "words"])
def test_an_unknown_room_is_said_to_be(
    app: Flask, globex: Tenant, method: str, path: str, which: str
) -> None:
    hooli = make_tenant(app, "hooli/chat", "enterprise")
    room_id = {
        "unknown": NOWHERE,
        "foreign": new_room(hooli),
        "group": new_group(globex),
        "words": "the-lounge",
    }[which]
    body = BODIES.get(path.rpartition("/")[2])
    options = {"json": body} if body and method != "GET" else {}

    answer = globex.call(method, path.format(rid=room_id), **options)

    if method == "GET" and path in ("/chatrooms/{rid}", "/chatrooms/{rid}/users"):
        unread(answer, room_id)
    else:
        unknown(answer, room_id)


def test_creating_answers_with_the_id(globex: Tenant) -> None:
    mucs.populate(globex)

    answer = globex.post(
        "/chatrooms", json=NEW | {"members": ["Linus", "ADA"], "scale": "large"}
    )

    room_id = answer.json["data"]["id"]
    check(answer, {"id": room_id})
    check(
        globex.get(f"/chatrooms/{room_id}"),
        [
            {
                "id": room_id,
                "name": "launch party",
                "description": "all hands",
                "membersonly": False,
                "allowinvites": False,
                "maxusers": 200,
                "owner": "ada",
                "created": NOW,
                "custom": "",
                "mute": False,
                "affiliations_count": 2,
                "affiliations": [{"owner": "ada"}, {"member": "linus"}],
                "public": True,
            }
        ],
        count=1,
    )


@pytest.mark.parametrize("members", [None, []])
def test_no_first_members_are_none(globex: Tenant, members: object) -> None:
    mucs.populate(globex)

    made = globex.post("/chatrooms", json=NEW | {"members": members, "maxusers": 5000})

    found = details(globex, made.json["data"]["id"])
    assert (found["affiliations_count"], found["maxusers"]) == (1, 5000)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"name": None}, "name must be provided"),
        ({"name": ""}, "name must be provided"),
        ({"description": None}, "description must be provided"),
        ({"owner": None}, "owner must be provided"),
        ({"name": 5}, "this is an invalid request."),
        ({"name": "x" * 129}, "name exceeds the limit of 128"),
        ({"description": "x" * 513}, "description exceeds the limit of 512"),
        ({"custom": "x" * 1025}, "custom exceeds the limit of 1024"),
        ({"maxusers": 0}, "this is an invalid request."),
        ({"maxusers": "9"}, "this is an invalid request."),
        ({"maxusers": 5001}, "maxusers exceeds the limit of 5000"),
        ({"members": "linus"}, "this is an invalid request."),
    ],
)
def test_what_no_room_is_made_of(
    globex: Tenant, sent: dict[str, object], text: str
) -> None:
    mucs.populate(globex)

    illegal(globex.post("/chatrooms", json=NEW | sent), text)

    assert globex.get("/chatrooms").json["count"] == 0


@pytest.mark.parametrize(
    "sent", [{"owner": "Mallory"}, {"members": ["linus", "Mallory"]}]
)
def test_a_room_needs_its_people_to_exist(
    globex: Tenant, sent: dict[str, object]
) -> None:
    mucs.populate(globex)

    nobody(globex.post("/chatrooms", json=NEW | sent), "Mallory")

    assert globex.get("/chatrooms").json["count"] == 0


def test_more_first_members_than_room_make_no_room(globex: Tenant) -> None:
    mucs.populate(globex)

    answer = globex.post("/chatrooms", json=NEW | {"maxusers": 1, "members": ["ken"]})

    assert answer.status_code == 403
    assert answer.json["error_description"].endswith(" is full")
    assert globex.get("/chatrooms").json["count"] == 0


def test_without_a_query_all_rooms_are_listed(globex: Tenant) -> None:
    ids = [new_room(globex) for _ in range(12)]
    new_group(globex)

    answer = globex.get("/chatrooms")

    entry = {"name": "launch party", "owner": "ada", "affiliations_count": 3}
    check(answer, [{"id": each} | entry for each in ids[::-1]], count=12)


@pytest.mark.parametrize("query", ["limit=5", "limit=0", "cursor="])
def test_either_parameter_asks_for_pages(globex: Tenant, query: str) -> None:
    ids = [new_room(globex) for _ in range(12)]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        more = f"cursor={cursor}&limit=5" if cursor else query
        page = globex.get(f"/chatrooms?{more}").json
        assert page["count"] == len(page["data"]) <= 10
        found += [each["id"] for each in page["data"]]
        cursor = page.get("cursor")

    assert found == ids[::-1]
    illegal(globex.get("/chatrooms?cursor=bm9uc2Vuc2U"))


def test_joined_rooms_are_those_of_the_user(globex: Tenant) -> None:
    first = new_room(globex)
    second = new_room(globex, name="x", owner="linus", members=["ada"])
    new_group(globex)

    check(
        globex.get("/users/Ada/joined_chatrooms"),
        [{"id": second, "name": "x"}, {"id": first, "name": "launch party"}],
        count=2,
    )
    check(globex.get("/users/ken/joined_chatrooms"), [], count=0)
    nobody(globex.get("/users/Mallory/joined_chatrooms"), "Mallory")


def test_several_rooms_are_read_in_order(globex: Tenant) -> None:
    room_id = new_room(globex)

    answer = globex.get(f"/chatrooms/{NOWHERE}, {room_id}")

    missing, found = answer.json["data"]
    assert missing == {"id": NOWHERE, "reason": "chatroom id doesn't exist"}
    assert found["id"] == room_id
    assert answer.json["count"] == 1
    assert globex.get("/chatrooms/1,2").json["count"] == 0


def test_changing_a_name_is_answered_as_a_groupname(globex: Tenant) -> None:
    room_id = new_room(globex)
    sent = {"name": "x", "description": "y", "maxusers": 3, "custom": "z"}

    answer = globex.put(f"/chatrooms/{room_id}", json=sent | {"need_verify": True})

    check(
        answer,
        {"groupname": True, "description": True, "maxusers": True, "custom": True},
    )
    found = details(globex, room_id)
    assert {key: found[key] for key in sent} == sent


@pytest.mark.parametrize(
    ("sent", "error", "text"),
    [
        ({}, "illegal_argument", "this is an invalid request."),
        ({"public": True, "maxusers": 9, "avatar": ""}, "invalid_parameter", "some of [avatar, public] are not valid fields"),
        ({"groupname": "x"}, "invalid_parameter", "some of [groupname] are not valid fields"),
        ({"newowner": "linus", "name": "x"}, "invalid_parameter", "some of [name] are not valid fields"),
        ({"name": "a/b"}, "illegal_argument", "this is an invalid request."),
        ({"description": "a/b"}, "illegal_argument", "this is an invalid request."),
        ({"name": "x" * 129}, "illegal_argument", "name exceeds the limit of 128"),
        ({"maxusers": 5001}, "illegal_argument", "maxusers exceeds the limit of 5000"),
        ({"maxusers": "3"}, "illegal_argument", "this is an invalid request."),
    ],
)  # fmt: skip
def test_a_wrong_change_changes_nothing(
    globex: Tenant, sent: dict[str, object], error: str, text: str
) -> None:
    room_id = new_room(globex)
    before = details(globex, room_id)

    refused(globex.put(f"/chatrooms/{room_id}", json=sent), 400, error, text)

    assert details(globex, room_id) == before


def test_room_for_less_than_there_are(globex: Tenant) -> None:
    forbidden(
        globex.put(f"/chatrooms/{new_room(globex)}", json={"maxusers": 2}),
        "current user count is larger than the maxUsers that you want to update !",
    )


def test_a_destroyed_room_is_gone(globex: Tenant) -> None:
    room_id = new_room(globex)

    check(globex.delete(f"/chatrooms/{room_id}"), {"success": True, "id": room_id})

    unknown(globex.delete(f"/chatrooms/{room_id}"), room_id)
    count = Statement("SELECT chatroom_count FROM app WHERE id = ?")
    assert count.one(globex.id) == (0,)


def test_deleting_a_user_destroys_their_rooms(globex: Tenant) -> None:
    owned = new_room(globex)
    other = new_room(globex, owner="linus", members=["ada"])

    globex.delete("/users/ada")

    unread(globex.get(f"/chatrooms/{owned}"), owned)
    assert details(globex, other)["affiliations"] == [{"owner": "linus"}]
    assert globex.get("/chatrooms").json["data"][0]["affiliations_count"] == 1


def test_groups_and_rooms_share_one_space_of_ids(globex: Tenant) -> None:
    ids = [new_room(globex), new_group(globex), new_room(globex)]

    assert len(set(ids)) == 3
