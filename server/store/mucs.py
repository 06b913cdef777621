"""Groups and chat rooms: one thing with two names, each function told which.

Ids are digits in one space for both, grow, and are never given twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from server.clock import now_ms
from server.errors import IllegalArgument
from server.kinds import Membership
from server.muc_errors import AppFull, BelowCount, UnknownMuc, UnknownUser
from server.store import file_storage, files, muc_entry, muc_events, users
from server.store.database import Statement, writing
from server.store.ids import OF_MUCS
from server.store.muc_entry import Caps, Named

Kind = Literal["group", "chatroom"]


@dataclass(frozen=True, slots=True)
class Muc:
    """One group or room, without its members."""

    id: int
    name: str
    description: str
    custom: str
    announcement: str
    public: bool
    members_only: bool
    allow_invites: bool
    invite_need_confirm: bool
    max_users: int
    mute_all: bool
    disabled: bool
    created: int
    modified: int
    member_count: int
    owner_id: int
    owner: str


@dataclass(frozen=True, slots=True)
class NewMuc:
    """What is wanted of a new one; names as the caller spelled them."""

    name: str
    description: str
    owner: str
    members: Sequence[str]
    max_users: int
    public: bool = True
    members_only: bool = False
    allow_invites: bool = False
    invite_need_confirm: bool = True
    custom: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them in order; *more*: others follow the last."""

    mucs: list[Muc]
    more: bool


# On SQLite: the one given last, whether its group is still there or not, says where an
# id is at least. On PostgreSQL its sequence gives it.
_NEXT_ID = Statement(
    """
    INSERT INTO last_muc (one, id) VALUES (1, ?)
    ON CONFLICT (one) DO UPDATE SET id = CASE
        WHEN last_muc.id < excluded.id THEN excluded.id ELSE last_muc.id + 1 END
    RETURNING id
    """,
    postgresql=f"SELECT {OF_MUCS.taken}",
)
LAST = (1 << 63) - 1
"""After every id, where lists that begin with the newest begin."""

_FIELDS = """
    muc.id, muc.name, muc.description, muc.custom, muc.announcement, muc.public,
    muc.members_only, muc.allow_invites, muc.invite_need_confirm, muc.max_users,
    muc.mute_all, muc.disabled, muc.created, muc.modified, muc.member_count,
    muc.owner_id, user.username
"""
_TRUTHS = (5, 6, 7, 8, 10, 11)
_FIND = Statement(
    f"""
    SELECT {_FIELDS} FROM muc CROSS JOIN user ON user.id = muc.owner_id
    WHERE muc.id = ? AND muc.app_id = ? AND muc.kind = ?
    """
)
PAGE = Statement(
    f"""
    SELECT {_FIELDS} FROM muc CROSS JOIN user ON user.id = muc.owner_id
    WHERE muc.app_id = ? AND muc.kind = ? AND muc.id < ? ORDER BY muc.id DESC LIMIT ?
    """
)
PAGE_OF = Statement(
    f"""
    SELECT {_FIELDS} FROM muc CROSS JOIN user ON user.id = muc.owner_id
    WHERE muc.app_id = ? AND muc.kind = ? AND muc.public = ? AND muc.id < ?
    ORDER BY muc.id DESC LIMIT ?
    """
)
JOINED = Statement(
    """
    SELECT muc.id, muc.name FROM muc_member CROSS JOIN muc ON muc.id = muc_member.muc_id
    WHERE muc_member.user_id = ? AND muc_member.kind = ?
    ORDER BY muc_member.id DESC LIMIT ? OFFSET ?
    """
)
_INSERT = Statement(
    """
    INSERT INTO muc (id, app_id, kind, name, description, custom, announcement, public,
        members_only, allow_invites, invite_need_confirm, max_users, owner_id, mute_all,
        disabled, created, modified, member_count)
    VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, FALSE, FALSE, ?, ?, 0)
    """
)
_SET = Statement(
    """
    UPDATE muc SET name = ?, description = ?, custom = ?, announcement = ?, public = ?,
        members_only = ?, allow_invites = ?, invite_need_confirm = ?, max_users = ?,
        mute_all = ?, disabled = ?, modified = ?
    WHERE id = ?
    """
)
_SETTABLE = (
    "name",
    "description",
    "custom",
    "announcement",
    "public",
    "members_only",
    "allow_invites",
    "invite_need_confirm",
    "max_users",
    "mute_all",
    "disabled",
)
SHARED = Statement("SELECT uuid FROM file WHERE muc_id = ?")
_DELETE = Statement("DELETE FROM muc WHERE id = ?")
_COUNT = {
    "group": Statement(
        """
        UPDATE app SET group_count = group_count + ? WHERE id = ?
        RETURNING group_count
        """
    ),
    "chatroom": Statement(
        """
        UPDATE app SET chatroom_count = chatroom_count + ? WHERE id = ?
        RETURNING chatroom_count
        """
    ),
}


