"""Messages, each kept once for every target, under ids that grow.

Offline queues, history and group delivery read what is kept here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.kinds import Quota
from server.store import database, quotas
from server.store.database import Statement

CHAT_TYPES = {"users": "chat", "chatgroups": "groupchat", "chatrooms": "chatroom"}
"""A target type of the wire, as the history names the kind of chat."""


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


# An id is the Unix milliseconds shifted by this much, or the next number after the last
# id given when that is larger: decimal digits that grow, and fit 64 bits with sign.
_TIME_SHIFT = 20
_COLUMNS = """
    app_id, chat_type, sender, target, timestamp, body, ext, online_only, sync_device,
    level
"""
_INSERT = Statement(
    f"""
    INSERT INTO message (id, {_COLUMNS})
    SELECT max(?, coalesce(max(id), 0) + 1), ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM message
    RETURNING id
    """
)
_INSERT_NEXT = Statement(
    f"INSERT INTO message (id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def keep(app_id: int, outgoing: Outgoing, *, at_most: Quota) -> list[int]:
    """Keep a message for each of its targets; their ids, in the order of the targets.

    One transaction: the quota is taken and every message is on disk, or nothing is.
    Ids are taken under the write lock, so their order is the order of the commits and
    whoever reads up to an id never misses one below it.

    Raises:
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

    def write() -> list[int]:
        quotas.use(app_id, at_most, len(outgoing.targets))
        (first,) = _INSERT.one(now << _TIME_SHIFT, *head, first_target, *rest)
        ids = list(range(first, first + len(outgoing.targets)))
        if others:
            _INSERT_NEXT.run_many(
                [
                    (id_, *head, target, *rest)
                    for id_, target in zip(ids[1:], others, strict=True)
                ]
            )
        return ids

    return database.write(write)
