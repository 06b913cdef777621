"""List, add and remove members of groups."""

import pytest

from server.store.database import Statement
from tests.conftest import Clock, Tenant
from tests.server.api import mucs
from tests.server.api.mucs import (
    check,
    forbidden,
    illegal,
    new_group,
    nobody,
)


@pytest.fixture
def group(globex: Tenant) -> str:
    return new_group(globex)


def members(tenant: Tenant, group_id: str) -> list[str]:
    page = tenant.get(f"/chatgroups/{group_id}/users?pagesize=100").json["data"]
    return [name for each in page for name in each.values()]


def count(group_id: str) -> int:
    """As it is kept; it must be as many as there are."""
    row = Statement("SELECT member_count FROM muc WHERE id = ?").one(int(group_id))
    rows = Statement("SELECT count(*) FROM muc_member WHERE muc_id = ?")
    assert row == rows.one(int(group_id))
    return int(row[0])


def test_a_page_of_members_begins_with_the_owner(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/users"

    check(
        globex.get(path),
        [{"owner": "ada"}, {"member": "linus"}, {"member": "grace"}],
        count=3,
    )
    check(
        globex.get(f"{path}?pagenum=1&pagesize=2"),
        [{"owner": "ada"}, {"member": "linus"}],
        count=2,
        params={"pagenum": ["1"], "pagesize": ["2"]},
    )
    assert globex.get(f"{path}?pagenum=2&pagesize=2").json["data"] == [
        {"member": "grace"}
    ]
    for past in ("3", "99999999999999999"):
        answer = globex.get(f"{path}?pagenum={past}&pagesize=2")
        assert (answer.json["data"], answer.json["count"]) == ([], 0)
    assert globex.get(f"{path}?sort=desc").json["data"] == [
        {"owner": "ada"}, {"member": "grace"}, {"member": "linus"},
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_together_are_everyone_once(
    globex: Tenant, group: str, size: int, sort: str
) -> None:
    globex.post(f"/chatgroups/{group}/users/ken")
    globex.put(f"/chatgroups/{group}", json={"newowner": "grace"})
    found = []
    for number in range(1, 7):
        query = f"pagenum={number}&pagesize={size}&sort={sort}"
        page = globex.get(f"/chatgroups/{group}/users?{query}").json["data"]
        found += [name for each in page for name in each.values()]

    others = ["ada", "linus", "ken"]
    assert found == ["grace", *(others if sort == "asc" else others[::-1])]


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_members_by_cursor_are_plain_names(
    globex: Tenant, group: str, sort: str
) -> None:
    globex.post(f"/chatgroups/{group}/users/ken")
    path = f"/chatgroups/{group}/users?version=v3&limit=2&sort={sort}"

    first = globex.get(path)
    last = globex.get(f"{path}&cursor={first.json['cursor']}")

    found = [first.json["data"], last.json["data"]]
    expected = [["linus", "grace"], ["ken"]]
    if sort == "desc":
        expected = [["ken", "grace"], ["linus"]]
    assert found == expected
    assert "cursor" not in last.json
    assert last.json["count"] == 1


def test_adding_one(globex: Tenant, group: str) -> None:
    answer = globex.post(f"/chatgroups/{group}/users/Ken")

    check(
        answer,
        {"result": True, "groupid": group, "action": "add_member", "user": "Ken"},
    )
    assert members(globex, group) == ["ada", "linus", "grace", "ken"]
    assert count(group) == 4
    forbidden(
        globex.post(f"/chatgroups/{group}/users/KEN"),
        f"can not join this group, reason:user: KEN already in group: {group}\n",
    )
    nobody(globex.post(f"/chatgroups/{group}/users/Mallory"), "Mallory")
    assert count(group) == 4


def test_a_user_can_be_added_by_uuid(globex: Tenant, group: str) -> None:
    uuid = globex.get("/users/ken").json["entities"][0]["uuid"]

    assert globex.post(f"/chatgroups/{group}/users/{uuid}").status_code == 200

    assert members(globex, group)[-1] == "ken"


def test_the_last_place(globex: Tenant, group: str) -> None:
    globex.put(f"/chatgroups/{group}", json={"maxusers": 4})
    mucs.populate(globex, ["eve"])
    full = f"can not join this group, reason:group: {group} is full"
    both = {"usernames": ["ken", "eve"]}

    forbidden(globex.post(f"/chatgroups/{group}/users", json=both), full)
    assert count(group) == 3
    assert globex.post(f"/chatgroups/{group}/users/ken").status_code == 200
    forbidden(globex.post(f"/chatgroups/{group}/users/eve"), full)
    assert count(group) == 4


def test_who_is_blocked_has_to_be_unblocked_first(globex: Tenant, group: str) -> None:
    mucs.populate(globex, ["eve"])
    globex.post(f"/chatgroups/{group}/blocks/users/grace")
    text = (
        "can not join this group, reason:user: Grace is in the blacklist of"
        f" group: {group}"
    )
    batch = {"usernames": ["eve", "Grace"]}

    forbidden(globex.post(f"/chatgroups/{group}/users/Grace"), text)
    forbidden(globex.post(f"/chatgroups/{group}/users", json=batch), text)
    assert members(globex, group) == ["ada", "linus"]
    globex.delete(f"/chatgroups/{group}/blocks/users/grace")
    assert globex.post(f"/chatgroups/{group}/users/Grace").status_code == 200


def test_too_many_groups_of_one_user(globex: Tenant, group: str) -> None:
    Statement("UPDATE muc_member SET kind = 'group'").run()
    (ken,) = Statement("SELECT id FROM user WHERE username = 'ken'").one()
    (ada,) = Statement("SELECT id FROM user WHERE username = 'ada'").one()
    for n in range(1, 501):
        Statement(
            """
            INSERT INTO muc SELECT ?, app_id, 'group', name, description, '', '', TRUE,
                FALSE, FALSE, TRUE, 200, ?, FALSE, FALSE, 1, 1, 1 FROM muc WHERE id = ?
            """
        ).run(n, ada, int(group))
        Statement(
            """
            INSERT INTO muc_member (muc_id, user_id, kind, admin, allowed)
            VALUES (?, ?, 'group', FALSE, FALSE)
            """
        ).run(n, ken)
    text = (
        "can not join this group, reason：user Ken has joined too many groups/chatroom!"
    )

    answers = [
        globex.post(f"/chatgroups/{group}/users/Ken"),
        globex.post(f"/chatgroups/{group}/users", json={"usernames": ["Ken"]}),
        globex.post("/chatgroups", json={"groupname": "x", "desc": "x", "owner": "Ken"}),
        globex.post("/chatgroups", json={"groupname": "x", "desc": "x", "owner": "ada", "members": ["Ken"]}),
    ]  # fmt: skip

    for answer in answers:
        forbidden(answer, text)
        assert answer.json["rule"] == "groups.joined_groups"
    globex.delete("/chatgroups/1")
    assert globex.post(f"/chatgroups/{group}/users/Ken").status_code == 200


def test_adding_some_leaves_out_who_is_in(globex: Tenant, group: str) -> None:
    mucs.populate(globex, ["eve"])
    path = f"/chatgroups/{group}/users"

    answer = globex.post(path, json={"usernames": ["linus", " Ken ", "", "KEN", "eve"]})

    check(
        answer,
        {"newmembers": ["Ken", "eve"], "groupid": group, "action": "add_member"},
    )
    assert count(group) == 5
    forbidden(
        globex.post(path, json={"usernames": ["Linus", "ken"]}),
        f"can not join this group, reason:user: Linus already in group: {group}\n",
    )


def test_one_unknown_name_adds_nobody(globex: Tenant, group: str) -> None:
    answer = globex.post(
        f"/chatgroups/{group}/users", json={"usernames": ["ken", "Mallory", "x"]}
    )

    nobody(answer, "Mallory")
    assert count(group) == 3


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "usernames must be provided"),
        ({"usernames": None}, "usernames must be provided"),
        ({"usernames": []}, "usernames must be provided"),
        ({"usernames": [" "]}, "usernames must be provided"),
        ({"usernames": "ken"}, "this is an invalid request."),
        ({"usernames": ["ken", 5]}, "this is an invalid request."),
        ({"usernames": ["ken", None]}, "this is an invalid request."),
        ({"usernames": [f"u{n}" for n in range(61)]}, "usernames exceeds the limit of 60"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["users", "blocks/users", "white/users"])
def test_lists_that_are_none(
    globex: Tenant, group: str, ending: str, body: object, text: str
) -> None:
    illegal(globex.post(f"/chatgroups/{group}/{ending}", json=body), text)
    assert count(group) == 3


def test_removing_one(globex: Tenant, group: str) -> None:
    globex.post(f"/chatgroups/{group}/admin", json={"newadmin": "grace"})
    globex.post(f"/chatgroups/{group}/white/users/grace")
    mute = {"usernames": ["grace"], "mute_duration": -1}
    globex.post(f"/chatgroups/{group}/mute", json=mute)

    answer = globex.delete(f"/chatgroups/{group}/users/Grace")

    check(
        answer,
        {"result": True, "action": "remove_member", "user": "Grace", "groupid": group},
    )
    assert count(group) == 2
    globex.post(f"/chatgroups/{group}/users/grace")
    for listing in ("admin", "white/users", "mute"):
        assert globex.get(f"/chatgroups/{group}/{listing}").json["data"] == []


@pytest.mark.parametrize("name", ["ken", "Nobody7"])
def test_removing_who_is_not_in(globex: Tenant, group: str, name: str) -> None:
    forbidden(
        globex.delete(f"/chatgroups/{group}/users/{name}"),
        f"users [{name}] are not members of this group!",
    )


def test_the_owner_cannot_be_removed(globex: Tenant, group: str) -> None:
    forbidden(
        globex.delete(f"/chatgroups/{group}/users/ADA"),
        "forbidden operation on group owner!",
    )
    assert count(group) == 3


@pytest.mark.parametrize("comma", [",", "%2C", ", ", "%20%2c%20"])
def test_removing_some(globex: Tenant, group: str, comma: str) -> None:
    names = comma.join(["nobody7", "Linus", "ken", "ada"])

    answer = globex.delete(f"/chatgroups/{group}/users/{names}")

    rest = {"action": "remove_member", "groupid": group}
    check(
        answer,
        [
            {
                "result": False,
                "reason": "user nobody7 doesn't exist.",
                "user": "nobody7",
            }
            | rest,
            {"result": True, "user": "Linus"} | rest,
            {
                "result": False,
                "reason": f"user: ken doesn't exist in group: {group}",
                "user": "ken",
            }
            | rest,
            {
                "result": False,
                "reason": "forbidden operation on group owner!",
                "user": "ada",
            }
            | rest,
        ],
    )
    assert members(globex, group) == ["ada", "grace"]
    assert count(group) == 2


def test_removing_some_of_whom_none_is_in(globex: Tenant, group: str) -> None:
    forbidden(
        globex.delete(f"/chatgroups/{group}/users/ken, Nobody7"),
        "users [ken, Nobody7] are not members of this group!",
    )


def test_one_name_and_a_comma_is_one_name(globex: Tenant, group: str) -> None:
    answer = globex.delete(f"/chatgroups/{group}/users/linus, LINUS,")

    assert answer.json["data"]["user"] == "linus"


def test_whether_one_is_joined(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/user"

    check(globex.get(f"{path}/Linus/is_joined"), True)
    check(globex.get(f"{path}/ada/is_joined"), True)
    check(globex.get(f"{path}/ken/is_joined"), False)
    check(globex.get(f"{path}/nobody7/is_joined"), False)


def test_bodies_of_calls_without_one_are_ignored(
    globex: Tenant, group: str, clock: Clock
) -> None:
    answer = globex.post(
        f"/chatgroups/{group}/users/ken", data=b"null", content_type="text/plain"
    )

    assert answer.status_code == 200
