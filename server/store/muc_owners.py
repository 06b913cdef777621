"""What becomes of groups and rooms when a user is deleted."""

from server.store import muc_events
from server.store.database import Statement

OWNED = Statement(
    """
    SELECT count(CASE WHEN kind = 'group' THEN 1 END),
        count(CASE WHEN kind = 'chatroom' THEN 1 END)
    FROM muc WHERE owner_id = ?
    """
)
_OWNED_IDS = Statement("SELECT id, kind FROM muc WHERE owner_id = ?")
DESTROY = Statement("DELETE FROM muc WHERE owner_id = ?")
_COUNT = Statement(
    """
    UPDATE app SET group_count = group_count - ?, chatroom_count = chatroom_count - ?
    WHERE id = ?
    """
)
LEAVE = Statement(
    """
    UPDATE muc SET member_count = member_count - 1
    WHERE id IN (SELECT muc_id FROM muc_member WHERE user_id = ?)
    """
)


def forget(app_id: int, user_id: int) -> None:
    """Part of a transaction, before the user's row goes and its memberships with it.

    What they own is destroyed; what they are in has a member less.
    """
    groups, chatrooms = OWNED.one(user_id)
    if groups or chatrooms:
        for muc_id, kind in _OWNED_IDS.all(user_id):
            muc_events.tell(app_id, kind, muc_id, "destroyed")
        DESTROY.run(user_id)
        _COUNT.run(groups, chatrooms, app_id)
    LEAVE.run(user_id)
