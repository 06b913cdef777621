"""List, read, create, change and destroy groups; who may."""

import pytest
from flask import Flask

from server.clock import now_ms
from server.store import tokens
from server.store.database import Statement
from server.store.models import MucBlock, MucMember, MucMute
from tests.conftest import Clock, Tenant, make_tenant
from tests.server.api import mucs
from tests.server.api.mucs import (
    NOWHERE,
    check,
    forbidden,
    illegal,
    new_group,
    nobody,
    refused,
    unknown,
    unread,
)

NOW = 1_700_000_000_000
NEW = {"groupname": "night shift", "desc": "on-call", "owner": "ada"}

OPERATIONS = [
    ("GET", "/chatgroups"), ("POST", "/chatgroups"),
    ("GET", "/publicchatgroups"), ("GET", "/privatechatgroups"),
    ("GET", "/users/ada/joined_chatgroups"),
    ("GET", "/chatgroups/{gid}"), ("PUT", "/chatgroups/{gid}"), ("DELETE", "/chatgroups/{gid}"),
    ("GET", "/chatgroups/{gid}/announcement"), ("POST", "/chatgroups/{gid}/announcement"),
    ("GET", "/chatgroups/{gid}/users"), ("POST", "/chatgroups/{gid}/users"),
    ("POST", "/chatgroups/{gid}/users/ken"), ("DELETE", "/chatgroups/{gid}/users/ken"),
    ("GET", "/chatgroups/{gid}/admin"), ("POST", "/chatgroups/{gid}/admin"),
    ("DELETE", "/chatgroups/{gid}/admin/ken"),
    ("GET", "/chatgroups/{gid}/blocks/users"), ("POST", "/chatgroups/{gid}/blocks/users"),
    ("POST", "/chatgroups/{gid}/blocks/users/ken"), ("DELETE", "/chatgroups/{gid}/blocks/users/ken"),
    ("GET", "/chatgroups/{gid}/mute"), ("POST", "/chatgroups/{gid}/mute"),
    ("DELETE", "/chatgroups/{gid}/mute/ken"),
    ("POST", "/chatgroups/{gid}/ban"), ("DELETE", "/chatgroups/{gid}/ban"),
    ("GET", "/chatgroups/{gid}/white/users"), ("POST", "/chatgroups/{gid}/white/users"),
    ("POST", "/chatgroups/{gid}/white/users/ken"), ("DELETE", "/chatgroups/{gid}/white/users/ken"),
    ("POST", "/chatgroups/{gid}/disable"), ("POST", "/chatgroups/{gid}/enable"),
    ("GET", "/chatgroups/{gid}/user/ken/is_joined"),
]  # fmt: skip
BODIES = {
    "users": {"usernames": ["ken"]},
    "mute": {"usernames": ["ken"], "mute_duration": 1000},
    "admin": {"newadmin": "ken"},
    "announcement": {"announcement": "x"},
    "{gid}": {"description": "x"},
    "chatgroups": NEW,
}


def bodied(method: str, path: str) -> dict[str, object]:
    body = BODIES.get(path.rpartition("/")[2])
    return {"json": body} if body and method != "GET" else {}


def details(tenant: Tenant, group_id: str) -> dict[str, object]:
    return tenant.get(f"/chatgroups/{group_id}").json["data"][0]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_401_is_the_same(
    acme: Tenant, globex: Tenant, method: str, path: str
) -> None:
    path = path.format(gid=new_group(globex))
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
        body = answer.json
        assert set(body) == {*mucs.DENIED, "timestamp", "duration"}
        assert {key: body[key] for key in mucs.DENIED} == mucs.DENIED


@pytest.mark.parametrize(
    ("method", "path"), [each for each in OPERATIONS if "{gid}" in each[1]]
)
@pytest.mark.parametrize("which", ["unknown", "foreign", "room", "words", "padded"])
def test_an_unknown_group_is_said_to_be(
    app: Flask, globex: Tenant, method: str, path: str, which: str
) -> None:
    own = new_group(globex)
    hooli = make_tenant(app, "hooli/chat", "enterprise")
    group_id = {
        "unknown": NOWHERE,
        "foreign": new_group(hooli),
        "room": "room",
        "words": "night-shift",
        "padded": "0" + own,
    }[which]
    if which == "room":
        Statement("UPDATE muc SET kind = 'chatroom' WHERE id = ?").run(int(own))
        group_id = own

    answer = globex.call(method, path.format(gid=group_id), **bodied(method, path))

    if method == "GET" and path in ("/chatgroups/{gid}", "/chatgroups/{gid}/users"):
        unread(answer, group_id)
    else:
        unknown(answer, group_id)


