"""Blocks, mutes and the allow list of groups."""

import pytest

from tests.conftest import Clock, Tenant
from tests.server.api.mucs import (
    check,
    forbidden,
    illegal,
    new_group,
    nobody,
)

NOW = 1_700_000_000_000
FOR_EVER = 4_638_873_600_000
OWNER = "forbidden operation on group owner!"


@pytest.fixture
def group(globex: Tenant) -> str:
    return new_group(globex)


def not_in(group: str, name: str) -> str:
    return f"user: {name} doesn't exist in group: {group}"


def test_a_blocked_member_is_out(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/blocks/users"

    answer = globex.post(f"{path}/Grace")

    check(
        answer,
        {"result": True, "action": "add_blocks", "user": "Grace", "groupid": group},
    )
    globex.post(f"{path}/linus")
    check(globex.get(path), ["grace", "linus"], count=2)
    (found,) = globex.get(f"/chatgroups/{group}").json["data"]
    assert found["affiliations"] == [{"owner": "ada"}]
    assert globex.get("/users/grace/joined_chatgroups").json["data"] == []
    forbidden(
        globex.post(f"{path}/grace"), "users [grace] are not members of this group!"
    )


def test_who_cannot_be_blocked(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/blocks/users"

    for name in ("ken", "Nobody7"):
        forbidden(
            globex.post(f"{path}/{name}"),
            f"users [{name}] are not members of this group!",
        )
    forbidden(globex.post(f"{path}/ADA"), OWNER)
    forbidden(globex.post(path, json={"usernames": ["linus", "ada"]}), OWNER)
    forbidden(
        globex.post(path, json={"usernames": ["ken", "Nobody7"]}),
        "users [ken, Nobody7] are not members of this group!",
    )
    check(globex.get(path), [], count=0)


def test_blocking_some_answers_a_list_even_for_one(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/blocks/users"
    rest = {"action": "add_blocks", "groupid": group}

    check(
        globex.post(path, json={"usernames": ["ken", "Grace"]}),
        [
            {"result": False, "reason": not_in(group, "ken"), "user": "ken"} | rest,
            {"result": True, "user": "Grace"} | rest,
        ],
    )
    check(
        globex.post(path, json={"usernames": ["linus"]}),
        [{"result": True, "user": "linus"} | rest],
    )


def test_unblocking_does_not_bring_back(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/blocks/users"
    globex.post(path, json={"usernames": ["grace", "linus"]})

    check(
        globex.delete(f"{path}/Grace"),
        {"result": True, "action": "remove_blocks", "user": "Grace", "groupid": group},
    )
    check(globex.get(path), ["linus"], count=1)
    check(globex.get(f"/chatgroups/{group}/user/grace/is_joined"), False)


def test_who_cannot_be_unblocked(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/blocks/users"
    globex.post(f"{path}/grace")

    nobody(globex.delete(f"{path}/Mallory"), "Mallory")
    nobody(globex.delete(f"{path}/grace,Mallory"), "Mallory")
    forbidden(
        globex.delete(f"{path}/Ken"),
        f"user: Ken is not in the blacklist of group: {group}",
    )
    forbidden(
        globex.delete(f"{path}/ken,linus"),
        f"user: ken is not in the blacklist of group: {group}",
    )
    check(globex.get(path), ["grace"], count=1)


@pytest.mark.parametrize("in_body", [False, True])
def test_unblocking_some(globex: Tenant, group: str, in_body: bool) -> None:
    path = f"/chatgroups/{group}/blocks/users"
    globex.post(f"{path}/grace")

    if in_body:
        answer = globex.delete(path, json={"usernames": ["ken", "grace"]})
    else:
        answer = globex.delete(f"{path}/ken, grace")

    rest = {"action": "remove_blocks", "groupid": group}
    reason = f"user: ken is not in the blacklist of group: {group}"
    check(
        answer,
        [
            {"result": False, "reason": reason, "user": "ken"} | rest,
            {"result": True, "user": "grace"} | rest,
        ],
    )
    check(globex.get(path), [], count=0)


def mute(tenant: Tenant, group: str, names: list[str], duration: object):
    body = {"usernames": names, "mute_duration": duration}
    return tenant.post(f"/chatgroups/{group}/mute", json=body)


def test_a_mute_ends_by_itself(globex: Tenant, group: str, clock: Clock) -> None:
    path = f"/chatgroups/{group}/mute"

    answer = mute(globex, group, ["Linus"], 5_400_000)

    check(answer, [{"result": True, "expire": NOW + 5_400_000, "user": "Linus"}])
    check(globex.get(path), [{"expire": NOW + 5_400_000, "user": "linus"}])
    clock.forward(5400)
    check(globex.get(path), [])


@pytest.mark.parametrize("for_ever", [-1, "-1"])
def test_a_mute_for_ever_and_again(
    globex: Tenant, group: str, for_ever: object
) -> None:
    mute(globex, group, ["linus"], "1000")

    answer = mute(globex, group, ["linus"], for_ever)

    check(answer, [{"result": True, "expire": FOR_EVER, "user": "linus"}])
    check(
        globex.get(f"/chatgroups/{group}/mute"), [{"expire": FOR_EVER, "user": "linus"}]
    )


@pytest.mark.parametrize("duration", [0, -2, "x", None, 1.5, True, [], "", "0"])
def test_durations_that_are_none(globex: Tenant, group: str, duration: object) -> None:
    answer = mute(globex, group, ["linus"], duration)

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    check(globex.get(f"/chatgroups/{group}/mute"), [])


def test_who_cannot_be_muted(globex: Tenant, group: str) -> None:
    check(
        mute(globex, group, ["ken", "linus", "Nobody7"], -1),
        [
            {"result": False, "reason": not_in(group, "ken"), "user": "ken"},
            {"result": True, "expire": FOR_EVER, "user": "linus"},
            {"result": False, "reason": not_in(group, "Nobody7"), "user": "Nobody7"},
        ],
    )
    forbidden(
        mute(globex, group, ["ken", "Nobody7"], -1),
        "users [ken, Nobody7] are not members of this group!",
    )
    forbidden(mute(globex, group, ["grace", "ada"], -1), OWNER)
    muted = globex.get(f"/chatgroups/{group}/mute").json["data"]
    assert [each["user"] for each in muted] == ["linus"]
    illegal(
        mute(globex, group, [f"u{n}" for n in range(61)], -1),
        "usernames exceeds the limit of 60",
    )


def test_unmuting_is_always_a_list(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/mute"
    mute(globex, group, ["linus"], -1)

    check(globex.delete(f"{path}/Linus"), [{"result": True, "user": "Linus"}])
    check(
        globex.delete(f"{path}/grace,ken"),
        [
            {"result": True, "user": "grace"},
            {"result": False, "reason": not_in(group, "ken"), "user": "ken"},
        ],
    )
    forbidden(
        globex.delete(f"{path}/ken"), "users [ken] are not members of this group!"
    )
    check(globex.get(path), [])


def test_the_allow_list(globex: Tenant, group: str) -> None:
    path = f"/chatgroups/{group}/white/users"
    added = {"action": "add_user_whitelist", "groupid": group}
    removed = {"action": "remove_user_whitelist", "groupid": group}

    check(globex.get(path), [], count=0)
    check(globex.post(f"{path}/Grace"), {"result": True, "user": "Grace"} | added)
    check(
        globex.post(path, json={"usernames": ["ken", "linus"]}),
        [
            {"result": False, "reason": not_in(group, "ken"), "user": "ken"} | added,
            {"result": True, "user": "linus"} | added,
        ],
    )
    check(globex.get(path), ["linus", "grace"], count=2)
    check(globex.delete(f"{path}/grace"), [{"result": True, "user": "grace"} | removed])
    check(
        globex.delete(f"{path}/linus,ken"),
        [
            {"result": True, "user": "linus"} | removed,
            {"result": False, "reason": not_in(group, "ken"), "user": "ken"} | removed,
        ],
    )
    check(globex.get(path), [], count=0)


@pytest.mark.parametrize("name", ["ken", "Nobody7"])
def test_the_allow_list_is_for_members(globex: Tenant, group: str, name: str) -> None:
    path = f"/chatgroups/{group}/white/users"
    text = f"users [{name}] are not members of this group!"

    forbidden(globex.post(f"{path}/{name}"), text)
    forbidden(globex.post(path, json={"usernames": [name]}), text)
    forbidden(globex.delete(f"{path}/{name}"), text)


@pytest.mark.parametrize(
    ("ending", "most"),
    [("users", 100), ("blocks/users", 100), ("mute", 100), ("white/users", 60)],
)
def test_over_many_names_in_a_path(
    globex: Tenant, group: str, ending: str, most: int
) -> None:
    names = ",".join(f"u{n}" for n in range(most + 1))

    illegal(
        globex.delete(f"/chatgroups/{group}/{ending}/{names}"),
        f"usernames exceeds the limit of {most}",
    )
    illegal(globex.delete(f"/chatgroups/{group}/{ending}/%20,"))
