"""Messages, each kept once for every target, under ids that grow.

Whoever is to have one finds it in their queue, put there in the same transaction, until
a device has said that it is received. What is only for those who receive now passes
beside the queues. History reads what is kept here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.kinds import Quota
from server.store import database, quotas
from server.store.blocking_mutes import MUTE_THAT_HOLDS
from server.store.database import Statement
from server.store.ids import OF_MESSAGES

CHAT_TYPES = {"users": "chat", "chatgroups": "groupchat", "chatrooms": "chatroom"}
"""A target type of the wire, as the history names the kind of chat."""

CHAT_KINDS = {"chatgroups": "group", "chatrooms": "chatroom"}
"""And as it is kept of groups and rooms."""


class SenderMuted(Exception):
    """Whoever is named as the sender may not send this kind of message now."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one or more targets of one kind."""

    target_type: str
    targets: Sequence[str]
    """Distinct, in the spelling they are kept in."""
    sender: str
    body: str
    """JSON of one object, its ``type`` included."""
    ext: str | None = None
    """JSON of one object."""
    timestamp: int | None = None
    """Unix ms to record instead of now."""
    online_only: bool = False
    sync_device: bool = False
    level: str | None = None


_ID = re.compile(r"[1-9][0-9]{0,18}")
_LAST_ID = (1 << 63) - 1
_COLUMNS = """
    app_id, chat_type, sender, target, timestamp, body, ext, online_only, sync_device,
    level
"""
_INSERT_NEXT = Statement(
    f"INSERT INTO message (id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ID_AND_WHETHER_ANYBODY_RECEIVES = """
    id, EXISTS (
        SELECT 1 FROM connection
        WHERE connection.app_id = message.app_id AND connection.expires > ?
    )
"""
# The last id given is of a message that is kept, or stands in recalled. No row where
# the sender is muted.
_INSERT = Statement(
    f"""
    INSERT INTO message (id, {_COLUMNS})
    SELECT max(
        ?,
        coalesce((SELECT max(id) FROM message), 0) + 1,
        coalesce((SELECT max(id) FROM recalled), 0) + 1
    ), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
    WHERE NOT EXISTS ({MUTE_THAT_HOLDS})
    RETURNING {_ID_AND_WHETHER_ANYBODY_RECEIVES}
    """,
    postgresql=f"""
    INSERT INTO message (id, {_COLUMNS})
    SELECT {OF_MESSAGES.taken}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
    WHERE NOT EXISTS ({MUTE_THAT_HOLDS})
    RETURNING {_ID_AND_WHETHER_ANYBODY_RECEIVES}
    """,
)
# What was kept just now, in the order of the joins: few messages, then their receivers.
# Between the first and the last of a transaction may be some of other kinds.
_QUEUE_FOR_USERS = Statement(
    """
    INSERT INTO waiting (user_id, message_id)
    SELECT user.id, message.id
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.target
    WHERE message.id BETWEEN ? AND ?
        AND message.chat_type = 'chat' AND NOT message.online_only
    """
)
# An id is digits without a zero before them: "070" and "70 " are no group.
_QUEUE_FOR_MEMBERS = Statement(
    """
    INSERT INTO waiting (user_id, message_id)
    SELECT muc_member.user_id, message.id
    FROM message
        CROSS JOIN muc ON muc.id = CAST(message.target AS INTEGER)
        CROSS JOIN muc_member ON muc_member.muc_id = muc.id
    WHERE message.id BETWEEN ? AND ?
        AND CAST(muc.id AS TEXT) = message.target
        AND muc.app_id = message.app_id AND muc.kind = 'group'
        AND muc_member.user_id IS NOT
            (SELECT id FROM user WHERE app_id = ? AND username = ?)
    """,
    postgresql="""
    INSERT INTO waiting (user_id, message_id)
    SELECT muc_member.user_id, message.id
    FROM message
        JOIN muc ON muc.id = CASE WHEN message.target ~ '^[1-9][0-9]{0,17}$'
            THEN CAST(message.target AS BIGINT) END
        JOIN muc_member ON muc_member.muc_id = muc.id
    WHERE message.id BETWEEN ? AND ?
        AND muc.app_id = message.app_id AND muc.kind = 'group'
        AND muc_member.user_id IS DISTINCT FROM
            (SELECT id FROM user WHERE app_id = ? AND username = ?)
    """,
)


# The sender's own devices show what was sent elsewhere.
_QUEUE_FOR_SENDER = Statement(
    """
    INSERT INTO waiting (user_id, message_id)
    SELECT user.id, message.id
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.sender
    WHERE message.id BETWEEN ? AND ?
    ON CONFLICT (user_id, message_id) DO NOTHING
    """
)
_RECEIVING = Statement(
    """
    SELECT user.username
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.target
        CROSS JOIN connection ON connection.user_id = user.id
    WHERE message.id BETWEEN ? AND ? AND connection.expires > ?
    """
)
_PASS_TO_USERS = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing)
    SELECT user.id, message.id, 'message', TRUE
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.target
    WHERE message.id BETWEEN ? AND ? AND EXISTS (
        SELECT 1 FROM connection
        WHERE connection.user_id = user.id AND connection.expires > ?
    )
    """
)
_PASS_TO_SENDER = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing)
    SELECT user.id, message.id, 'message', TRUE
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.sender
    WHERE message.id BETWEEN ? AND ?
    ON CONFLICT (user_id, id) DO NOTHING
    """
)
# From those who receive to the members: most members of a large room do not.
_PASS_TO_MEMBERS = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing)
    SELECT connection.user_id, message.id, 'message', TRUE
    FROM message
        CROSS JOIN muc ON muc.id = CAST(message.target AS INTEGER)
        CROSS JOIN connection ON connection.app_id = message.app_id
        CROSS JOIN muc_member ON muc_member.muc_id = muc.id
            AND muc_member.user_id = connection.user_id
    WHERE message.id BETWEEN ? AND ?
        AND CAST(muc.id AS TEXT) = message.target
        AND muc.app_id = message.app_id AND muc.kind = ?
        AND connection.user_id IS NOT
            (SELECT id FROM user WHERE app_id = ? AND username = ?)
        AND connection.expires > ?
    ON CONFLICT (user_id, id) DO NOTHING
    """,
    postgresql="""
    INSERT INTO event (user_id, id, kind, passing)
    SELECT connection.user_id, message.id, 'message', TRUE
    FROM message
        JOIN muc ON muc.id = CASE WHEN message.target ~ '^[1-9][0-9]{0,17}$'
            THEN CAST(message.target AS BIGINT) END
        JOIN connection ON connection.app_id = message.app_id
        JOIN muc_member ON muc_member.muc_id = muc.id
            AND muc_member.user_id = connection.user_id
    WHERE message.id BETWEEN ? AND ?
        AND muc.app_id = message.app_id AND muc.kind = ?
        AND connection.user_id IS DISTINCT FROM
            (SELECT id FROM user WHERE app_id = ? AND username = ?)
        AND connection.expires > ?
    ON CONFLICT (user_id, id) DO NOTHING
    """,
)


