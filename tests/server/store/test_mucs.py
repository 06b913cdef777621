"""Groups and rooms under racing processes; and every hot statement by an index."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.kinds import Membership, Stated
from server.muc_errors import JoinedTooMany
from server.settings import Settings
from server.store import (
    muc_files,
    muc_lists,
    muc_members,
    muc_owners,
    muc_roles,
    mucs,
)
from server.store.database import Statement
from server.store.muc_entry import IS_MEMBER, JOINED_COUNT, Caps
from server.store.mucs import NewMuc
from tests import databases, plans
from tests.conftest import Tenant
from tests.server.api.mucs import populate

ROOT = Path(__file__).parent.parent.parent.parent
ANY = Membership("none")
RACERS = 4
NAMES = [f"u{n:02}" for n in range(40)]

RACE = """
import os, sys
from server.errors import Refusal
from server.kinds import Membership, Stated
from server.muc_errors import JoinedTooMany
from server.settings import Settings
from server.store import database, muc_members, mucs
from server.store.muc_entry import Caps

app_id, racer = int(sys.argv[1]), int(sys.argv[2])
muc_ids = [int(each) for each in sys.argv[3].split(",")]
most = int(sys.argv[4])
names = sys.argv[5].split(",")
database.connect(Settings.from_env(os.environ))
caps = Caps(
    joined=Membership("joined", Stated(most, "so many", "limits.md:1")),
    members=Membership("none"),
)
print("ready", flush=True)
sys.stdin.readline()
done = 0
for n in range(len(muc_ids) * len(names)):
    muc_id = muc_ids[(n + racer) % len(muc_ids)]
    name = names[(n // len(muc_ids) + racer) % len(names)]
    try:
        if n % 3 == 0:
            muc_members.add(app_id, "group", muc_id, [name], caps=caps)
        elif n % 3 == 1:
            muc_members.add(app_id, "group", muc_id, ["ada", name], caps=caps)
        else:
            new = mucs.NewMuc("n", "d", "ken", [name], 9)
            if len(names) > 1:
                continue
            mucs.create(app_id, "group", new, caps=caps, per_app=Membership("none"))
        done += 1
    except Refusal:
        pass
print(done)
"""


def race(
    settings: Settings, tenant: Tenant, muc_ids: list[int], most: int, names: list[str]
) -> list[int]:
    """How many got in, by each of several processes at once."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(tenant.id),
             str(n), ",".join(map(str, muc_ids)), str(most), ",".join(names)],
            cwd=ROOT, env=databases.environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(RACERS)
    ]  # fmt: skip
    for each in racers:
        assert each.stdout.readline() == "ready\n"
    for each in racers:
        each.stdin.write("go\n")
        each.stdin.flush()
    counts = [int(each.communicate(timeout=60)[0]) for each in racers]
    assert [each.returncode for each in racers] == [0] * RACERS
    return counts


def make(tenant: Tenant, max_users: int) -> int:
    new = NewMuc("n", "d", "ada", [], max_users)
    return mucs.create(tenant.id, "group", new, caps=Caps(ANY, ANY), per_app=ANY)


def test_processes_race_for_the_last_places_of_a_group(
    globex: Tenant, settings: Settings
) -> None:
    populate(globex)
    populate(globex, NAMES)
    muc_id = make(globex, 10)

    counts = race(settings, globex, [muc_id], 500, NAMES)

    assert sum(counts) == 9
    group = mucs.held(globex.id, "group", muc_id)
    assert group.member_count == len(muc_members.every(group)) == 10


def test_processes_race_for_the_last_groups_of_a_user(
    globex: Tenant, settings: Settings
) -> None:
    """By every way in: added alone, added with another, a member from the first."""
    populate(globex)
    muc_ids = [make(globex, 200) for _ in range(30)]

    race(settings, globex, muc_ids, 7, ["linus"])

    assert len(mucs.joined(globex.id, "group", "linus", size=None)) == 7


def test_an_id_is_never_given_twice_though_the_clock_stands_still(
    globex: Tenant,
) -> None:
    populate(globex)
    given = []
    for _ in range(3):
        given.append(make(globex, 9))
        mucs.destroy(globex.id, "group", given[-1])

    assert len(set(given)) == 3
    assert given == sorted(given)


def test_a_users_groups_are_counted_without_their_rooms(globex: Tenant) -> None:
    populate(globex)
    caps = Caps(Membership("joined", Stated(2, "two", "limits.md:1")), ANY)
    for _ in range(2):
        mucs.create(
            globex.id, "group", NewMuc("n", "d", "ada", [], 9), caps=caps, per_app=ANY
        )

    with pytest.raises(JoinedTooMany, match="ada has joined too many"):
        mucs.create(
            globex.id, "group", NewMuc("n", "d", "ada", [], 9), caps=caps, per_app=ANY
        )
    mucs.create(
        globex.id, "chatroom", NewMuc("n", "d", "ada", [], 9), caps=caps, per_app=ANY
    )


HOT = {
    "details": mucs._FIND,
    "list": mucs.PAGE,
    "public list": mucs.PAGE_OF,
    "joined": mucs.JOINED,
    "joined count": JOINED_COUNT,
    "is member": IS_MEMBER,
    "all members": muc_members.ALL,
    "oldest page": muc_members.OLDEST,
    "newest page": muc_members.NEWEST,
    "after": muc_members.AFTER,
    "before": muc_members.BEFORE,
    "admins": muc_roles.ADMINS,
    "admin count": muc_roles.ADMIN_COUNT,
    "super admins": muc_roles.SUPER_ADMINS,
    "blocked": muc_lists.BLOCKED,
    "muted": muc_lists.MUTED,
    "allowed": muc_lists.ALLOWED,
    "owned": muc_owners.OWNED,
    "destroy": muc_owners.DESTROY,
    "shared": mucs.SHARED,
    "shared page": muc_files.PAGE,
    "leave": muc_owners.LEAVE,
    "fan-out": Statement("SELECT user_id FROM muc_member WHERE muc_id = ?"),
}
MAY_SORT = {"blocked", "muted"}
"""A group's blocks and mutes are read by the index that keeps them single."""


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_use_an_index(globex: Tenant, name: str) -> None:
    plans.assert_by_index(HOT[name], in_order=name not in MAY_SORT)
