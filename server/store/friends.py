"""Friends: contacts, mutual, a row for each direction, in the order they were made.

Each write holds the write lock from its first look to its commit, so a list that was
counted has no other writer: of two calls for the last place the second is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.errors import (
    ContactsExceeded,
    IllegalArgument,
    InviterFull,
    NotFound,
)
from server.kinds import Membership
from server.store.database import Statement, writing
from server.store.users import User, find

NEWEST = (1 << 63) - 1
"""Lists run from the newest down: this is before the first of them."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A friend as the owner of the list sees them."""

    id: int
    username: str
    remark: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some contacts in order; *more*: others follow the last."""

    contacts: list[Contact]
    more: bool


@dataclass(slots=True)
class Imported:
    """What became of each name, as it was sent."""

    added: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


_COUNT = Statement("SELECT count(*) FROM contact WHERE owner_id = ?")
_ARE_FRIENDS = Statement("SELECT 1 FROM contact WHERE owner_id = ? AND friend_id = ?")
_ADD = Statement("INSERT INTO contact (owner_id, friend_id) VALUES (?, ?), (?, ?)")
_REMOVE = Statement("DELETE FROM contact WHERE owner_id = ? AND friend_id = ?")
_REMOVE_OWN = Statement("DELETE FROM contact WHERE owner_id = ?")
_REMOVE_FROM_OTHERS = Statement("DELETE FROM contact WHERE friend_id = ?")
_NAMES = Statement(
    """
    SELECT user.username FROM contact JOIN user ON user.id = contact.friend_id
    WHERE contact.owner_id = ? ORDER BY contact.id DESC
    """
)
_PAGE = Statement(
    """
    SELECT contact.id, user.username, contact.remark
    FROM contact JOIN user ON user.id = contact.friend_id
    WHERE contact.owner_id = ? AND contact.id < ? ORDER BY contact.id DESC LIMIT ?
    """
)
_REMARK = Statement(
    "UPDATE contact SET remark = ? WHERE owner_id = ? AND friend_id = ?"
)


def _known(app_id: int, name: str) -> User:
    found = find(app_id, name)
    if found is None:
        raise NotFound
    return found


def _pair(app_id: int, owner: str, friend: str) -> tuple[User, User]:
    return _known(app_id, owner), _known(app_id, friend)


def add(
    app_id: int, owner: str, friend: str, *, at_most: Membership
) -> tuple[User, User]:
    """Make two users contacts of each other: both. Who are already stay as they are.

    Raises:
        NotFound: the app has not both.
        IllegalArgument: they are one.
        ContactsExceeded: a list of theirs would be longer than *at_most* allows.
    """
    with writing(app_id):
        pair = one, other = _pair(app_id, owner, friend)
        if one.id == other.id:
            raise IllegalArgument
        if _ARE_FRIENDS.one(one.id, other.id) is None:
            for each in pair:
                at_most.check(_held_by(each) + 1, ContactsExceeded)
            _ADD.run(one.id, other.id, other.id, one.id)
    return pair


def _held_by(user: User) -> int:
    (count,) = _COUNT.one(user.id)
    return int(count)


def remove(app_id: int, owner: str, friend: str) -> tuple[User, User]:
    """End a friendship, if there is one: both users.

    Raises:
        NotFound: the app has not both.
    """
    with writing(app_id):
        pair = one, other = _pair(app_id, owner, friend)
        _REMOVE.run(one.id, other.id)
        _REMOVE.run(other.id, one.id)
    return pair


def remove_all(app_id: int, owner: str) -> None:
    """End every friendship of a user.

    Raises:
        NotFound: the app has no such user.
    """
    with writing(app_id):
        found = _known(app_id, owner)
        _REMOVE_OWN.run(found.id)
        _REMOVE_FROM_OTHERS.run(found.id)


def names(app_id: int, owner: str) -> list[str]:
    """The names of all contacts, the newest first.

    Raises:
        NotFound: the app has no such user.
    """
    return [name for (name,) in _NAMES.all(_known(app_id, owner).id)]


def page(app_id: int, owner: str, before: int, size: int) -> Page:
    """Up to *size* contacts made before the one with the id *before*, newest first.

    Raises:
        NotFound: the app has no such user.
    """
    rows = _PAGE.all(_known(app_id, owner).id, before, size + 1)
    return Page([Contact(*row) for row in rows[:size]], len(rows) > size)


def set_remark(app_id: int, owner: str, friend: str, remark: str | None) -> bool:
    """Note what the owner calls a contact; False: they are none.

    Raises:
        NotFound: the app has not both users.
    """
    with writing(app_id):
        one, other = _pair(app_id, owner, friend)
        return _REMARK.run(remark, one.id, other.id) == 1


def add_many(
    app_id: int, owner: str, friends: Sequence[str], *, at_most: Membership
) -> Imported:
    """Make many users contacts of one, as far as there is place in both lists.

    Raises:
        NotFound: the app has no such owner.
        InviterFull: the owner has no place for any.
    """
    imported = Imported()
    with writing(app_id):
        one = _known(app_id, owner)
        at_most.check(_held_by(one) + 1, InviterFull)
        for name in friends:
            _add_one_of_many(app_id, one, name, at_most, imported)
    return imported


def _add_one_of_many(
    app_id: int, one: User, name: str, at_most: Membership, imported: Imported
) -> None:
    other = find(app_id, name)
    if other is None:
        imported.unknown.append(name)
    elif other.id == one.id:
        imported.failed.append(name)
    elif _ARE_FRIENDS.one(one.id, other.id) is not None:
        imported.added.append(name)
    elif all(at_most.allows(_held_by(each) + 1) for each in (one, other)):
        _ADD.run(one.id, other.id, other.id, one.id)
        imported.added.append(name)
    else:
        imported.full.append(name)
