"""Administrators of rooms, giving a room to another, super administrators."""

import pytest

from tests.conftest import Tenant
from tests.server.api import mucs
from tests.server.api.mucs import check, forbidden, illegal, new_room, nobody


@pytest.fixture
def room(globex: Tenant) -> str:
    return new_room(globex)


def test_administrators_come_and_go(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/admin"

    check(
        globex.post(path, json={"newadmin": "Linus"}),
        {"result": "success", "newadmin": "Linus"},
    )
    check(globex.get(path), ["linus"], count=1)
    forbidden(
        globex.post(path, json={"newadmin": "linus"}),
        f"user: linus is already admin of group: {room}",
    )
    forbidden(
        globex.post(path, json={"newadmin": "ken"}),
        f"user: ken doesn't exist in group: {room}",
    )
    check(globex.delete(f"{path}/linus"), {"result": "success", "oldadmin": "linus"})
    forbidden(
        globex.delete(f"{path}/linus"), f"user: linus is not admin of group: {room}"
    )


def test_a_room_is_given_to_a_member(globex: Tenant, room: str) -> None:
    check(
        globex.put(f"/chatrooms/{room}", json={"newowner": "linus"}), {"newowner": True}
    )

    (found,) = globex.get(f"/chatrooms/{room}").json["data"]
    assert found["owner"] == "linus"
    forbidden(
        globex.put(f"/chatrooms/{room}", json={"newowner": "linus"}),
        "new owner and old owner are the same",
    )


def test_super_administrators_come_and_go(globex: Tenant, acme: Tenant) -> None:
    mucs.populate(globex)
    path = "/chatrooms/super_admin"
    done = {"result": "success", "resource": ""}

    check(globex.get(path), [], count=0)
    for name in ("Ada", "grace", "ada"):
        check(globex.post(path, json={"superadmin": name}), done)
    check(
        globex.get(f"{path}?pagenum=1&pagesize=10"),
        ["ada", "grace"],
        count=2,
        params={"pagenum": ["1"], "pagesize": ["10"]},
    )
    assert globex.get(f"{path}?pagenum=2&pagesize=1").json["data"] == ["grace"]
    assert globex.get(f"{path}?pagenum=9").json["data"] == []
    assert acme.get(path).json["data"] == []
    check(globex.delete(f"{path}/Ada"), {"newSuperAdmin": "Ada", "resource": ""})
    nobody(globex.delete(f"{path}/ada"), "ada")
    nobody(globex.delete(f"{path}/Mallory"), "Mallory")
    globex.delete("/users/grace")
    check(globex.get(path), [], count=0)


def test_who_can_be_no_super_administrator(globex: Tenant) -> None:
    path = "/chatrooms/super_admin"

    nobody(globex.post(path, json={"superadmin": "Mallory"}), "Mallory")
    illegal(globex.post(path, json={}), "superadmin must be provided")
    illegal(globex.post(path, json={"superadmin": 5}))
