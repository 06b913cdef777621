"""What processes do at one moment, they could have done one after the other."""

import dataclasses
import os
import time
from collections.abc import Hashable, Iterator
from pathlib import Path

import pytest

from server.app import create_app
from server.settings import Settings
from server.store import database
from tests import databases
from tests.conftest import Tenant, make_tenant
from tests.races.racing import Race, Racers, judge, racers
from tests.trees import recompile, with_high_rates

DAILY, KEPT_SECONDS = 12, 2
TIMES = 25
QUOTAS = 4
"""Apps, for each has one day's quota to race for."""


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("races") / "state"


@pytest.fixture(scope="module")
def tenants(state_dir: Path) -> list[Tenant]:
    url = databases.url_for(state_dir)
    app = create_app(Settings(state_dir=state_dir, database_url=url))
    made = [make_tenant(app, "globex/races", "enterprise")]
    made += [make_tenant(app, f"acme/quota{n}", "community") for n in range(QUOTAS)]
    database.forget()
    return made


@pytest.fixture(scope="module")
def four(state_dir: Path, tenants: list[Tenant]) -> Iterator[Racers]:
    """Four processes, under a table with figures that a race can reach."""
    tree = with_high_rates(state_dir.parent)
    recompile(tree, "file kept 7 days", f"file kept {KEPT_SECONDS} seconds")
    recompile(tree, "edition is 20,000 messages", f"edition is {DAILY} messages")
    settings = Settings(state_dir=state_dir, database_url=databases.url_for(state_dir))
    with racers(tree, settings, tenants[0].key, tenants[0].token) as found:
        yield found


def new_group(four: Racers, owner: str, *members: str, room_for: int = 9) -> str:
    group = {"groupname": "g", "desc": "d", "owner": owner, "members": [*members]}
    made = four.call("POST", "/chatgroups", group | {"maxusers": room_for})
    found: str = made["data"]["groupid"]
    return found


def members(four: Racers, group: str, names: list[str]) -> tuple[object, ...]:
    """Who is in it by their place in *names*, the owner first, and the count of them."""
    (details,) = four.call("GET", f"/chatgroups/{group}")["data"]
    each = [next(iter(one.items())) for one in details["affiliations"]]
    told = sorted((role != "owner", names.index(name)) for role, name in each)
    return (*told, details["affiliations_count"])


def waiting(four: Racers, name: str) -> int:
    counts: dict[str, int] = four.call("GET", f"/users/{name}/offline_msg_count")[
        "data"
    ]
    return counts[name]


def text_to(kind: str, target: str, sender: str = "admin") -> tuple[str, str, object]:
    message = {"target_type": kind, "target": [target], "from": sender}
    return "POST", "/messages", message | {"msg": {"type": "txt", "msg": "?"}}


def test_the_last_place_of_a_group(four: Racers) -> None:
    def prepared() -> Race:
        names = four.names(4)
        group = new_group(four, names[0], room_for=2)
        calls = [
            ("POST", f"/chatgroups/{group}/users/{name}", None) for name in names[1:]
        ]
        return Race(calls, lambda: members(four, group, names))

    assert len(judge(four, prepared, TIMES)) > 1


def test_one_username_twice(four: Racers) -> None:
    """Alone, alone again, and in a list with another."""

    def prepared() -> Race:
        one, other = (f"u{next(four.fresh)}" for _ in range(2))
        new = {"username": one, "password": "x"}
        several = [new, {"username": other, "password": "x"}]

        def seen() -> Hashable:
            found = four.try_(("GET", f"/users/{name}", None) for name in (one, other))
            return tuple(each.told for each in found)

        return Race([("POST", "/users", each) for each in (new, new, several)], seen)

    assert len(judge(four, prepared, 10)) > 1


def test_a_name_whose_user_a_token_makes_while_they_are_deleted(four: Racers) -> None:
    def prepared() -> Race:
        (name,) = four.names(1)
        grant = {"grant_type": "inherit", "username": name, "autoCreateUser": True}

        def seen() -> Hashable:
            (found,) = four.try_([("GET", f"/users/{name}", None)])
            return found.told

        token = ("POST", "/token", grant)
        return Race([token, ("DELETE", f"/users/{name}", None), token], seen)

    judge(four, prepared, TIMES)


def test_the_transfer_of_a_group_to_one_who_leaves(four: Racers) -> None:
    def prepared() -> Race:
        names = four.names(3)
        group = new_group(four, names[0], *names[1:])
        calls = [
            ("PUT", f"/chatgroups/{group}", {"newowner": names[1]}),
            ("DELETE", f"/chatgroups/{group}/users/{names[1]}", None),
        ]
        return Race(calls, lambda: members(four, group, names))

    assert len(judge(four, prepared, TIMES)) > 1


