"""Events: what users are told besides their queues, under ids of the same order.

Every function that tells is part of a transaction, and wakes whom it told.
"""

from collections.abc import Iterator, Sequence

import orjson

from server.clock import now_ms
from server.store import database
from server.store.database import Statement, writing
from server.store.ids import OF_MESSAGES

_LEAST = Statement("SELECT ?", postgresql=f"SELECT {OF_MESSAGES.taken}")
_LAST_ID = Statement(
    """
    SELECT max(coalesce(max(id), 0), coalesce((SELECT max(id) FROM recalled), 0))
    FROM message
    """
)
# As the insert of a message finds its own; what is not one's is put down in recalled.
_NEXT_ID = Statement(
    """
    SELECT max(
        ?,
        coalesce(max(id), 0) + 1,
        coalesce((SELECT max(id) FROM recalled), 0) + 1
    ) FROM message
    """
)
_FORGET_LESSER = Statement("DELETE FROM recalled WHERE id < ?")
_REMEMBER = Statement(
    "INSERT INTO recalled (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM recalled)"
)
_ANYBODY = Statement(
    "SELECT 1 FROM connection WHERE app_id = ? AND expires > ? LIMIT 1"
)
_TO_USER = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing, data)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (user_id, id) DO NOTHING
    """
)
_TO_MEMBERS = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing, data)
    SELECT muc_member.user_id, ?, ?, FALSE, ?
    FROM muc CROSS JOIN muc_member ON muc_member.muc_id = muc.id
    WHERE muc.id = ? AND muc.app_id = ? AND muc.kind = 'group'
    ON CONFLICT (user_id, id) DO NOTHING
    """
)
_TO_MEMBERS_ONLINE = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing, data)
    SELECT connection.user_id, ?, ?, TRUE, ?
    FROM connection CROSS JOIN muc_member
        ON muc_member.muc_id = ? AND muc_member.user_id = connection.user_id
    WHERE connection.app_id = ? AND connection.expires > ?
    ON CONFLICT (user_id, id) DO NOTHING
    """
)
_PASSED = Statement(
    """
    SELECT event.user_id, event.id, user.app_id
    FROM event CROSS JOIN user ON user.id = event.user_id
    WHERE event.passing = ? AND event.id < ? LIMIT ?
    """
)
_REMOVE = Statement("DELETE FROM event WHERE user_id = ? AND id = ?")


def _least(now: int) -> int:
    """The id itself on PostgreSQL; elsewhere the least it may be."""
    (least,) = _LEAST.one(OF_MESSAGES.asked(now))
    return int(least)


def last_id(now: int) -> int:
    """Part of a transaction: every id that is given after it is greater."""
    if database.gives_ids():  # this one too, to nobody
        return _least(now)
    (last,) = _LAST_ID.one()
    return int(last)


def next_id(now: int) -> int:
    """Part of a transaction: an id for what is no message, and nobody else's."""
    least = _least(now)
    if database.gives_ids():  # then it is ours
        return least
    (id_,) = _NEXT_ID.one(least)
    remember(id_)
    return int(id_)


def remember(id_: int) -> None:
    """Part of a transaction: no other message or event is given this id."""
    _FORGET_LESSER.run(id_)
    _REMEMBER.run(id_)


def anybody(app_id: int, now: int) -> bool:
    """Whether anybody of the app is receiving."""
    return _ANYBODY.one(app_id, now) is not None


def tell_users(
    app_id: int, kind: str, data: dict[str, object], users: Sequence[tuple[int, str]]
) -> None:
    """Tell users, by id and name, who wait for it as for a message."""
    if users:
        id_, packed = next_id(now_ms()), orjson.dumps(data).decode()
        _TO_USER.run_many([(user_id, id_, kind, False, packed) for user_id, _ in users])
        database.wake(app_id, names=[name for _, name in users])


def tell_users_online(
    app_id: int, kind: str, data: dict[str, object], users: Sequence[tuple[int, str]]
) -> None:
    """Tell users, by id and name, in passing."""
    now = now_ms()
    if users and anybody(app_id, now):
        id_, packed = next_id(now), orjson.dumps(data).decode()
        _TO_USER.run_many([(user_id, id_, kind, True, packed) for user_id, _ in users])
        database.wake(app_id, names=[name for _, name in users])


def tell_members(app_id: int, kind: str, data: dict[str, object], muc_id: int) -> None:
    """Tell every member of a group of the app, who waits for it as for a message.

    The id may be any that a message was sent to: of another app's group, or of none.
    """
    packed = orjson.dumps(data).decode()
    _TO_MEMBERS.run(next_id(now_ms()), kind, packed, muc_id, app_id)
    database.wake(app_id, mucs=(str(muc_id),))


def tell_members_online(
    app_id: int,
    kind: str,
    data: dict[str, object],
    muc_id: int,
    also: Sequence[tuple[int, str]] = (),
) -> None:
    """Tell those members of a group or room who receive, in passing.

    *also*: users by id and name, members or not.
    """
    now = now_ms()
    if not anybody(app_id, now):
        return
    id_, packed = next_id(now), orjson.dumps(data).decode()
    _TO_MEMBERS_ONLINE.run(id_, kind, packed, muc_id, app_id, now)
    if also:
        _TO_USER.run_many([(user_id, id_, kind, True, packed) for user_id, _ in also])
    names = [name for _, name in also]
    database.wake(app_id, names=names, mucs=(str(muc_id),))


def sweep_events(
    passed_before_ms: int, waited_before_ms: int, *, batch: int
) -> Iterator[int]:
    """Remove what passed, or waited, before these moments; how many each time."""
    for passing, before in ((True, passed_before_ms), (False, waited_before_ms)):
        while old := _PASSED.all(passing, OF_MESSAGES.first(before), batch):
            with writing(*{app_id for *_, app_id in old}):
                _REMOVE.run_many([(user_id, id_) for user_id, id_, _ in old])
            yield len(old)
