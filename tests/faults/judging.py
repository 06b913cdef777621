"""What must hold of messages that are kept, whatever happened to the server."""

from collections.abc import Callable
from typing import Any

from tests.hosts.fleet import TARGETS
from tests.hosts.judging import out_of_order, wrongly_kept
from tests.hosts.load import Calls

_WAITING = (
    "SELECT message.id, count(waiting.message_id) FROM message"
    " LEFT JOIN waiting ON waiting.message_id = message.id"
    " GROUP BY message.id HAVING count(waiting.message_id) != 1"
)


def wrongs(calls: Calls, rows: Callable[[str], list[tuple[Any, ...]]]) -> list[str]:
    """What the answers have against what is kept; *rows* asks the database."""
    kept = rows("SELECT id, target, body FROM message")
    wrong = wrongly_kept(calls.outcomes, kept, TARGETS)
    wrong += [f"{pair} are out of order" for pair in out_of_order(calls.of("messages"))]
    wrong += [f"message {id_} waits {times} times" for id_, times in rows(_WAITING)]
    ((used,),) = rows("SELECT coalesce(sum(used), 0) FROM quota_use")
    if used != len(kept):
        wrong.append(f"the quota counted {used} recipients, {len(kept)} are there")
    return wrong
