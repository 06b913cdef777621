"""Messages, each kept once for every target, under ids that grow.

Whoever is to have one and is not receiving now finds it in their offline queue, put
there in the same transaction. History reads what is kept here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.kinds import Quota
from server.store import blocking_mutes, database, quotas
from server.store.database import Statement
from server.store.ids import OF_MESSAGES

CHAT_TYPES = {"users": "chat", "chatgroups": "groupchat", "chatrooms": "chatroom"}
"""A target type of the wire, as the history names the kind of chat."""


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
# The last id given is of a message that is kept, or of one that was recalled.
_INSERT = Statement(
    f"""
    INSERT INTO message (id, {_COLUMNS})
    SELECT max(
        ?,
        coalesce(max(id), 0) + 1,
        coalesce((SELECT max(id) FROM recalled), 0) + 1
    ), ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM message
    RETURNING id
    """,
    postgresql=f"""
    INSERT INTO message (id, {_COLUMNS})
    VALUES ({OF_MESSAGES.taken}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    RETURNING id
    """,
)
# What was kept just now, in the order of the joins: few messages, then their receivers.
_QUEUE_FOR_USERS = Statement(
    """
    INSERT INTO waiting (user_id, message_id)
    SELECT user.id, message.id
    FROM message CROSS JOIN user
        ON user.app_id = message.app_id AND user.username = message.target
    WHERE message.id BETWEEN ? AND ? AND NOT EXISTS (
        SELECT 1 FROM connection
        WHERE connection.user_id = user.id AND connection.expires > ?
    )
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
        AND NOT EXISTS (
            SELECT 1 FROM connection
            WHERE connection.user_id = muc_member.user_id AND connection.expires > ?
        )
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
        AND NOT EXISTS (
            SELECT 1 FROM connection
            WHERE connection.user_id = muc_member.user_id AND connection.expires > ?
        )
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
    those who do not receive it now, or nothing is.
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
        # Here, and not before: a mute that was answered stops every later message. Not
        # an error, which would undo what others write in the same transaction.
        if blocking_mutes.is_muted(app_id, outgoing.sender, head[1], now):
            return None
        quotas.use(app_id, at_most, len(outgoing.targets))
        asked = OF_MESSAGES.asked(now, len(outgoing.targets))
        (first,) = _INSERT.one(asked, *head, first_target, *rest)
        ids = list(range(first, first + len(outgoing.targets)))
        if others:
            _INSERT_NEXT.run_many(
                [
                    (id_, *head, target, *rest)
                    for id_, target in zip(ids[1:], others, strict=True)
                ]
            )
        if queues:
            _queue(app_id, outgoing, ids, now)
        return ids

    ids = database.write(app_id, write)
    if ids is None:
        raise SenderMuted
    return ids


def _queue(app_id: int, outgoing: Outgoing, ids: Sequence[int], now: int) -> None:
    """Part of the transaction: who is not receiving now finds the messages later."""
    if outgoing.target_type == "users":
        _QUEUE_FOR_USERS.run(ids[0], ids[-1], now)
    else:
        _QUEUE_FOR_MEMBERS.run(ids[0], ids[-1], app_id, outgoing.sender, now)
