"""Messages whose time is over, removed a few at a time."""

from collections.abc import Iterator

from server.store.database import Statement, writing
from server.store.messages import first_id

# Ids tell when a message was sent; its timestamp may be a moment of the caller's
# choice, and one of a later hour must still be there for that hour's history.
_OLD = Statement(
    """
    SELECT id, timestamp < ?, app_id FROM message
    WHERE id > ? AND id < ? ORDER BY id LIMIT ?
    """
)
_DELETE = Statement("DELETE FROM message WHERE id = ?")


def delete_older(
    sent_before_ms: int, timestamp_before_ms: int, *, batch: int
) -> Iterator[int]:
    """Delete messages that are older in both ways; how many each time.

    A batch is a transaction, so that no send waits for more than one.
    """
    last, end = 0, first_id(sent_before_ms)
    while rows := _OLD.all(timestamp_before_ms, last, end, batch):
        last = rows[-1][0]
        old = [(id_, app_id) for id_, over, app_id in rows if over]
        if old:
            with writing(*{app_id for _, app_id in old}):
                for id_, _ in old:
                    _DELETE.run(id_)
        yield len(old)
