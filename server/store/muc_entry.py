"""Who is meant and who may come in: what every way into a group or room shares.

Nothing here is a transaction; each function is part of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from server.kinds import Membership
from server.muc_errors import Blocked, JoinedTooMany, MucFull
from server.store import users
from server.store.database import Statement


@dataclass(frozen=True, slots=True)
class Caps:
    """The figures that whoever comes in is held to."""

    joined: Membership
    """How many groups, or rooms, one user may be in."""
    members: Membership
    """How many members one may have, whatever capacity it was given."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name as the caller spelled it, and whose it is; None: nobody's."""

    name: str
    user_id: int | None


class Room(Protocol):
    """What has room for so many."""

    @property
    def max_users(self) -> int: ...

    @property
    def member_count(self) -> int: ...


IS_MEMBER = Statement("SELECT 1 FROM muc_member WHERE muc_id = ? AND user_id = ?")
JOINED_COUNT = Statement(
    "SELECT count(*) FROM muc_member WHERE user_id = ? AND kind = ?"
)
_IS_BLOCKED = Statement("SELECT 1 FROM muc_block WHERE muc_id = ? AND user_id = ?")
_JOIN = Statement(
    """
    INSERT INTO muc_member (muc_id, user_id, kind, admin, allowed)
    VALUES (?, ?, ?, FALSE, FALSE)
    """
)
_LEAVE = Statement("DELETE FROM muc_member WHERE muc_id = ? AND user_id = ?")
_UNMUTE = Statement("DELETE FROM muc_mute WHERE muc_id = ? AND user_id = ?")
_ADD_COUNT = Statement("UPDATE muc SET member_count = member_count + ? WHERE id = ?")


def look_up(app_id: int, names: Sequence[str]) -> list[Named]:
    """Whose the names are, each user once: names in any case, or uuids."""
    found: list[Named] = []
    seen: set[object] = set()
    for name in names:
        user = users.find(app_id, name)
        key: object = name.lower() if user is None else user.id
        if key not in seen:
            seen.add(key)
            found.append(Named(name, None if user is None else user.id))
    return found


def is_member(muc_id: int, named: Named) -> bool:
    """Whether the named one is in it; nobody is not."""
    if named.user_id is None:
        return False
    return IS_MEMBER.one(muc_id, named.user_id) is not None


def admit(
    muc_id: int, kind: str, newcomers: Sequence[Named], room: Room, caps: Caps
) -> None:
    """Let all of *newcomers* in, who exist and are not members yet.

    The caller's transaction holds the write lock since before *room* was read, so of
    two calls for the last place the second finds none.

    Raises:
        Blocked, MucFull, JoinedTooMany: for the first who cannot.
    """
    for each in newcomers:
        if _IS_BLOCKED.one(muc_id, each.user_id) is not None:
            raise Blocked(each.name, muc_id)
    count = room.member_count + len(newcomers)
    if not caps.members.allows(count):
        raise MucFull(muc_id, caps.members.breach(count))
    if count > room.max_users:
        raise MucFull(muc_id)
    for each in newcomers:
        (joined,) = JOINED_COUNT.one(each.user_id, kind)
        if not caps.joined.allows(joined + 1):
            raise JoinedTooMany(each.name, caps.joined.breach(joined + 1))
    _JOIN.run_many([(muc_id, each.user_id, kind) for each in newcomers])
    _ADD_COUNT.run(len(newcomers), muc_id)


def dismiss(muc_id: int, kind: str, user_id: int) -> None:
    """Take a member out, with what they had there. A room's mute stays."""
    _LEAVE.run(muc_id, user_id)
    _ADD_COUNT.run(-1, muc_id)
    if kind == "group":
        _UNMUTE.run(muc_id, user_id)
