"""Offline queues: what waits for a user until a device has received it.

``messages.keep`` fills them, inbox.py reads and empties them. A queue is read in the
order of message ids, which tell the time; an entry that is too old is gone for callers
before it is swept away.
"""

from collections.abc import Iterator

from server.clock import now_ms
from server.errors import NotFound
from server.kinds import Kept
from server.store.database import Statement, writing
from server.store.messages import first_id
from server.store.users import User, find

# Whoever is receiving now is being told what waits, and will say so.
_NOT_RECEIVING = """
    NOT EXISTS (
        SELECT 1 FROM connection
        WHERE connection.user_id = waiting.user_id AND connection.expires > ?
    )
"""
_COUNT = Statement(
    f"""
    SELECT count(*) FROM waiting
    WHERE user_id = ? AND message_id >= ? AND {_NOT_RECEIVING}
    """
)
_WAITS = Statement(
    f"""
    SELECT 1 FROM waiting
    WHERE user_id = ? AND message_id = ? AND {_NOT_RECEIVING}
    """
)
_OLD = Statement(
    """
    SELECT waiting.user_id, waiting.message_id, user.app_id
    FROM waiting CROSS JOIN user ON user.id = waiting.user_id
    WHERE waiting.message_id < ? LIMIT ?
    """
)
_REMOVE = Statement("DELETE FROM waiting WHERE user_id = ? AND message_id = ?")
_COUNT_ALL = Statement(
    "SELECT count(*) FROM (SELECT 1 FROM waiting LIMIT ?) AS counted"
)


def count_all(*, at_most: int) -> int:
    """How many entries wait, of all apps; *at_most* for that many or more.

    Those too old, that no sweep has removed yet, are counted too.
    """
    (waiting,) = _COUNT_ALL.one(at_most)
    return int(waiting)


def _known(app_id: int, name: str) -> User:
    found = find(app_id, name)
    if found is None:
        raise NotFound
    return found


def _oldest(now: int, kept: Kept) -> int:
    """The least id that still waits: what is as old as *kept* states is gone."""
    return first_id(now - kept.value * 1000 + 1)


def count(app_id: int, name: str, *, kept: Kept) -> int:
    """How many messages wait for the user of this name, those too old left out.

    Raises:
        NotFound: the app has no such user.
    """
    now = now_ms()
    (waiting,) = _COUNT.one(_known(app_id, name).id, _oldest(now, kept), now)
    return int(waiting)


def waits(app_id: int, name: str, message_id: int, *, kept: Kept) -> bool:
    """Whether this message waits for the user of this name.

    Raises:
        NotFound: the app has no such user.
    """
    now, found = now_ms(), _known(app_id, name)
    if message_id < _oldest(now, kept):
        return False
    return _WAITS.one(found.id, message_id, now) is not None


def sweep_offline(older_than_ms: int, *, batch: int) -> Iterator[int]:
    """Remove what was queued before this moment, in Unix ms: how many each time."""
    oldest = first_id(older_than_ms)
    while old := _OLD.all(oldest, batch):
        with writing(*{app_id for *_, app_id in old}):
            _REMOVE.run_many([(user_id, message_id) for user_id, message_id, _ in old])
        yield len(old)