def test_creating_answers_with_the_id(globex: Tenant) -> None:
    mucs.populate(globex)

    answer = globex.post("/chatgroups", json=NEW | {"members": ["Linus", "grace"]})

    group_id = answer.json["data"]["groupid"]
    check(answer, {"groupid": group_id})
    assert group_id.isdecimal()
    check(
        globex.get(f"/chatgroups/{group_id}"),
        [
            {
                "id": group_id,
                "name": "night shift",
                "description": "on-call",
                "membersonly": False,
                "allowinvites": False,
                "invite_need_confirm": True,
                "maxusers": 200,
                "owner": "ada",
                "created": NOW,
                "custom": "",
                "mute": False,
                "disabled": False,
                "affiliations_count": 3,
                "affiliations": [
                    {"owner": "ada"},
                    {"member": "linus"},
                    {"member": "grace"},
                ],
                "public": True,
            }
        ],
        count=1,
    )


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({}, {"public": True, "allowinvites": False, "membersonly": False}),
        ({"public": True, "allowinvites": True}, {"allowinvites": False}),
        ({"public": False, "allowinvites": True, "members_only": True}, {"allowinvites": True, "membersonly": False, "public": False}),
        ({"allowinvites": True, "members_only": True}, {"allowinvites": False, "membersonly": True}),
        ({"members_only": True}, {"membersonly": True}),
        ({"membersonly": True}, {"membersonly": True}),
        ({"approval": True}, {"membersonly": True}),
        ({"desc": None, "description": "later"}, {"description": "later"}),
        ({"members": None}, {"affiliations_count": 1}),
        ({"members": []}, {"affiliations_count": 1}),
        ({"members": ["ADA", " linus ", "", "Linus"]}, {"affiliations_count": 2}),
        ({"owner": "ADA", "members": ["ada"]}, {"owner": "ada", "affiliations_count": 1}),
        ({"maxusers": 3, "members": ["linus", "grace"]}, {"maxusers": 3}),
        ({"custom": "c", "invite_need_confirm": False}, {"custom": "c", "invite_need_confirm": False}),
        ({"scale": "large", "need_verify": 1, "avatar": "x", "groupid": "1"}, {"name": "night shift"}),
    ],
)  # fmt: skip
def test_fields_of_a_new_group(
    globex: Tenant, sent: dict[str, object], shown: dict[str, object]
) -> None:
    mucs.populate(globex)

    made = globex.post("/chatgroups", json=NEW | sent)

    assert made.status_code == 200, made.text
    found = details(globex, made.json["data"]["groupid"])
    assert {key: found[key] for key in shown} == shown


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"groupname": None}, "groupname must be provided"),
        ({"groupname": ""}, "groupname must be provided"),
        ({"desc": None}, "desc must be provided"),
        ({"owner": None}, "owner must be provided"),
        ({"owner": ""}, "owner must be provided"),
        ({"groupname": 5}, "this is an invalid request."),
        ({"groupname": "x" * 129}, "groupname exceeds the limit of 128"),
        ({"desc": "x" * 513}, "description exceeds the limit of 512"),
        ({"custom": "x" * 1025}, "custom exceeds the limit of 1024"),
        ({"maxusers": 0}, "this is an invalid request."),
        ({"maxusers": "many"}, "this is an invalid request."),
        ({"maxusers": True}, "this is an invalid request."),
        ({"maxusers": 5001}, "maxusers exceeds the limit of 5000"),
        ({"public": "perhaps"}, "this is an invalid request."),
        ({"members": "linus"}, "this is an invalid request."),
        ({"members": [17]}, "this is an invalid request."),
        ({"members": [f"u{n}" for n in range(101)]}, "members exceeds the limit of 100"),
        ({"members": ["linus", "Mallory"]}, "group member Mallory doesn't exist"),
    ],
)  # fmt: skip
def test_what_no_group_is_made_of(
    globex: Tenant, sent: dict[str, object], text: str
) -> None:
    mucs.populate(globex)

    illegal(globex.post("/chatgroups", json=NEW | sent), text)

    assert globex.get("/chatgroups").json["count"] == 0


def test_a_group_of_nobodys_is_not_made(globex: Tenant) -> None:
    nobody(globex.post("/chatgroups", json=NEW | {"owner": "Mallory"}), "Mallory")


def test_more_first_members_than_room_make_no_group(globex: Tenant) -> None:
    mucs.populate(globex)

    answer = globex.post(
        "/chatgroups", json=NEW | {"maxusers": 2, "members": ["linus", "grace"]}
    )

    assert answer.status_code == 403
    assert answer.json["error_description"].startswith(
        "can not join this group, reason:group: "
    )
    assert answer.json["error_description"].endswith(" is full")
    assert globex.get("/chatgroups").json["data"] == []