def _muc(row: Sequence[object]) -> Muc:
    # SQLite keeps truth as 0 and 1; the wire wants JSON's own.
    fields = list(row)
    for n in _TRUTHS:
        fields[n] = bool(fields[n])
    return Muc(*fields)  # type: ignore[arg-type]  # the columns are the fields


def find(app_id: int, kind: Kind, muc_id: int) -> Muc | None:
    """The app's group or room of this id; None if there is none."""
    row = _FIND.one(muc_id, app_id, kind)
    return None if row is None else _muc(row)


def held(app_id: int, kind: Kind, muc_id: int) -> Muc:
    """
    Raises:
        UnknownMuc: there is none of this id, or it is another app's.
    """
    found = find(app_id, kind, muc_id)
    if found is None:
        raise UnknownMuc(muc_id)
    return found


def page(
    app_id: int, kind: Kind, before: int, size: int, *, public: bool | None = None
) -> Page:
    """Up to *size* made before the one with the id *before*, the newest first.

    *public*: only those that are, or only those that are not; None: all.
    """
    if public is None:
        rows = PAGE.all(app_id, kind, before, size + 1)
    else:
        rows = PAGE_OF.all(app_id, kind, public, before, size + 1)
    return Page([_muc(row) for row in rows[:size]], len(rows) > size)


def joined(
    app_id: int, kind: Kind, username: str, *, size: int | None, skip: int = 0
) -> list[tuple[int, str]]:
    """Id and name of what a user is in, the newest join first; *size* None: of all.

    Raises:
        UnknownUser: the app has no such user.
    """
    user = users.find(app_id, username)
    if user is None:
        raise UnknownUser(username)
    return JOINED.all(user.id, kind, LAST if size is None else size, min(skip, LAST))


def create(
    app_id: int, kind: Kind, new: NewMuc, *, caps: Caps, per_app: Membership
) -> int:
    """Make one with its owner and first members, all or nothing; its id.

    Raises:
        UnknownUser: the owner is.
        IllegalArgument: a member of a group is unknown (of a room: UnknownUser).
        MucFull, JoinedTooMany, AppFull: a limit is reached. What was counted still
            holds at the insert: nobody else writes in between.
    """
    now = now_ms()
    with writing(app_id):
        owner, *members = _first_members(app_id, kind, new)
        (muc_id,) = _NEXT_ID.one(OF_MUCS.asked(now))
        _INSERT.run(
            muc_id,
            app_id,
            kind,
            new.name,
            new.description,
            new.custom,
            new.public,
            new.members_only,
            new.allow_invites,
            new.invite_need_confirm,
            new.max_users,
            owner.user_id,
            now,
            now,
        )
        made = held(app_id, kind, muc_id)
        muc_entry.admit(muc_id, kind, [owner, *members], made, caps)
        joined = [each.user_id for each in (owner, *members)]
        muc_events.tell(app_id, kind, muc_id, "joined", joined)
        (count,) = _COUNT[kind].one(1, app_id)
        per_app.check(count, AppFull)
    return made.id


def _first_members(app_id: int, kind: Kind, new: NewMuc) -> list[Named]:
    """The owner and then the others."""
    owner, *members = muc_entry.look_up(app_id, [new.owner, *new.members])
    if owner.user_id is None:
        raise UnknownUser(owner.name)
    for member in members:
        if member.user_id is None and kind == "group":
            message = f"group member {member.name} doesn't exist"
            raise IllegalArgument(message)
        if member.user_id is None:
            raise UnknownUser(member.name)
    return [owner, *members]


def change(app_id: int, kind: Kind, muc_id: int, changes: Mapping[str, object]) -> None:
    """Apply *changes*, whose keys are names of :class:`Muc`'s fields.

    Raises:
        UnknownMuc: there is none of this id.
        BelowCount: it has more members than it shall have room for.
    """
    with writing(app_id):
        found = held(app_id, kind, muc_id)
        wanted = changes.get("max_users")
        if isinstance(wanted, int) and wanted < found.member_count:
            raise BelowCount
        values = [changes.get(field, getattr(found, field)) for field in _SETTABLE]
        _SET.run(*values, now_ms(), muc_id)
        muc_events.tell(app_id, kind, muc_id, "changed", fields=sorted(changes))


def destroy(app_id: int, kind: Kind, muc_id: int) -> None:
    """Remove one and all that is in it (CASCADE), the bytes of its files last.

    Raises:
        UnknownMuc: there is none of this id.
    """
    with writing(app_id):
        held(app_id, kind, muc_id)
        shared = SHARED.all(muc_id)
        muc_events.tell(app_id, kind, muc_id, "destroyed")
        _DELETE.run(muc_id)
        _COUNT[kind].one(-1, app_id)
    for (uuid,) in shared:
        file_storage.forget(files.key_of(uuid))