def first_id(at_ms: int) -> int:
    """The least id of a message that is kept at this moment or later."""
    return OF_MESSAGES.first(at_ms)


def read_id(text: str) -> int:
    """The id that *text* is; 0, which no message has, where it is none of ours."""
    number = int(text) if _ID.fullmatch(text) else 0
    return number if number <= _LAST_ID else 0


def keep(app_id: int, outgoing: Outgoing, *, at_most: Quota) -> list[int]:
    """Keep a message for each of its targets; their ids, in the order of the targets.

    One transaction: the quota is taken, every message is on disk and in the queues of
    those who are to have them, or nothing is.
    Ids are taken under the write lock, so their order is the order of the commits and
    whoever reads up to an id never misses one below it.

    Raises:
        SenderMuted: the sender may not send messages of this kind.
        ResourceLimited: the targets would pass today's quota.
    """
    now = now_ms()
    head = (app_id, CHAT_TYPES[outgoing.target_type], outgoing.sender)
    rest = (
        now if outgoing.timestamp is None else outgoing.timestamp,
        outgoing.body,
        outgoing.ext,
        outgoing.online_only,
        outgoing.sync_device,
        outgoing.level,
    )
    first_target, *others = outgoing.targets
    queues = not outgoing.online_only and outgoing.target_type != "chatrooms"

    def write() -> list[int] | None:
        # The mute is looked for here, and not before: one that was answered stops every
        # later message. Not an error, which would undo what others write in the same
        # transaction.
        asked = OF_MESSAGES.asked(now, len(outgoing.targets))
        muted = (head[1], app_id, outgoing.sender, now)
        kept = _INSERT.one(asked, *head, first_target, *rest, *muted, now)
        if kept is None:
            return None
        quotas.use(app_id, at_most, len(outgoing.targets))
        first, anybody = kept
        ids = list(range(first, first + len(outgoing.targets)))
        if others:
            _INSERT_NEXT.run_many(
                [
                    (id_, *head, target, *rest)
                    for id_, target in zip(ids[1:], others, strict=True)
                ]
            )
        if queues:
            _queue(app_id, outgoing, ids)
        if anybody:
            _tell(app_id, outgoing, ids, now, passing=not queues)
        return ids

    to_users = queues and outgoing.target_type == "users"
    ids = database.write(app_id, write, _queue_for_users if to_users else None)
    if ids is None:
        raise SenderMuted
    return ids


