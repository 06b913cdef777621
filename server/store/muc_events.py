"""What members of groups and rooms are told, while they receive.

Nobody waits for it: who was away reads the group again. Each function is part of the
transaction that changes what it tells of.
"""

from collections.abc import Sequence

from server.clock import now_ms
from server.store import database, events
from server.store.database import Statement

_KINDS = {"group": "group", "chatroom": "room"}
_NAME = Statement("SELECT username FROM user WHERE id = ?")


def tell(
    app_id: int,
    kind: str,
    muc_id: int,
    change: str,
    user_ids: Sequence[int | None] = (),
    **more: object,
) -> None:
    """Tell the members, and the users it is about, who may be none any more."""
    if not events.anybody(app_id, now_ms()):
        return
    known = [each for each in user_ids if each is not None]
    about = [(each, str(_NAME.one(each)[0])) for each in known]
    said: dict[str, object] = {"id": str(muc_id), "change": change, **more}
    if about:
        said["users"] = [name for _, name in about]
    events.tell_members_online(app_id, _KINDS[kind], said, muc_id, also=about)
    if change == "destroyed":  # then nobody can tell any more who was in it
        database.wake(app_id)
