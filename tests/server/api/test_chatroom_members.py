"""List, add and remove members of rooms."""

import pytest

from tests.conftest import Tenant
from tests.server.api import mucs
from tests.server.api.mucs import check, forbidden, illegal, new_room, nobody


@pytest.fixture
def room(globex: Tenant) -> str:
    return new_room(globex)


def members(tenant: Tenant, room: str) -> list[str]:
    page = tenant.get(f"/chatrooms/{room}/users").json["data"]
    return [name for each in page for name in each.values()]


def test_members_in_both_forms(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/users"

    check(
        globex.get(f"{path}?pagenum=1&pagesize=0"),
        [{"owner": "ada"}, {"member": "linus"}, {"member": "grace"}],
        count=3,
        params={"pagenum": ["1"], "pagesize": ["0"]},
    )
    assert globex.get(f"{path}?pagenum=2&pagesize=2").json["data"] == [
        {"member": "grace"}
    ]
    first = globex.get(f"{path}?version=v3&limit=1&sort=desc")
    assert first.json["data"] == ["grace"]
    last = globex.get(
        f"{path}?version=v3&limit=1&sort=desc&cursor={first.json['cursor']}"
    )
    assert last.json["data"] == ["linus"]
    assert "cursor" not in last.json


def test_adding_one(globex: Tenant, room: str) -> None:
    check(
        globex.post(f"/chatrooms/{room}/users/Ken"),
        {"result": True, "action": "add_member", "id": room, "user": "Ken"},
    )
    forbidden(
        globex.post(f"/chatrooms/{room}/users/ken"),
        f"can not join this group, reason:user: ken already in group: {room}\n",
    )
    nobody(globex.post(f"/chatrooms/{room}/users/Mallory"), "Mallory")


@pytest.mark.parametrize("slash", ["", "/"])
def test_adding_some(globex: Tenant, room: str, slash: str) -> None:
    path = f"/chatrooms/{room}/users{slash}"

    check(
        globex.post(path, json={"usernames": ["linus", " Ken "]}),
        {"newmembers": ["Ken"], "action": "add_member", "id": room},
    )
    forbidden(
        globex.post(path, json={"usernames": ["Linus", "ken"]}),
        f"can not join this group, reason:user: Linus already in group: {room}\n",
    )
    nobody(globex.post(path, json={"usernames": ["ada", "Mallory"]}), "Mallory")
    illegal(globex.post(path, json={}), "usernames must be provided")
    illegal(
        globex.post(path, json={"usernames": [f"u{n}" for n in range(61)]}),
        "usernames exceeds the limit of 60",
    )


def test_full_and_blocked(globex: Tenant, room: str) -> None:
    mucs.populate(globex, ["eve"])
    globex.put(f"/chatrooms/{room}", json={"maxusers": 3})
    forbidden(
        globex.post(f"/chatrooms/{room}/users/ken"),
        f"can not join this group, reason:group: {room} is full",
    )
    globex.post(f"/chatrooms/{room}/blocks/users/grace")
    forbidden(
        globex.post(f"/chatrooms/{room}/users/Grace"),
        "can not join this group, reason:user: Grace is in the blacklist of"
        f" group: {room}",
    )
    assert globex.post(f"/chatrooms/{room}/users/ken").status_code == 200


def test_removing_one(globex: Tenant, room: str) -> None:
    check(
        globex.delete(f"/chatrooms/{room}/users/Grace"),
        {"result": True, "action": "remove_member", "user": "Grace", "id": room},
    )
    for name in ("grace", "Nobody7"):
        forbidden(
            globex.delete(f"/chatrooms/{room}/users/{name}"),
            f"users [{name}] are not members of this group!",
        )
    forbidden(
        globex.delete(f"/chatrooms/{room}/users/ada"),
        "forbidden operation on group owner!",
    )
    assert members(globex, room) == ["ada", "linus"]


def test_removing_some(globex: Tenant, room: str) -> None:
    rest = {"action": "remove_member", "id": room}
    unknown = "user nobody7 doesn't exist."
    outside = f"user: ken doesn't exist in group: {room}"

    check(
        globex.delete(f"/chatrooms/{room}/users/ken, linus%2Cnobody7"),
        [
            {"result": False, "reason": outside, "user": "ken"} | rest,
            {"result": True, "user": "linus"} | rest,
            {"result": False, "reason": unknown, "user": "nobody7"} | rest,
        ],
    )
    forbidden(
        globex.delete(f"/chatrooms/{room}/users/ken,linus"),
        "users [ken, linus] are not members of this group!",
    )
