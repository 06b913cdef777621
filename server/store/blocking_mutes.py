"""Global mutes: users who may not send, by kind of chat, until a moment or for ever."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.errors import RequiredPropertyNotFound
from server.store.database import Statement, writing
from server.store.users import User, find

FOR_EVER = -1
LIFTED = 0
"""As a number of seconds: no mute."""

_LAST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Mute:
    """A mute that holds, and its seconds left; :data:`FOR_EVER`: it does not end."""

    username: str
    chat_type: str
    seconds: int


_LIFT = Statement("DELETE FROM mute WHERE user_id = ? AND chat_type = ?")
_SET = Statement(
    "INSERT INTO mute (app_id, user_id, chat_type, until) VALUES (?, ?, ?, ?)"
)
_OF_USER = Statement(
    """
    SELECT chat_type, until FROM mute
    WHERE user_id = ? AND (until = -1 OR until > ?)
    """
)
_PAGE = Statement(
    """
    SELECT user.username, mute.chat_type, mute.until
    FROM mute JOIN user ON user.id = mute.user_id
    WHERE mute.app_id = ? AND (mute.until = -1 OR mute.until > ?)
    ORDER BY mute.id DESC LIMIT ? OFFSET ?
    """
)
_ENDED = Statement(
    "SELECT id, app_id FROM mute WHERE until > -1 AND until <= ? LIMIT ?"
)
_REMOVE = Statement("DELETE FROM mute WHERE id = ?")
MUTE_THAT_HOLDS = """
    SELECT 1 FROM user JOIN mute ON mute.user_id = user.id AND mute.chat_type = ?
    WHERE user.app_id = ? AND user.username = ? AND (mute.until = -1 OR mute.until > ?)
"""
"""Of a chat type; of the app's user of this name, in lower case; at a moment."""


def _known(app_id: int, name: str) -> User:
    found = find(app_id, name)
    if found is None:
        raise RequiredPropertyNotFound
    return found


def _seconds_left(until: int, now: int) -> int:
    """Of a mute that holds: never 0, which would say that it does not."""
    return FOR_EVER if until == FOR_EVER else -((now - until) // 1000)


def change(app_id: int, name: str, seconds: Mapping[str, int]) -> None:
    """Mute a user for so many seconds by kind of chat; a new value replaces the old.

    Raises:
        RequiredPropertyNotFound: the app has no such user.
    """
    now = now_ms()
    with writing(app_id):
        found = _known(app_id, name)
        for chat_type, length in seconds.items():
            _LIFT.run(found.id, chat_type)
            if length != LIFTED:
                until = FOR_EVER if length == FOR_EVER else now + length * 1000
                _SET.run(app_id, found.id, chat_type, until)


def of_user(app_id: int, name: str) -> tuple[User, dict[str, int]]:
    """The user, and the seconds left of each mute that holds.

    Raises:
        RequiredPropertyNotFound: the app has no such user.
    """
    found, now = _known(app_id, name), now_ms()
    return found, {
        chat_type: _seconds_left(until, now)
        for chat_type, until in _OF_USER.all(found.id, now)
    }


def page(app_id: int, number: int, size: int) -> Sequence[Mute]:
    """The *number*-th page, from 1, of the mutes that hold, the last set first."""
    now = now_ms()
    skipped = min((number - 1) * size, _LAST)
    return [
        Mute(username, chat_type, _seconds_left(until, now))
        for username, chat_type, until in _PAGE.all(app_id, now, size, skipped)
    ]


def remove_ended(by_ms: int, *, batch: int) -> Iterator[int]:
    """Remove the mutes that ended by this moment; how many each time."""
    while ended := _ENDED.all(by_ms, batch):
        with writing(*{app_id for _, app_id in ended}):
            # A new value is a new row, so what ended stays so.
            _REMOVE.run_many([(id_,) for id_, _ in ended])
        yield len(ended)
