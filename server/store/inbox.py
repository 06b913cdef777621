"""What one device reads: the queue and the events of its user, in one order.

One statement reads all of it, so that what it shows is of one moment: ids grow in the
order of the commits, and whoever was shown an id has been shown all of theirs below it.
"""

from dataclasses import dataclass
from typing import Any

from server.clock import now_ms
from server.kinds import Kept
from server.store.database import Statement
from server.store.database import write as write_together
from server.store.leases import Lease
from server.store.messages import first_id

_MOST = 100
"""Rows of each kind at a look: a reader holds no more than that in memory."""

_MESSAGE = """
    message.timestamp, message.id, message.chat_type, message.sender, message.target,
    message.body, message.ext
"""
READ = Statement(
    f"""
    SELECT * FROM (
        SELECT 0 AS half, waiting.message_id AS number, 'message' AS kind,
            CAST(NULL AS TEXT) AS data, {_MESSAGE}
        FROM waiting CROSS JOIN message ON message.id = waiting.message_id
        WHERE waiting.user_id = ? AND waiting.message_id > ?
        ORDER BY waiting.message_id LIMIT ?
    ) AS queued
    UNION ALL SELECT * FROM (
        SELECT 1 AS half, event.id AS number, event.kind, event.data, {_MESSAGE}
        FROM event LEFT JOIN message ON message.id = event.id
        WHERE event.user_id = ? AND event.id > ? AND (NOT event.passing OR event.id > ?)
        ORDER BY event.id LIMIT ?
    ) AS told
    UNION ALL
    SELECT 2, connection.id, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM connection WHERE connection.id = ?
    """
)
# Others may be behind, or come back to it by Last-Event-ID: for them it passes on.
_PASS_ON = Statement(
    """
    INSERT INTO event (user_id, id, kind, passing)
    SELECT user_id, message_id, 'message', TRUE FROM waiting
    WHERE user_id = ? AND message_id > ? AND message_id <= ?
    ON CONFLICT (user_id, id) DO NOTHING
    """
)
_TAKE_OUT = Statement("DELETE FROM waiting WHERE user_id = ? AND message_id <= ?")
_LET_PASS = Statement(
    """
    UPDATE event SET passing = TRUE
    WHERE user_id = ? AND id <= ? AND passing = FALSE
    """
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell a device."""

    id: int
    kind: str
    data: str | None
    """As JSON, where it is no message."""
    row: tuple[Any, ...]
    """Of a message, as :func:`history_records.line` takes it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there was beyond an id."""

    items: list[Item]
    upto: int
    """All of the user's up to this id has been shown."""
    more: bool
    leased: bool
    """False: the device may not receive any more."""


@dataclass(slots=True)
class Place:
    """How far a device has read."""

    upto: int
    passed: int
    """What passed up to this id is not for it."""


def place(lease: Lease, last_event_id: int, *, waits: Kept, passes: Kept) -> Place:
    """Where a device begins: at its queue's first, or after the id it names.

    An id that was not given yet is nobody's, and names no place.
    """
    now = now_ms()
    oldest = first_id(now - waits.value * 1000 + 1) - 1
    if not 0 < last_event_id <= lease.begins:
        return Place(oldest, lease.begins)
    passing = first_id(now - passes.value * 1000 + 1) - 1
    return Place(max(oldest, last_event_id), max(passing, last_event_id))


def look(lease: Lease, at: Place) -> Look:
    """What a device has not been shown yet."""
    user_id = lease.user_id
    rows = READ.all(
        user_id, at.upto, _MOST, user_id, at.upto, at.passed, _MOST, lease.id
    )
    halves = [[row for row in rows if row[0] == half] for half in (0, 1)]
    # What one half was cut off at, the other must not go beyond.
    cuts = [half[-1][1] for half in halves if len(half) == _MOST]
    shown = sorted((row for half in halves for row in half), key=lambda row: row[1])
    if cuts:
        shown = [row for row in shown if row[1] <= min(cuts)]
    return Look(
        [_item(row) for row in shown if row[3] is not None or row[4] is not None],
        upto=shown[-1][1] if shown else at.upto,
        more=bool(cuts),
        leased=any(row[0] == 2 for row in rows),
    )


def _item(row: tuple[Any, ...]) -> Item:
    # A message that was recalled before it was read is there no more: see look.
    return Item(row[1], row[2], row[3], tuple(row[4:]))


def acknowledge(app_id: int, user_id: int, upto: int, *, passes: Kept) -> int:
    """Take what a device has received out of the queue: how many messages.

    What is younger than *passes* states passes on to the user's other devices, of which
    one may be behind, or come back after a cut.
    """
    passing = first_id(now_ms() - passes.value * 1000 + 1) - 1

    def write() -> int:
        _PASS_ON.run(user_id, passing, upto)
        _LET_PASS.run(user_id, upto)
        return _TAKE_OUT.run(user_id, upto)

    return write_together(app_id, write)
