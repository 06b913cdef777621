"""Apps: what ``/{org}/{app}`` names, its edition and its credentials."""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass

from server.caller import App
from server.clock import now_ms
from server.store import audit
from server.store.database import Statement, apps_generation, writing_apps

# The reference's choice for both parts of an app key; a name is an address, not a
# bound on what callers do.
NAME = re.compile(r"[a-z0-9-]{1,32}")
RESERVED = frozenset(
    {
        "console",
        "docs",
        "static",
        "healthz",
        "history",
        "metrics",
        "openapi",
        "favicon",
        "robots",
    }
)


class UnusableName(ValueError):
    """An org or app cannot be called this; the message says why."""


class AppExists(ValueError):
    """There is an app of this key already."""


class NoSuchApp(LookupError):
    """There is no app of this key."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an app's own server signs in with; the secret is not kept in clear."""

    client_id: str
    client_secret: str


_COLUMNS = """
    id, uuid, org, name, edition, open_registration, token_key, client_id, secret_hash
"""
_FIND = Statement(f"SELECT {_COLUMNS} FROM app WHERE org = ? AND name = ?")
_LIST = Statement(f"SELECT {_COLUMNS} FROM app ORDER BY org, name")
_ANY = Statement("SELECT 1 FROM app LIMIT 1")
_PAGE = Statement(
    f"""
    SELECT {_COLUMNS} FROM app WHERE (org, name) > (?, ?) ORDER BY org, name LIMIT ?
    """
)
_MATCHING = Statement(
    f"""
    SELECT {_COLUMNS} FROM app
    WHERE (org, name) > (?, ?) AND org || '/' || name LIKE ? ESCAPE '!'
    ORDER BY org, name LIMIT ?
    """
)
_NAMED = Statement("SELECT org, name FROM app WHERE id = ?")
_BY_UUID = Statement(f"SELECT {_COLUMNS} FROM app WHERE uuid = ?")
_COUNT = Statement("SELECT edition, count(*) FROM app GROUP BY edition")
_COUNTS = Statement(
    "SELECT user_count, attribute_bytes, group_count, chatroom_count FROM app"
    " WHERE id = ?"
)
_FULLEST = {
    held: Statement(
        f"""
        SELECT org, name, {held} FROM app WHERE edition = ? AND {held} >= ?
        LIMIT ?
        """
    )
    for held in ("user_count", "attribute_bytes", "group_count", "chatroom_count")
}
_CREATE = Statement(
    """
    INSERT INTO app (org, name, uuid, edition, open_registration, client_id,
        secret_hash, token_key, created, user_count, attribute_bytes, group_count,
        chatroom_count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0)
    """
)
_SET_EDITION = Statement("UPDATE app SET edition = ? WHERE org = ? AND name = ?")
_SET_OPEN = Statement("UPDATE app SET open_registration = ? WHERE org = ? AND name = ?")
_ROTATE = Statement(
    """
    UPDATE app SET client_id = ?, secret_hash = ?, token_key = ?
    WHERE org = ? AND name = ?
    """
)
_DELETE = Statement("DELETE FROM app WHERE org = ? AND name = ?")


def hash_secret(secret: str) -> bytes:
    """SHA-256: the secret is 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).digest()


def check_name(org: str, name: str) -> None:
    """
    Raises:
        UnusableName: *org* or *name* cannot be part of an app key.
    """
    for part, word in ((org, "org"), (name, "app")):
        if not NAME.fullmatch(part):
            message = f"{word} {part!r}: 1 to 32 of a-z, 0-9 and hyphen are needed"
            raise UnusableName(message)
    if org in RESERVED:
        message = f"org {org!r}: the server's own pages are there; choose another"
        raise UnusableName(message)


# Apps by key, each with the generation it was read in. Apps that do not exist are not
# kept: there is no end of them.
_kept: dict[tuple[str, str], tuple[int, App]] = {}
_MOST_KEPT = 10_000


def find(org: str, name: str) -> App | None:
    """The app of this key as it is now, or None."""
    generation = (
        apps_generation()
    )  # before the row: a change after it is seen next time
    kept = _kept.get((org, name))
    if kept is not None and kept[0] == generation:
        return kept[1]
    row = _FIND.one(org, name)
    if row is None:
        return None
    app = App(*row)
    if generation % 2 == 0:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[org, name] = (generation, app)
    return app


def forget() -> None:
    """Keep nothing: another database is connected."""
    _kept.clear()


def every() -> list[App]:
    """All apps, by key."""
    return [App(*row) for row in _LIST.all()]


def page(after: tuple[str, str], matching: str, limit: int) -> list[App]:
    """Apps by key, beyond *after*, those that hold the text *matching*."""
    if not matching:
        return [App(*row) for row in _PAGE.all(*after, limit)]
    text = matching.lower().replace("!", "!!")
    pattern = "%" + text.replace("%", "!%").replace("_", "!_") + "%"
    return [App(*row) for row in _MATCHING.all(*after, pattern, limit)]


def key_of(app_id: int) -> str | None:
    """``org/app`` of an id; None: it is gone."""
    row = _NAMED.one(app_id)
    return None if row is None else f"{row[0]}/{row[1]}"


def by_uuid(uuid: str) -> App | None:
    """None: it is gone."""
    row = _BY_UUID.one(uuid)
    return None if row is None else App(*row)


def count_by_edition() -> dict[str, int]:
    """How many apps there are on each edition that has any."""
    return {str(edition): int(count) for edition, count in _COUNT.all()}


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an app holds, as it is counted beside it."""

    user_count: int
    attribute_bytes: int
    group_count: int
    chatroom_count: int


