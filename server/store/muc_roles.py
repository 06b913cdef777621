"""Administrators of groups and rooms, and whose they are; super administrators."""

from server.kinds import Membership
from server.muc_errors import (
    AdminsFull,
    AlreadyAdmin,
    IsOwner,
    NotAdmin,
    NotIn,
    SameOwner,
    UnknownUser,
)
from server.store import muc_entry, muc_events, mucs, users
from server.store.database import Statement, writing
from server.store.mucs import Kind

ADMINS = Statement(
    """
    SELECT user.username FROM muc_member CROSS JOIN user ON user.id = muc_member.user_id
    WHERE muc_member.muc_id = ? AND muc_member.admin ORDER BY muc_member.id
    """
)
ADMIN_COUNT = Statement("SELECT count(*) FROM muc_member WHERE muc_id = ? AND admin")
_IS_ADMIN = Statement("SELECT admin FROM muc_member WHERE muc_id = ? AND user_id = ?")
_SET_ADMIN = Statement(
    "UPDATE muc_member SET admin = ? WHERE muc_id = ? AND user_id = ?"
)
_PLAIN = Statement(
    """
    UPDATE muc_member SET admin = FALSE, allowed = FALSE
    WHERE muc_id = ? AND user_id = ?
    """
)
_UNMUTE = Statement("DELETE FROM muc_mute WHERE muc_id = ? AND user_id = ?")
_SET_OWNER = Statement("UPDATE muc SET owner_id = ? WHERE id = ?")
SUPER_ADMINS = Statement(
    """
    SELECT user.username
    FROM super_admin CROSS JOIN user ON user.id = super_admin.user_id
    WHERE super_admin.app_id = ? ORDER BY super_admin.id LIMIT ? OFFSET ?
    """
)
_ADD_SUPER_ADMIN = Statement(
    """
    INSERT INTO super_admin (app_id, user_id) VALUES (?, ?)
    ON CONFLICT (user_id) DO NOTHING
    """
)
_REMOVE_SUPER_ADMIN = Statement("DELETE FROM super_admin WHERE user_id = ?")


def admins(app_id: int, kind: Kind, muc_id: int) -> list[str]:
    """The administrators, without the owner.

    Raises:
        UnknownMuc: there is no such group or room.
    """
    mucs.held(app_id, kind, muc_id)
    return [name for (name,) in ADMINS.all(muc_id)]


def is_admin(app_id: int, muc_id: int, username: str) -> bool:
    """Whether a user is an administrator of it; the owner is none."""
    (named,) = muc_entry.look_up(app_id, [username])
    membership = _IS_ADMIN.one(muc_id, named.user_id)
    return membership is not None and bool(membership[0])


def promote(
    app_id: int, kind: Kind, muc_id: int, username: str, *, at_most: Membership
) -> None:
    """Make a member an administrator. Counted and set in one transaction.

    Raises:
        UnknownMuc, UnknownUser, IsOwner, NotIn, AlreadyAdmin: what is in the way.
        AdminsFull: there are as many as *at_most* allows.
    """
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        (named,) = muc_entry.look_up(app_id, [username])
        if named.user_id is None:
            raise UnknownUser(username)
        if named.user_id == muc.owner_id:
            raise IsOwner
        membership = _IS_ADMIN.one(muc_id, named.user_id)
        if membership is None:
            raise NotIn(username, muc_id)
        if membership[0]:
            raise AlreadyAdmin(username, muc_id)
        (count,) = ADMIN_COUNT.one(muc_id)
        at_most.check(count + 1, AdminsFull, "admins exceed the limit of {max}")
        _SET_ADMIN.run(True, muc_id, named.user_id)
        muc_events.tell(app_id, kind, muc_id, "admin_added", [named.user_id])


def demote(app_id: int, kind: Kind, muc_id: int, username: str) -> None:
    """Make an administrator a member again.

    Raises:
        UnknownMuc: there is no such group or room.
        NotAdmin: it is nobody, or no administrator.
    """
    with writing(app_id):
        mucs.held(app_id, kind, muc_id)
        (named,) = muc_entry.look_up(app_id, [username])
        membership = _IS_ADMIN.one(muc_id, named.user_id)
        if membership is None or not membership[0]:
            raise NotAdmin(username, muc_id)
        _SET_ADMIN.run(False, muc_id, named.user_id)
        muc_events.tell(app_id, kind, muc_id, "admin_removed", [named.user_id])


def transfer(app_id: int, kind: Kind, muc_id: int, username: str) -> None:
    """Give it to a member, who leaves its lists; the old owner becomes a plain one.

    Nobody comes in by this, so no count changes.

    Raises:
        UnknownMuc: there is no such group or room.
        SameOwner: it is theirs.
        NotIn: they are nobody, or no member.
    """
    with writing(app_id):
        muc = mucs.held(app_id, kind, muc_id)
        (named,) = muc_entry.look_up(app_id, [username])
        if named.user_id == muc.owner_id:
            raise SameOwner
        if not muc_entry.is_member(muc_id, named):
            raise NotIn(username, muc_id)
        _SET_OWNER.run(named.user_id, muc_id)
        _PLAIN.run(muc_id, named.user_id)
        _PLAIN.run(muc_id, muc.owner_id)
        _UNMUTE.run(muc_id, named.user_id)
        muc_events.tell(app_id, kind, muc_id, "owner_changed", [named.user_id])


def super_admins(app_id: int, *, number: int, size: int) -> list[str]:
    """Page *number*, from 1, of the app's super administrators, first added first."""
    skip = min((number - 1) * size, mucs.LAST)
    return [name for (name,) in SUPER_ADMINS.all(app_id, size, skip)]


def add_super_admin(app_id: int, username: str) -> None:
    """Put a user on the list; who is on it stays.

    Raises:
        UnknownUser: the app has no such user.
    """
    with writing(app_id):
        user = users.find(app_id, username)
        if user is None:
            raise UnknownUser(username)
        _ADD_SUPER_ADMIN.run(app_id, user.id)


def remove_super_admin(app_id: int, username: str) -> None:
    """Take a user off the list.

    Raises:
        UnknownUser: the app has no such user, or it is none of these.
    """
    with writing(app_id):
        user = users.find(app_id, username)
        if user is None or not _REMOVE_SUPER_ADMIN.run(user.id):
            raise UnknownUser(username)