def test_the_transfer_of_a_group_from_or_to_one_who_is_deleted(four: Racers) -> None:
    """Deleted with its owner, or left with another: never without one."""

    def prepared() -> Race:
        names = four.names(3)
        group = new_group(four, names[0], *names[1:])
        calls = [
            ("PUT", f"/chatgroups/{group}", {"newowner": names[1]}),
            ("DELETE", f"/users/{names[0]}", None),
            ("DELETE", f"/users/{names[1]}", None),
        ]

        def seen() -> Hashable:
            (found,) = four.try_([("GET", f"/chatgroups/{group}", None)])
            if found.status != 200:
                return found.told
            return members(four, group, names)

        return Race(calls, seen)

    assert len(judge(four, prepared, TIMES)) > 1


def test_a_send_to_one_who_is_deleted(four: Racers) -> None:
    """Whoever has the name afterwards finds nothing of the one before."""

    def prepared() -> Race:
        (name,) = four.names(1)
        again = {"username": name, "password": "x"}

        def seen() -> Hashable:
            four.try_([("POST", "/users", again)])
            return waiting(four, name)

        return Race([text_to("users", name), ("DELETE", f"/users/{name}", None)], seen)

    judge(four, prepared, TIMES)


def test_a_send_to_a_group_that_one_leaves_or_that_is_destroyed(four: Racers) -> None:
    def prepared() -> Race:
        names = four.names(3)
        group = new_group(four, names[0], *names[1:])
        calls = [
            text_to("chatgroups", group),
            ("DELETE", f"/chatgroups/{group}/users/{names[1]}", None),
            ("DELETE", f"/chatgroups/{group}", None),
        ]
        return Race(calls, lambda: tuple(waiting(four, name) for name in names))

    assert len(judge(four, prepared, TIMES)) > 1


def test_a_send_by_one_who_is_muted(four: Racers) -> None:
    """And once the mute is answered, no process sends for them."""

    def prepared() -> Race:
        sender, target = four.names(2)
        mute = {"username": sender, "chat": -1}
        send = text_to("users", target, sender)

        def seen() -> Hashable:
            later = tuple(each.told for each in four.try_([send] * 4))
            return waiting(four, target), later

        return Race([send, ("POST", "/mutes", mute)], seen)

    assert len(judge(four, prepared, TIMES)) > 1


def test_the_last_messages_of_a_quota(four: Racers, tenants: list[Tenant]) -> None:
    """To one, two or three at once: as many as there are, and not one more."""
    for tenant in tenants[1:]:
        app = dataclasses.replace(four, key=tenant.key, token=tenant.token)
        names = app.names(3)
        sent, largest = 0, 3
        while largest:
            sizes = [app.chance.randint(1, largest) for _ in app.processes]
            calls = []
            for size in sizes:
                method, path, body = text_to("users", "")
                calls.append((method, path, body | {"target": names[:size]}))
            told = [each.told for each in app.race(calls)]
            assert set(told) <= {"done 0", "429 resource_limited"}
            sent += sum(
                n for n, each in zip(sizes, told, strict=True) if "done" in each
            )
            if "done 0" not in told:
                largest -= 1  # with a larger one some could still be left

        assert sent == DAILY
        assert sum(waiting(app, name) for name in names) == DAILY


def test_uploads_while_others_sweep(four: Racers, state_dir: Path) -> None:
    """A file is there from its answer until its time; then nothing is left of it."""
    folder = state_dir / "files"
    orphan = folder / "files" / "00" / ("0" * 36)
    begun, rounds, swept = time.monotonic(), 0, 0
    while rounds < TIMES or not swept:
        uploaded = time.monotonic()
        content = [f"round {rounds}, {n}" for n in range(2)]
        calls = [("UPLOAD", "/chatfiles", each) for each in content]
        *kept, one, other = four.race([*calls, *[("SWEEP", "", None)] * 2])
        paths = [f"/chatfiles/{each.body['entities'][0]['uuid']}" for each in kept]
        found = four.try_(("GET", path, None) for path in paths)
        if time.monotonic() - uploaded < KEPT_SECONDS:
            assert [each.body for each in found] == content
        rounds, swept = rounds + 1, swept + one.body["files"] + other.body["files"]
        if rounds == TIMES:
            orphan.parent.mkdir(exist_ok=True)
            orphan.touch()
            os.utime(orphan, (1, 1))
        assert time.monotonic() - begun < 60

    ends = time.monotonic() + 30
    while any(path.is_file() for path in folder.rglob("*")):
        assert time.monotonic() < ends
        four.race([("SWEEP", "", None)] * 4)
    assert databases.rows(state_dir, "SELECT uuid FROM file") == []
    assert all(
        each.status == 404 for each in four.try_(("GET", path, None) for path in paths)
    )
