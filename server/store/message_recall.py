"""Recall: a message is taken back, out of the queues it waits in and the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from server.caller import App
from server.clock import now_ms
from server.kinds import Kept
from server.store import database
from server.store.database import Statement, writing
from server.store.messages import first_id


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Which message is to be taken back, and from whom."""

    message_id: int
    chat_type: str
    target: str
    """In the spelling it is kept in."""
    force: bool = False
    """However old it is."""


class Outcome(Enum):
    """What became of a withdrawal."""

    RECALLED = auto()
    UNKNOWN = auto()
    """There is none of this id in such a chat: never, no more, or in another app."""
    OTHER_TARGET = auto()
    TOO_OLD = auto()


_FIND = Statement("SELECT app_id, chat_type, target FROM message WHERE id = ?")
_REMOVE = Statement("DELETE FROM message WHERE id = ?")
_FORGET_LESSER = Statement("DELETE FROM recalled WHERE id < ?")
_REMEMBER = Statement(
    "INSERT INTO recalled (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM recalled)"
)


def recall(app: App, withdrawals: Iterable[Withdrawal], *, kept: Kept) -> list[Outcome]:
    """Take messages back, each by itself: what became of each, in order.

    What is not forced must be younger than *kept* states.
    """
    oldest = first_id(now_ms() - kept.value * 1000 + 1)
    return [_recall(app, each, oldest) for each in withdrawals]


def _recall(app: App, wanted: Withdrawal, oldest: int) -> Outcome:
    row = _FIND.one(wanted.message_id)
    if row is None or row[:2] != (app.id, wanted.chat_type):
        return Outcome.UNKNOWN
    if row[2] != wanted.target:
        return Outcome.OTHER_TARGET
    if wanted.message_id < oldest and not wanted.force:
        return Outcome.TOO_OLD
    with writing(app.id):
        # Of two that take one message back, one finds it there.
        if not _REMOVE.run(wanted.message_id):  # and from every queue (CASCADE)
            return Outcome.UNKNOWN
        if not database.gives_ids():  # which knows itself what it gave
            _FORGET_LESSER.run(wanted.message_id)
            _REMEMBER.run(wanted.message_id)
    return Outcome.RECALLED
