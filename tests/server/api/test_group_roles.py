"""Administrators of groups, and giving a group to another."""

import pytest

from tests.conftest import Tenant
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


def promote(tenant: Tenant, group: str, name: object):
    return tenant.post(f"/chatgroups/{group}/admin", json={"newadmin": name})


def test_administrators_come_and_go(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/admin"

    check(globex.get(path), [], count=0)
    check(promote(globex, group, "Grace"), {"result": "success", "newadmin": "Grace"})
    promote(globex, group, "linus")
    check(globex.get(path), ["linus", "grace"], count=2)
    check(globex.delete(f"{path}/LINUS"), {"result": "success", "oldadmin": "LINUS"})
    check(globex.get(path), ["grace"], count=1)
    check(globex.get(f"/chatgroups/{group}/user/linus/is_joined"), True)


def test_who_can_be_no_administrator(globex: Tenant, group: str) -> None:
    promote(globex, group, "linus")

    nobody(promote(globex, group, "Mallory"), "Mallory")
    forbidden(
        promote(globex, group, "Ken"), f"user: Ken doesn't exist in group: {group}"
    )
    forbidden(promote(globex, group, "ada"), "forbidden operation on group owner!")
    forbidden(
        promote(globex, group, "Linus"),
        f"user: Linus is already admin of group: {group}",
    )
    illegal(promote(globex, group, None), "newadmin must be provided")
    illegal(promote(globex, group, ""), "newadmin must be provided")
    illegal(promote(globex, group, ["ken"]))


@pytest.mark.parametrize("name", ["Grace", "ken", "Nobody7", "ada"])
def test_who_is_no_administrator_cannot_be_dismissed(
    globex: Tenant, group: str, name: str
) -> None:
    forbidden(
        globex.delete(f"/chatgroups/{group}/admin/{name}"),
        f"user: {name} is not admin of group: {group}",
    )


def test_a_group_is_given_to_a_member(globex: Tenant, group: str) -> None:
    promote(globex, group, "grace")
    globex.post(
        f"/chatgroups/{group}/white/users", json={"usernames": ["grace", "ada"]}
    )
    mute = {"usernames": ["grace", "linus"], "mute_duration": -1}
    globex.post(f"/chatgroups/{group}/mute", json=mute)

    answer = globex.put(f"/chatgroups/{group}", json={"newowner": "Grace"})

    check(answer, {"newowner": True})
    (found,) = globex.get(f"/chatgroups/{group}").json["data"]
    assert found["owner"] == "grace"
    assert found["affiliations"] == [
        {"member": "ada"}, {"member": "linus"}, {"owner": "grace"},
    ]  # fmt: skip
    for listing in ("admin", "white/users"):
        assert globex.get(f"/chatgroups/{group}/{listing}").json["data"] == []
    muted = globex.get(f"/chatgroups/{group}/mute").json["data"]
    assert [each["user"] for each in muted] == ["linus"]


def test_to_whom_a_group_cannot_be_given(globex: Tenant, group: str) -> None:
    def give(name: object):
        return globex.put(f"/chatgroups/{group}", json={"newowner": name})

    forbidden(give("ADA"), "new owner and old owner are the same")
    forbidden(give("Ken"), f"user: Ken doesn't exist in group: {group}")
    forbidden(give("Nobody7"), f"user: Nobody7 doesn't exist in group: {group}")
    illegal(give(7))
