"""Users: accounts of an app, in the order they were made."""

import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.errors import ResourceLimited
from server.kinds import Membership
from server.store import leases, muc_owners
from server.store.database import Statement, writing


@dataclass(frozen=True, slots=True)
class User:
    """One account; None stands for what was never set."""

    id: int
    uuid: str
    username: str
    created: int
    modified: int
    activated: bool
    nickname: str | None
    display_style: int | None
    no_disturbing: bool | None
    no_disturbing_start: int | None
    no_disturbing_end: int | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """A registration; *password_hash* None: cannot sign in with a password."""

    username: str
    password_hash: str | None
    nickname: str | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a token of a user is checked against, or made from."""

    user: User
    password_hash: str | None
    token_key: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some users in order; *more*: others follow the last."""

    users: list[User]
    more: bool


_FIELDS = (
    "id, uuid, username, created, modified, activated, nickname, display_style,"
    " no_disturbing, no_disturbing_start, no_disturbing_end"
)
_BY_NAME = Statement(f"SELECT {_FIELDS} FROM user WHERE app_id = ? AND username = ?")
_BY_UUID = Statement(f"SELECT {_FIELDS} FROM user WHERE app_id = ? AND uuid = ?")
_SIGN_IN = Statement(
    f"""
    SELECT {_FIELDS}, password_hash, token_key FROM user
    WHERE app_id = ? AND username = ?
    """
)
_FOR_TOKEN = Statement(
    "SELECT username, activated, token_key FROM user WHERE id = ? AND app_id = ?"
)
_TOKEN_KEY = Statement("SELECT token_key FROM user WHERE id = ?")
_PAGE = Statement(
    f"SELECT {_FIELDS} FROM user WHERE app_id = ? AND id > ? ORDER BY id LIMIT ?"
)
_INSERT = Statement(
    """
    INSERT INTO user (app_id, username, uuid, password_hash, token_key, created,
        modified, activated, nickname)
    VALUES (?, ?, ?, ?, ?, ?, ?, TRUE, ?)
    ON CONFLICT (app_id, username) DO NOTHING
    """
)
_COUNT = Statement("SELECT user_count FROM app WHERE id = ?")
_ADD_COUNT = Statement("UPDATE app SET user_count = user_count + ? WHERE id = ?")
_SET_PASSWORD = Statement(
    "UPDATE user SET password_hash = ?, token_key = ?, modified = ? WHERE id = ?"
)
_SET_PUSH = Statement(
    """
    UPDATE user SET nickname = ?, display_style = ?, no_disturbing = ?,
        no_disturbing_start = ?, no_disturbing_end = ?, modified = ?
    WHERE id = ?
    """
)
_SET_NICKNAME = Statement(
    """
    UPDATE user SET nickname = ?, modified = ?
    WHERE app_id = ? AND username = ?
    """
)
_ATTRIBUTE_BYTES = Statement("SELECT size FROM attributes WHERE user_id = ?")
_FORGET_ATTRIBUTES = Statement(
    "UPDATE app SET attribute_bytes = attribute_bytes - ? WHERE id = ?"
)
_DELETE = Statement("DELETE FROM user WHERE id = ?")
_ONLINE = Statement(
    """
    SELECT 1 FROM connection JOIN user ON user.id = connection.user_id
    WHERE user.app_id = ? AND user.username = ? AND connection.expires > ? LIMIT 1
    """
)


def _user(row: Sequence[object]) -> User:
    # SQLite keeps truth as 0 and 1; the wire wants JSON's own.
    fields = list(row)
    fields[5] = bool(fields[5])
    fields[8] = None if fields[8] is None else bool(fields[8])
    return User(*fields)  # type: ignore[arg-type]  # the columns are the fields


def looks_like_uuid(name: str) -> bool:
    """Whether *name* has the shape of a user's uuid, and so is no user's name."""
    if len(name) != 36 or name.count("-") != 4:
        return False
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False


def find(app_id: int, name: str) -> User | None:
    """The user of this name in any case, or of this uuid; None if there is none."""
    name = name.lower()
    if looks_like_uuid(name):
        row = _BY_UUID.one(app_id, name)
    else:
        row = _BY_NAME.one(app_id, name)
    return None if row is None else _user(row)


def sign_in(app_id: int, username: str) -> SignIn | None:
    """What a password or ``inherit`` grant needs to know; None: no such user."""
    row = _SIGN_IN.one(app_id, username.lower())
    return None if row is None else SignIn(_user(row[:-2]), row[-2], bytes(row[-1]))


def token_key(user_id: int) -> bytes:
    """Part of every token of a user that is good."""
    row = _TOKEN_KEY.one(user_id)
    return b"" if row is None else bytes(row[0])


