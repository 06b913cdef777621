"""Blacklists: whom a user wants no messages from, in the order they were listed.

Each write holds the write lock from its first look to its commit, so the list it counts
is the list it leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.errors import BlocksExceeded, IllegalArgument, NotFound
from server.kinds import Membership
from server.store.database import Statement, writing
from server.store.users import User, find

NEWEST = (1 << 63) - 1
"""Lists run from the newest down: this is before the first of them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Names in order; *last*: the id of the last entry if others follow it."""

    names: list[str]
    last: int | None = None


_COUNT = Statement("SELECT count(*) FROM block WHERE owner_id = ?")
_ADD = Statement(
    """
    INSERT INTO block (owner_id, blocked_id) VALUES (?, ?)
    ON CONFLICT (owner_id, blocked_id) DO NOTHING
    """
)
_REMOVE = Statement("DELETE FROM block WHERE owner_id = ? AND blocked_id = ?")
_PAGE = Statement(
    """
    SELECT block.id, user.username
    FROM block JOIN user ON user.id = block.blocked_id
    WHERE block.owner_id = ? AND block.id < ? ORDER BY block.id DESC LIMIT ?
    """
)
_NO_LIMIT = (1 << 63) - 1


def _known(app_id: int, name: str) -> User:
    found = find(app_id, name)
    if found is None:
        raise NotFound
    return found


def add(
    app_id: int, owner: str, names: Sequence[str], *, at_most: Membership
) -> list[str]:
    """Put users on a blacklist, all or none: the names listed now, each once.

    Raises:
        NotFound: the app has no such owner.
        IllegalArgument: a name is the owner's, or nobody's; the text tells the first.
        BlocksExceeded: the list would be longer than *at_most* allows.
    """
    with writing(app_id):
        listing = _known(app_id, owner)
        found = [(name, find(app_id, name)) for name in names]
        if any(user is not None and user.id == listing.id for _, user in found):
            raise IllegalArgument
        listed: dict[int, str] = {}
        for name, user in found:
            if user is None:
                message = (
                    f"attempt to adding new block[{name}] for user[{owner}],"
                    f"but user[{name}] not found."
                )
                raise IllegalArgument(message)
            listed[user.id] = user.username
        _ADD.run_many([(listing.id, blocked) for blocked in listed])
        (count,) = _COUNT.one(listing.id)
        at_most.check(count, BlocksExceeded)
    return list(listed.values())


def remove(app_id: int, owner: str, name: str) -> tuple[User, User]:
    """Take a user off a blacklist, if on it: the owner and the user.

    Raises:
        NotFound: the app has not both.
    """
    with writing(app_id):
        listing, listed = _known(app_id, owner), _known(app_id, name)
        _REMOVE.run(listing.id, listed.id)
    return listing, listed


def whole(app_id: int, owner: str) -> list[str]:
    """The names on a blacklist, the newest first.

    Raises:
        NotFound: the app has no such user.
    """
    rows = _PAGE.all(_known(app_id, owner).id, NEWEST, _NO_LIMIT)
    return [name for _, name in rows]


def page(app_id: int, owner: str, before: int, size: int) -> Page:
    """Up to *size* names listed before the entry with the id *before*, newest first.

    Raises:
        NotFound: the app has no such user.
    """
    rows = _PAGE.all(_known(app_id, owner).id, before, size + 1)
    names = [name for _, name in rows[:size]]
    return Page(names, rows[size - 1][0] if len(rows) > size else None)
