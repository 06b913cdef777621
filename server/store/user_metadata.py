"""A user's attributes: a flat map of strings, separate from the account."""

import orjson

from server.errors import MetadataExceeded, MetadataUserNotFound
from server.kinds import MaxBytes
from server.store import users
from server.store.database import Statement, writing

_READ = Statement("SELECT pairs, size FROM attributes WHERE user_id = ?")
_WRITE = Statement(
    """
    INSERT INTO attributes (user_id, pairs, size) VALUES (?, ?, ?)
    ON CONFLICT (user_id) DO UPDATE SET pairs = excluded.pairs, size = excluded.size
    """
)
_DELETE = Statement("DELETE FROM attributes WHERE user_id = ?")
_TOTAL = Statement("SELECT attribute_bytes FROM app WHERE id = ?")
_ADD_TOTAL = Statement(
    "UPDATE app SET attribute_bytes = attribute_bytes + ? WHERE id = ?"
)


def size_of(pairs: dict[str, str]) -> int:
    """UTF-8 bytes of all keys and values."""
    return sum(len(key.encode()) + len(value.encode()) for key, value in pairs.items())


def read(app_id: int, name: str) -> dict[str, str]:
    """A user's attributes; empty when there are none, or no such user."""
    found = users.find(app_id, name)
    return {} if found is None else _stored(found.id)[0]


def _stored(user_id: int) -> tuple[dict[str, str], int]:
    row = _READ.one(user_id)
    return ({}, 0) if row is None else (orjson.loads(row[0]), row[1])


def merge(
    app_id: int,
    name: str,
    pairs: dict[str, str],
    *,
    each_user: MaxBytes,
    whole_app: MaxBytes,
) -> None:
    """Write *pairs* over a user's attributes. The write lock serialises updates.

    Raises:
        MetadataUserNotFound: the app has no such user.
        MetadataExceeded: the user, or the app, would hold more than its figure.
    """
    with writing(app_id):
        found = users.find(app_id, name)
        if found is None:
            raise MetadataUserNotFound
        stored, size_before = _stored(found.id)
        merged = stored | pairs
        size = size_of(merged)
        each_user.check(size, MetadataExceeded)
        growth = size - size_before
        if growth > 0:
            whole_app.check(total(app_id) + growth, MetadataExceeded)
        _WRITE.run(found.id, orjson.dumps(merged).decode(), size)
        _ADD_TOTAL.run(growth, app_id)


def delete(app_id: int, name: str) -> None:
    """Remove all of a user's attributes; there may be none, nor such a user."""
    with writing(app_id):
        found = users.find(app_id, name)
        if found is not None:
            _, size = _stored(found.id)
            _DELETE.run(found.id)
            _ADD_TOTAL.run(-size, app_id)


def total(app_id: int) -> int:
    """Bytes that the attributes of all the app's users take."""
    row = _TOTAL.one(app_id)
    return 0 if row is None else int(row[0])
