"""Members of groups and rooms, in the order they joined."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from server.muc_errors import AlreadyIn, NotMembers, UnknownUser
from server.store import muc_entry, muc_events, mucs
from server.store.database import Statement, writing
from server.store.muc_entry import Caps, Named
from server.store.mucs import LAST, Kind, Muc


class Why(Enum):
    """What kept one name of many from what was asked."""

    UNKNOWN = auto()
    NOT_IN = auto()
    OWNER = auto()
    NOT_BLOCKED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a name, in the caller's spelling; *why* None: it is done."""

    name: str
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Some members in order; *last*: where the next page begins, None: nowhere."""

    names: list[str]
    last: int | None


ALL = Statement(
    """
    SELECT user.username FROM muc_member CROSS JOIN user ON user.id = muc_member.user_id
    WHERE muc_member.muc_id = ? ORDER BY muc_member.id
    """
)
_ID = re.compile(r"[1-9][0-9]{0,17}")
_IDS = Statement(
    """
    SELECT muc_member.user_id
    FROM muc CROSS JOIN muc_member ON muc_member.muc_id = muc.id
    WHERE muc.id = ? AND muc.app_id = ?
    """
)
_OTHERS = """
    SELECT muc_member.id, user.username
    FROM muc_member CROSS JOIN user ON user.id = muc_member.user_id
    WHERE muc_member.muc_id = ? AND muc_member.user_id <> ?
"""
OLDEST = Statement(f"{_OTHERS} ORDER BY muc_member.id LIMIT ? OFFSET ?")
NEWEST = Statement(f"{_OTHERS} ORDER BY muc_member.id DESC LIMIT ? OFFSET ?")
AFTER = Statement(f"{_OTHERS} AND muc_member.id > ? ORDER BY muc_member.id LIMIT ?")
BEFORE = Statement(
    f"{_OTHERS} AND muc_member.id < ? ORDER BY muc_member.id DESC LIMIT ?"
)


def ids_of(app_id: int, mucs: Iterable[str]) -> list[int]:
    """The users in any of these groups and rooms, given by the text of their id."""
    found: list[int] = []
    for text in mucs:
        if _ID.fullmatch(text):
            found += [user_id for (user_id,) in _IDS.all(int(text), app_id)]
    return found


def every(muc: Muc) -> list[str]:
    """The names of all members, the owner's among them."""
    return [name for (name,) in ALL.all(muc.id)]


def page(muc: Muc, *, number: int, size: int, newest: bool) -> list[str]:
    """Page *number*, from 1, of the members: the owner, then the others by joining."""
    start = (number - 1) * size
    if start > muc.member_count:
        return []
    owner = [muc.owner] if start == 0 else []
    statement = NEWEST if newest else OLDEST
    rows = statement.all(muc.id, muc.owner_id, size - len(owner), max(start - 1, 0))
    return owner + [name for _, name in rows]


def others(muc: Muc, *, after: int, size: int, newest: bool) -> Names:
    """Up to *size* members but the owner after the place *after*, 0 for the first."""
    statement = BEFORE if newest else AFTER
    place = after or (LAST if newest else 0)
    rows = statement.all(muc.id, muc.owner_id, place, size + 1)
    shown = rows[:size]
    more = len(rows) > size
    return Names([name for _, name in shown], shown[-1][0] if more else None)


def is_joined(app_id: int, kind: Kind, muc_id: int, username: str) -> bool:
    """Whether a user, whom the app need not have, is a member.

    Raises:
        UnknownMuc: there is no such group or room.
    """
    mucs.held(app_id, kind, muc_id)
    (named,) = muc_entry.look_up(app_id, [username])
    return muc_entry.is_member(muc_id, named)


def add(
    app_id: int, kind: Kind, muc_id: int, names: Sequence[str], *, caps: Caps
) -> list[str]:
    """Let users in, all or nobody; the names of those who were not in yet.

    Raises:
        UnknownMuc, UnknownUser: there is none, or the first who is.
        AlreadyIn: all of them are; names the first.
        Blocked, MucFull, JoinedTooMany: for the first who cannot.
    """
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        named = muc_entry.look_up(app_id, names)
        for each in named:
            if each.user_id is None:
                raise UnknownUser(each.name)
        newcomers = [each for each in named if not muc_entry.is_member(muc_id, each)]
        if not newcomers:
            raise AlreadyIn(named[0].name, muc_id)
        muc_entry.admit(muc_id, kind, newcomers, muc, caps)
        joined = [each.user_id for each in newcomers]
        muc_events.tell(app_id, kind, muc_id, "joined", joined)
    return [each.name for each in newcomers]


def remove(app_id: int, kind: Kind, muc_id: int, names: Sequence[str]) -> list[Outcome]:
    """Take members out, but never the owner.

    Raises:
        UnknownMuc: there is no such group or room.
        NotMembers: none of them is one.
    """
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        outcomes = among(app_id, muc, names)
        gone = [named.user_id for each, named in outcomes if each.why is None]
        for user_id in gone:
            if user_id is not None:
                muc_entry.dismiss(muc_id, kind, user_id)
        muc_events.tell(app_id, kind, muc_id, "left", gone)
    return [each for each, _ in outcomes]


def among(app_id: int, muc: Muc, names: Sequence[str]) -> list[tuple[Outcome, Named]]:
    """Part of a transaction: which of the names are members, and which cannot be.

    Raises:
        NotMembers: none of them is one.
    """
    found: list[tuple[Outcome, Named]] = []
    for named in muc_entry.look_up(app_id, names):
        why = None
        if named.user_id is None:
            why = Why.UNKNOWN
        elif named.user_id == muc.owner_id:
            why = Why.OWNER
        elif not muc_entry.is_member(muc.id, named):
            why = Why.NOT_IN
        found.append((Outcome(named.name, why), named))
    if all(each.why in (Why.UNKNOWN, Why.NOT_IN) for each, _ in found):
        raise NotMembers(each.name for each, _ in found)
    return found