def holdings(app_id: int) -> Holdings:
    """Nothing of an app that is gone."""
    row = _COUNTS.one(app_id) or (0, 0, 0, 0)
    return Holdings(*map(int, row))


def fullest(column: str, edition: str, least: int, limit: int) -> list[tuple[str, int]]:
    """Some apps that hold *least* or more: key and number; *column* of Holdings."""
    rows = _FULLEST[column].all(edition, least, limit)
    return [(f"{org}/{name}", int(number)) for org, name, number in rows]


def create(
    org: str, name: str, edition: str, *, open_registration: bool = False
) -> Credentials:
    """
    Raises:
        UnusableName: see :func:`check_name`.
        AppExists: the key is taken.
    """
    check_name(org, name)
    with writing_apps():
        if _FIND.one(org, name) is not None:
            message = f"{org}/{name} exists already"
            raise AppExists(message)
        return _insert(org, name, edition, open_registration=open_registration)


def create_first(org: str, name: str, edition: str) -> Credentials | None:
    """Make this app if there is none at all; None when there is one.

    The workers of a first start race here; the write lock lets one of them win.
    """
    if _ANY.one() is not None:
        return None
    with writing_apps():
        if _ANY.one() is not None:
            return None
        return _insert(org, name, edition)


def _insert(
    org: str, name: str, edition: str, *, open_registration: bool = False
) -> Credentials:
    credentials = _new_credentials()
    _CREATE.run(
        org,
        name,
        str(uuid.uuid4()),
        edition,
        open_registration,
        credentials.client_id,
        hash_secret(credentials.client_secret),
        secrets.token_bytes(8),
        now_ms(),
    )
    registration = _registration(open_registration)
    audit.note("app.created", f"{org}/{name}", f"{edition}, {registration}")
    return credentials


def _registration(is_open: bool) -> str:
    return "open registration" if is_open else "authorised registration"


def _new_credentials() -> Credentials:
    return Credentials(
        "YXA6" + secrets.token_urlsafe(18), "YXA6" + secrets.token_urlsafe(32)
    )


def set_edition(org: str, name: str, edition: str) -> None:
    """Put an app on another edition, from its next call on.

    Raises:
        NoSuchApp: there is none of this key.
    """
    with writing_apps():
        before = _existing(org, name)
        _SET_EDITION.run(edition, org, name)
        if before.edition != edition:
            words = f"from {before.edition} to {edition}"
            audit.note("app.edition", f"{org}/{name}", words)


def set_open_registration(org: str, name: str, *, open_registration: bool) -> None:
    """
    Raises:
        NoSuchApp: there is none of this key.
    """
    with writing_apps():
        before = _existing(org, name)
        _SET_OPEN.run(open_registration, org, name)
        if bool(before.open_registration) != open_registration:
            words = _registration(open_registration)
            audit.note("app.registration", f"{org}/{name}", words)


def rotate(org: str, name: str) -> Credentials:
    """New credentials; the old ones and every app token end at once.

    Raises:
        NoSuchApp: there is none of this key.
    """
    credentials = _new_credentials()
    with writing_apps():
        _existing(org, name)
        _ROTATE.run(
            credentials.client_id,
            hash_secret(credentials.client_secret),
            secrets.token_bytes(8),
            org,
            name,
        )
        audit.note("app.secret", f"{org}/{name}")
    return credentials


def delete(org: str, name: str) -> None:
    """Remove an app and all it holds.

    Raises:
        NoSuchApp: there is none of this key.
    """
    found = find(org, name)
    # With the app's own lock, so that nobody is at something in it.
    with writing_apps(*([] if found is None else [found.id])):
        _existing(org, name)
        _DELETE.run(org, name)
        audit.note("app.deleted", f"{org}/{name}")


def _existing(org: str, name: str) -> App:
    """The row itself, inside a transaction."""
    row = _FIND.one(org, name)
    if row is None:
        message = f"there is no app {org}/{name}"
        raise NoSuchApp(message)
    return App(*row)
