"""Recall: a message is taken back, out of the queues it waits in and the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from server.caller import App
from server.clock import now_ms
from server.kinds import Kept
from server.store import database, events, users
from server.store.database import Statement, writing
from server.store.messages import first_id, read_id


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


_FIND = Statement(
    """
    SELECT app_id, chat_type, target, sender, sync_device FROM message WHERE id = ?
    """
)
_REMOVE = Statement("DELETE FROM message WHERE id = ?")


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
            events.remember(wanted.message_id)
        _tell(app.id, wanted, row[3] if row[4] else None)
    return Outcome.RECALLED


def _tell(app_id: int, wanted: Withdrawal, synced_sender: str | None) -> None:
    """Part of the transaction: whoever may have received it is to forget it.

    They wait for that as they did for the message; of a room, nobody did.
    """
    said: dict[str, object] = {
        "msg_id": str(wanted.message_id),
        "chat_type": wanted.chat_type,
        "to": wanted.target,
    }
    names = {wanted.target} if wanted.chat_type == "chat" else set()
    if synced_sender is not None:
        names.add(synced_sender)
    found = [users.find(app_id, name) for name in sorted(names)]
    known = [(each.id, each.username) for each in found if each is not None]
    if wanted.chat_type == "groupchat" and (group := read_id(wanted.target)):
        events.tell_members(app_id, "recall", said, group)
    elif wanted.chat_type == "chatroom" and (room := read_id(wanted.target)):
        events.tell_members_online(app_id, "recall", said, room, also=known)
        return
    events.tell_users(app_id, "recall", said, known)