def named_by_token(app_id: int, user_id: int, token_key: bytes) -> str | None:
    """The name of the user a token speaks for; None: the token is revoked.

    It is when the user was deleted or deactivated, or has a new token key.
    """
    row = _FOR_TOKEN.one(user_id, app_id)
    if row is None or not row[1] or not secrets.compare_digest(row[2], token_key):
        return None
    name: str = row[0]
    return name


def add(
    app_id: int, users: Iterable[NewUser], *, at_most: Membership
) -> tuple[list[User], list[str]]:
    """Register users in order: those registered, and the names that were taken.

    All or nothing where the edition's figure refuses. The write lock is held from the
    first look to the commit, so of two calls with one name the second finds it taken.

    Raises:
        ResourceLimited: the app would hold more users than *at_most* allows.
    """
    made: list[User] = []
    taken: list[str] = []
    now = now_ms()
    with writing(app_id):
        for new in users:
            token_key = secrets.token_bytes(8)
            inserted = _INSERT.run(
                app_id,
                new.username,
                str(uuid.uuid4()),
                new.password_hash,
                token_key,
                now,
                now,
                new.nickname,
            )
            if inserted:
                made.append(_user(_BY_NAME.one(app_id, new.username)))
            else:
                taken.append(new.username)
        if made:
            (count,) = _COUNT.one(app_id)
            at_most.check(count + len(made), ResourceLimited)
            _ADD_COUNT.run(len(made), app_id)
    return made, taken


def page(app_id: int, after: int, size: int) -> Page:
    """Up to *size* users made after the one with the id *after* (0: from the first)."""
    rows = _PAGE.all(app_id, after, size + 1)
    return Page([_user(row) for row in rows[:size]], len(rows) > size)


def delete(app_id: int, name: str) -> User | None:
    """Remove a user and all that is theirs; who it was, or None if there is none."""
    with writing(app_id):
        found = find(app_id, name)
        if found is not None:
            _remove(app_id, [found])
    return found


def delete_page(app_id: int, after: int, size: int) -> Page:
    """Remove the next *size* users; they, and whether any are left behind them."""
    with writing(app_id):
        doomed = page(app_id, after, size)
        _remove(app_id, doomed.users)
    return doomed


def _remove(app_id: int, users: Sequence[User]) -> None:
    """Part of a transaction. Rows that name the user go with the user's (CASCADE)."""
    freed = 0
    for user in users:
        (size,) = _ATTRIBUTE_BYTES.one(user.id) or (0,)
        freed += size
        muc_owners.forget(app_id, user.id)
        leases.close_all(app_id, user.id, user.username)
        _DELETE.run(user.id)
    if users:
        _ADD_COUNT.run(-len(users), app_id)
        _FORGET_ATTRIBUTES.run(freed, app_id)


def set_password(app_id: int, name: str, password_hash: str) -> bool:
    """Change a password and revoke the user's tokens; False: there is no such user."""
    with writing(app_id):
        found = find(app_id, name)
        if found is None:
            return False
        _SET_PASSWORD.run(password_hash, secrets.token_bytes(8), now_ms(), found.id)
        leases.close_all(app_id, found.id, found.username)
    return True


def set_push(app_id: int, name: str, changes: dict[str, object]) -> User | None:
    """Apply *changes* to a user's push settings; the user as now, None: no such user.

    The keys are names of :class:`User`'s fields; no change leaves *modified* alone.
    """
    with writing(app_id):
        found = find(app_id, name)
        if found is None or not changes:
            return found
        _SET_PUSH.run(
            changes.get("nickname", found.nickname),
            changes.get("display_style", found.display_style),
            changes.get("no_disturbing", found.no_disturbing),
            changes.get("no_disturbing_start", found.no_disturbing_start),
            changes.get("no_disturbing_end", found.no_disturbing_end),
            now_ms(),
            found.id,
        )
        return find(app_id, found.username)


def set_nicknames(
    app_id: int, nicknames: Sequence[tuple[str, str | None]]
) -> tuple[list[str], list[str]]:
    """Give each named user a nickname: the names that have it now, the unknown ones."""
    done: list[str] = []
    unknown: list[str] = []
    now = now_ms()
    with writing(app_id):
        for name, nickname in nicknames:
            changed = _SET_NICKNAME.run(nickname, now, app_id, name.lower())
            (done if changed else unknown).append(name)
    return done, unknown


def online(app_id: int, names: Iterable[str]) -> list[bool]:
    """For each of *names* whether a device of that user is receiving now."""
    now = now_ms()
    return [_ONLINE.one(app_id, name.lower(), now) is not None for name in names]