def test_groups_are_listed_newest_first(globex: Tenant, clock: Clock) -> None:
    first = new_group(globex)
    clock.forward(5)
    second = new_group(globex, owner="linus", members=[])

    page = globex.get("/chatgroups?limit=1")

    cursor = page.json["cursor"]
    entry = {
        "groupid": second,
        "groupname": "night shift",
        "owner": "globex#chat_linus",
        "affiliations": 1,
        "type": "group",
        "last_modified": str(NOW + 5000),
        "lastModified": NOW + 5000,
        "created": NOW + 5000,
    }
    check(page, [entry], count=1, cursor=cursor, params={"limit": ["1"]})
    last = globex.get(f"/chatgroups?limit=1&cursor={cursor}")
    assert [each["groupid"] for each in last.json["data"]] == [first]
    assert "cursor" not in last.json


@pytest.mark.parametrize("query", ["?limit=0", "?limit=-3", "?limit=x", "?cursor="])
def test_odd_queries_mean_the_first_page(globex: Tenant, query: str) -> None:
    new_group(globex)

    assert globex.get(f"/chatgroups{query}").json["count"] == 1


@pytest.mark.parametrize("kept", [True, False])
def test_old_clients_ask_for_public_or_for_private_groups(
    globex: Tenant, kept: bool
) -> None:
    path = "/publicchatgroups" if kept else "/privatechatgroups"
    first = new_group(globex, public=kept)
    new_group(globex, public=not kept)
    third = new_group(globex, public=kept)

    newest = globex.get(f"{path}?limit=1")
    last = globex.get(f"{path}?limit=1&cursor={newest.json['cursor']}")
    whole = globex.get(path)

    assert [each["groupid"] for each in newest.json["data"]] == [third]
    assert [each["groupid"] for each in last.json["data"]] == [first]
    assert "cursor" not in last.json
    every = globex.get("/chatgroups").json["data"]
    check(whole, [every[0], every[2]], count=2)
    illegal(globex.get(f"/chatgroups?cursor={newest.json['cursor']}"))


def test_a_cursor_of_another_list_is_refused(globex: Tenant) -> None:
    illegal(globex.get("/chatgroups?cursor=bm9uc2Vuc2U"))


def test_joined_groups_are_those_of_the_user(globex: Tenant) -> None:
    first = new_group(globex)
    second = new_group(globex, groupname="day", owner="linus", members=["ada"])
    new_group(globex, owner="ken", members=[])
    both = [
        {"groupid": second, "groupname": "day"},
        {"groupid": first, "groupname": "night shift"},
    ]

    path = "/users/Ada/joined_chatgroups"
    check(globex.get(path), both, count=2)
    check(
        globex.get(f"{path}?PageNum=2&pageSize=1"),
        both[1:],
        count=1,
        params={"PageNum": ["2"], "pageSize": ["1"]},
    )
    assert globex.get(f"{path}?pagenum=99999999999999999").json["data"] == []
    check(globex.get("/users/grace/joined_chatgroups"), both[1:], count=1)


def test_joined_groups_of_nobody(globex: Tenant) -> None:
    nobody(globex.get("/users/Mallory/joined_chatgroups"), "Mallory")
    mucs.populate(globex)
    check(globex.get("/users/ada/joined_chatgroups"), [], count=0)


@pytest.mark.parametrize("comma", [",", "%2C", " , ", ",,"])
def test_several_groups_are_read_in_order(globex: Tenant, comma: str) -> None:
    group_id = new_group(globex)

    answer = globex.get(f"/chatgroups/{comma.join([NOWHERE, group_id, 'x'])}")

    missing, found, words = answer.json["data"]
    assert missing == {"id": NOWHERE, "reason": "group id doesn't exist"}
    assert found["id"] == group_id
    assert words == {"id": "x", "reason": "group id doesn't exist"}
    assert answer.json["count"] == 1


def test_several_unknown_groups_are_no_failure(globex: Tenant) -> None:
    answer = globex.get("/chatgroups/1,2")

    assert answer.status_code == 200
    assert answer.json["count"] == 0
    illegal(globex.get("/chatgroups/,"))
    illegal(
        globex.get("/chatgroups/" + ",".join(map(str, range(1, 102)))),
        "groupids exceeds the limit of 100",
    )


