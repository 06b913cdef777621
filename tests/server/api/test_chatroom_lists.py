"""Announcement, blocks, mutes and the allow list of rooms."""

import pytest

from tests.conftest import Clock, Tenant
from tests.server.api.mucs import check, forbidden, illegal, new_room, nobody

NOW = 1_700_000_000_000
FOR_EVER = 4_638_873_600_000
OWNER = "forbidden operation on group owner!"


@pytest.fixture
def room(globex: Tenant) -> str:
    return new_room(globex)


def mute(tenant: Tenant, room: str, names: list[str], duration: object):
    body = {"usernames": names, "mute_duration": duration}
    return tenant.post(f"/chatrooms/{room}/mute", json=body)


def test_a_mute_outlives_removal_and_ends_by_itself(
    globex: Tenant, room: str, clock: Clock
) -> None:
    path = f"/chatrooms/{room}/mute"
    muted = [{"expire": NOW + 600_000, "user": "linus"}]

    check(
        mute(globex, room, ["Linus"], 600_000),
        [{"result": True, "expire": NOW + 600_000, "user": "Linus"}],
    )
    globex.delete(f"/chatrooms/{room}/users/linus")
    check(globex.get(path), muted)
    globex.post(f"/chatrooms/{room}/users/linus")
    check(globex.get(path), muted)
    clock.forward(600)
    check(globex.get(path), [])


def test_muting_and_unmuting(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/mute"
    outside = f"user: ken doesn't exist in group: {room}"

    check(
        mute(globex, room, ["ken", "linus"], "-1"),
        [
            {"result": False, "reason": outside, "user": "ken"},
            {"result": True, "expire": FOR_EVER, "user": "linus"},
        ],
    )
    forbidden(mute(globex, room, ["linus", "ada"], -1), OWNER)
    forbidden(
        mute(globex, room, ["ken"], -1), "users [ken] are not members of this group!"
    )
    check(
        globex.delete(f"{path}/linus,ken"),
        [
            {"result": True, "user": "linus"},
            {"result": False, "reason": outside, "user": "ken"},
        ],
    )
    forbidden(
        globex.delete(f"{path}/ken"), "users [ken] are not members of this group!"
    )
    assert mute(globex, room, ["linus"], 0).status_code == 400


def test_who_was_muted_and_left_can_be_unmuted(globex: Tenant, room: str) -> None:
    mute(globex, room, ["linus"], -1)
    globex.delete(f"/chatrooms/{room}/users/linus")

    answer = globex.delete(f"/chatrooms/{room}/mute/linus")

    check(answer, [{"result": True, "user": "linus"}])
    check(globex.get(f"/chatrooms/{room}/mute"), [])


def test_blocking(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/blocks/users"
    rest = {"action": "add_blocks", "chatroomid": room}
    outside = f"user: ken doesn't exist in chatroom: {room}"

    check(globex.post(f"{path}/Grace"), {"result": True, "user": "Grace"} | rest)
    check(
        globex.post(path, json={"usernames": ["ken", "linus"]}),
        [
            {"result": False, "reason": outside, "user": "ken"} | rest,
            {"result": True, "user": "linus"} | rest,
        ],
    )
    check(globex.get(path), ["grace", "linus"], count=2)
    (found,) = globex.get(f"/chatrooms/{room}").json["data"]
    assert found["affiliations"] == [{"owner": "ada"}]
    forbidden(globex.post(f"{path}/ada"), OWNER)
    forbidden(globex.post(path, json={"usernames": ["ken", "ada"]}), OWNER)
    forbidden(globex.post(f"{path}/ken"), "users [ken] are not members of this group!")


def test_unblocking(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/blocks/users"
    globex.post(path, json={"usernames": ["grace", "linus"]})
    rest = {"action": "remove_blocks", "chatroomid": room}
    reason = f"user: ken is not in the blacklist of group: {room}"

    check(globex.delete(f"{path}/Grace"), {"result": True, "user": "Grace"} | rest)
    check(
        globex.delete(f"{path}/ken, linus"),
        [
            {"result": False, "reason": reason, "user": "ken"} | rest,
            {"result": True, "user": "linus"} | rest,
        ],
    )
    nobody(globex.delete(f"{path}/Mallory"), "Mallory")
    forbidden(globex.delete(f"{path}/ken"), reason)
    illegal(
        globex.delete(f"{path}/{','.join(f'u{n}' for n in range(61))}"),
        "usernames exceeds the limit of 60",
    )


def test_the_allow_list(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/white/users"
    added = {"action": "add_user_whitelist", "chatroomid": room}
    removed = {"action": "remove_user_whitelist", "chatroomid": room}

    check(globex.post(f"{path}/Grace"), {"result": True, "user": "Grace"} | added)
    check(
        globex.post(path, json={"usernames": ["linus", "grace"]}),
        [
            {"result": True, "user": "linus"} | added,
            {"result": True, "user": "grace"} | added,
        ],
    )
    check(globex.get(path), ["linus", "grace"], count=2)
    check(globex.delete(f"{path}/grace"), [{"result": True, "user": "grace"} | removed])
    forbidden(globex.post(f"{path}/ken"), "users [ken] are not members of this group!")


def test_announcement_and_mute_all(globex: Tenant, room: str) -> None:
    path = f"/chatrooms/{room}/announcement"

    check(globex.get(path), {"announcement": ""})
    check(
        globex.post(path, json={"announcement": "Doors at 8"}),
        {"id": room, "result": True},
    )
    check(globex.get(path), {"announcement": "Doors at 8"})
    illegal(
        globex.post(path, json={"announcement": "x" * 513}),
        "announcement exceeds the limit of 512",
    )
    for method, value in (("POST", True), ("DELETE", False)):
        check(globex.call(method, f"/chatrooms/{room}/ban"), {"mute": value})
        (found,) = globex.get(f"/chatrooms/{room}").json["data"]
        assert found["mute"] is value
