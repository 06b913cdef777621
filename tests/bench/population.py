"""A large app made of nothing but a seed: users, friendships, groups, messages.

Written straight into the tables in the order their indexes like, since what is measured
is not the making of it.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from server.store.database import INSTALLATION, database, writing
from server.store.models import App

SEED = 20261123
BATCH = 50_000
HOUR_MS = 3_600_000
NOW_MS = int(time.time()) // 3600 * HOUR_MS
HOURS = 72
BUSY_HOUR = 5
"""Hours ago that held a hundredth of all messages more than its share."""

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    users: int
    groups: int
    messages: int
    large_group: int
    """Members of the first group; the others have up to twenty."""


FULL = Size(1_000_000, 10_000, 5_000_000, 5_000)


def share(percent: int) -> Size:
    """A part of the full size; the large group is always as large."""
    return Size(
        FULL.users * percent // 100,
        max(2, FULL.groups * percent // 100),
        FULL.messages * percent // 100,
        FULL.large_group,
    )


def populate(app_id: int, size: Size, progress: Progress) -> None:
    """Fill an empty app."""
    chance = random.Random(SEED)  # noqa: S311 (repeatable, not secret)
    _users(app_id, size, chance, progress)
    _friends(size, chance, progress)
    _groups(app_id, size, chance, progress)
    _messages(app_id, size, chance, progress)
    with writing(app_id):
        App.update(user_count=size.users).execute()
    database.execute_sql("ANALYZE")
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(
    what: str, sql: str, rows: Iterable[Sequence[object]], progress: Progress
) -> None:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        with writing(INSTALLATION):
            database.connection().executemany(sql, batch)
        progress(what, len(batch))


def _users(app_id: int, size: Size, chance: random.Random, progress: Progress) -> None:
    def rows() -> Iterator[Sequence[object]]:
        for n in range(1, size.users + 1):
            made = NOW_MS - (size.users - n)
            unique = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            yield n, app_id, name(n), unique, b"12345678", made, made, 1

    sql = (
        "INSERT INTO user (id, app_id, username, uuid, token_key, created, modified,"
        " activated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    _insert("users", sql, rows(), progress)


def name(n: int) -> str:
    """The n-th user's name."""
    return f"user{n:07}"


def _friends(size: Size, chance: random.Random, progress: Progress) -> None:
    """Each user and the next few; both directions."""

    def rows() -> Iterator[Sequence[object]]:
        for n in range(1, size.users):
            yield n, n + 1
            yield n + 1, n

    _insert(
        "friends",
        "INSERT INTO contact (owner_id, friend_id) VALUES (?, ?)",
        rows(),
        progress,
    )


def group_id(n: int) -> int:
    """The n-th group's id."""
    return (NOW_MS << 12) + n


def _groups(app_id: int, size: Size, chance: random.Random, progress: Progress) -> None:
    members = [size.large_group] + [
        chance.randint(2, 20) for _ in range(size.groups - 1)
    ]

    def rows() -> Iterator[Sequence[object]]:
        for n, count in enumerate(members):
            owner = chance.randint(1, size.users - size.large_group)
            first[n] = owner
            yield (
                group_id(n), app_id, "group", f"group {n}", "", 5_000, owner,
                NOW_MS, NOW_MS, count, "", "", 1, 0, 0, 1, 0, 0,
            )  # fmt: skip

    def joined() -> Iterator[Sequence[object]]:
        for n, count in enumerate(members):
            for user in range(first[n], first[n] + count):
                yield group_id(n), user, "group", 0, 0

    first: dict[int, int] = {}
    sql = (
        "INSERT INTO muc (id, app_id, kind, name, description, max_users, owner_id,"
        " created, modified, member_count, custom, announcement, public, members_only,"
        " allow_invites, invite_need_confirm, mute_all, disabled)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    _insert("groups", sql, rows(), progress)
    sql = "INSERT INTO muc_member (muc_id, user_id, kind, admin, allowed) VALUES (?, ?, ?, ?, ?)"
    _insert("members", sql, joined(), progress)


def _messages(
    app_id: int, size: Size, chance: random.Random, progress: Progress
) -> None:
    """Spread over three days, in the order of their ids; one in five still waits."""
    step = HOURS * HOUR_MS / size.messages
    begin = NOW_MS - HOURS * HOUR_MS
    body = '{"msg":"lunch at noon?","type":"txt"}'

    def rows() -> Iterator[Sequence[object]]:
        for n in range(size.messages):
            at = int(begin + n * step)
            sender, target = (
                chance.randint(1, size.users),
                chance.randint(1, size.users),
            )
            if n % 5 == 0:
                waiting.append((target, (at << 20) + n))
            yield (
                (at << 20) + n,
                app_id,
                "chat",
                name(sender),
                name(target),
                at,
                body,
                0,
                0,
            )

    waiting: list[tuple[int, int]] = []
    sql = (
        "INSERT INTO message (id, app_id, chat_type, sender, target, timestamp, body,"
        " online_only, sync_device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    _insert("messages", sql, rows(), progress)
    waiting.sort()
    _insert(
        "waiting",
        "INSERT INTO waiting (user_id, message_id) VALUES (?, ?)",
        waiting,
        progress,
    )