def _queue(app_id: int, outgoing: Outgoing, ids: Sequence[int]) -> None:
    """Part of the transaction: members find the messages, now or later.

    And the sender's own devices; whoever is written to by name at the end of it.
    """
    if outgoing.target_type != "users":
        _QUEUE_FOR_MEMBERS.run(ids[0], ids[-1], app_id, outgoing.sender)
    if outgoing.sync_device:
        _QUEUE_FOR_SENDER.run(ids[0], ids[-1])


def _queue_for_users(kept: Sequence[list[int] | None]) -> None:
    """The end of a transaction that kept these for users, in the order of their ids."""
    each = [(ids[0], ids[-1]) for ids in kept if ids is not None]
    if each and not database.gives_ids():
        # Nobody else writes meanwhile, so all between were kept in this transaction.
        each = [(each[0][0], each[-1][1])]
    for first, last in each:
        _QUEUE_FOR_USERS.run(first, last)


def _tell(
    app_id: int, outgoing: Outgoing, ids: Sequence[int], now: int, *, passing: bool
) -> None:
    """Part of the transaction: who is receiving is to look.

    *passing*: the messages are in no queue; they are put beside it for these alone.
    """
    if passing:
        _pass(app_id, outgoing, ids, now)
    sender = (outgoing.sender,) if outgoing.sync_device else ()
    if outgoing.target_type != "users":
        database.wake(app_id, names=sender, mucs=outgoing.targets)
        return
    receiving = [name for (name,) in _RECEIVING.all(ids[0], ids[-1], now)]
    if receiving or sender:
        database.wake(app_id, names=(*dict.fromkeys(receiving), *sender))


def _pass(app_id: int, outgoing: Outgoing, ids: Sequence[int], now: int) -> None:
    if outgoing.target_type == "users":
        _PASS_TO_USERS.run(ids[0], ids[-1], now)
    else:
        kind = CHAT_KINDS[outgoing.target_type]
        _PASS_TO_MEMBERS.run(ids[0], ids[-1], kind, app_id, outgoing.sender, now)
    if outgoing.sync_device:
        _PASS_TO_SENDER.run(ids[0], ids[-1])