def test_changing_answers_each_field_that_was_sent(
    globex: Tenant, clock: Clock
) -> None:
    group_id = new_group(globex)
    clock.forward(1)
    sent = {
        "groupname": "day shift",
        "description": "",
        "maxusers": 3,
        "membersonly": True,
        "allowinvites": True,
        "invite_need_confirm": False,
        "public": False,
        "custom": "c",
    }

    answer = globex.put(f"/chatgroups/{group_id}", json=sent | {"avatar": "x"})

    check(answer, dict.fromkeys(sent, True))
    found = details(globex, group_id)
    renamed = {"name": "day shift"} | sent
    del renamed["groupname"]
    assert {key: found[key] for key in renamed} == renamed
    (listed,) = globex.get("/chatgroups").json["data"]
    assert (listed["lastModified"], listed["created"]) == (NOW + 1000, NOW)


def test_what_is_not_sent_stays(globex: Tenant) -> None:
    group_id = new_group(globex)
    before = details(globex, group_id)

    answer = globex.put(f"/chatgroups/{group_id}", json={"name": "x", "custom": None})

    check(answer, {"groupname": True})
    assert details(globex, group_id) == before | {"name": "x"}


@pytest.mark.parametrize(
    ("sent", "error", "text"),
    [
        ({}, "illegal_argument", "this is an invalid request."),
        ({"custom": None}, "illegal_argument", "this is an invalid request."),
        ({"owner": "x", "maxusers": 9, "id": 1}, "invalid_parameter", "some of [id, owner] are not valid fields"),
        ({"newowner": "linus", "name": "x"}, "invalid_parameter", "some of [name] are not valid fields"),
        ({"group_id": "1"}, "invalid_parameter", "some of [group_id] are not valid fields"),
        ({"groupname": "a/b"}, "illegal_argument", "this is an invalid request."),
        ({"name": "a/b"}, "illegal_argument", "this is an invalid request."),
        ({"groupname": ""}, "illegal_argument", "this is an invalid request."),
        ({"description": "a/b"}, "illegal_argument", "this is an invalid request."),
        ({"groupname": "x" * 129}, "illegal_argument", "groupname exceeds the limit of 128"),
        ({"description": "x" * 513}, "illegal_argument", "description exceeds the limit of 512"),
        ({"maxusers": "3"}, "illegal_argument", "this is an invalid request."),
        ({"maxusers": 5001}, "illegal_argument", "maxusers exceeds the limit of 5000"),
        ({"membersonly": "perhaps"}, "illegal_argument", "this is an invalid request."),
    ],
)  # fmt: skip
def test_a_wrong_change_changes_nothing(
    globex: Tenant, sent: dict[str, object], error: str, text: str
) -> None:
    group_id = new_group(globex)
    before = details(globex, group_id)

    refused(globex.put(f"/chatgroups/{group_id}", json=sent), 400, error, text)

    assert details(globex, group_id) == before


def test_room_for_less_than_there_are(globex: Tenant) -> None:
    group_id = new_group(globex)

    forbidden(
        globex.put(f"/chatgroups/{group_id}", json={"maxusers": 2}),
        "current user count is larger than the maxUsers that you want to update !",
    )
    check(
        globex.put(f"/chatgroups/{group_id}", json={"maxusers": 3}), {"maxusers": True}
    )


def test_a_destroyed_group_is_gone_with_all_that_was_in_it(globex: Tenant) -> None:
    group_id = new_group(globex)
    globex.post(f"/chatgroups/{group_id}/blocks/users/grace")
    globex.post(
        f"/chatgroups/{group_id}/mute",
        json={"usernames": ["linus"], "mute_duration": -1},
    )

    answer = globex.delete(f"/chatgroups/{group_id}")

    check(answer, {"success": True, "groupid": group_id})
    unknown(globex.delete(f"/chatgroups/{group_id}"), group_id)
    assert globex.get("/users/linus/joined_chatgroups").json["data"] == []
    for left in (MucMember, MucBlock, MucMute):
        assert left.select().count() == 0
    assert Statement("SELECT group_count FROM app WHERE id = ?").one(globex.id) == (0,)


def test_ids_grow_though_time_stands_still(globex: Tenant) -> None:
    ids = [int(new_group(globex)) for _ in range(3)]

    assert ids == sorted(set(ids))
    assert ids[0] >> 12 == now_ms()


def test_deleting_a_user_destroys_what_they_own_and_leaves_the_rest(
    globex: Tenant,
) -> None:
    owned = new_group(globex)
    other = new_group(globex, owner="linus", members=["ada", "ken"])

    globex.delete("/users/ada")

    unknown(globex.delete(f"/chatgroups/{owned}"), owned)
    found = details(globex, other)
    assert found["affiliations"] == [{"owner": "linus"}, {"member": "ken"}]
    (listed,) = globex.get("/chatgroups").json["data"]
    assert listed["affiliations"] == 2
    assert Statement("SELECT group_count FROM app WHERE id = ?").one(globex.id) == (1,)
