"""Files: uploads of an app, their bytes in server/store/file_storage.py.

The bytes are in place before the row says so, and the row is gone before the bytes are:
a crash leaves bytes without a row, never a row without bytes.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from peewee import PeeweeException

from server.clock import now_ms
from server.store import file_storage
from server.store.database import Statement, write, writing
from server.store.file_storage import Incoming

FOLDER = "files"
_THUMBNAIL = ".thumbnail"


@dataclass(frozen=True, slots=True)
class NewFile:
    """An upload as it came."""

    owner: str
    name: str | None
    """None: it is called by its uuid."""
    content_type: str
    size: int
    restricted: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A chat file as it is kept."""

    uuid: str
    content_type: str
    size: int
    created: int
    restricted: bool
    secret_hash: bytes
    thumbnail_type: str | None
    """Content type of the thumbnail beside it; None: there is none."""


_INSERT = Statement(
    """
    INSERT INTO file (uuid, app_id, muc_id, owner, name, content_type, size, created,
        restricted, secret_hash, thumbnail_type)
    VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?)
    """
)
_FIND = Statement(
    """
    SELECT uuid, content_type, size, created, restricted, secret_hash, thumbnail_type
    FROM file WHERE uuid = ? AND app_id = ? AND muc_id IS NULL
    """
)
_SIZE = Statement(
    "SELECT size FROM file WHERE uuid = ? AND app_id = ? AND muc_id IS NULL"
)
_EXISTS = Statement("SELECT 1 FROM file WHERE uuid = ?")
# Shared files of groups get older than any chat file may, so they have no part in the
# index that this walks.
_OLD = Statement(
    """
    SELECT uuid, created, app_id FROM file
    WHERE created >= ? AND created < ? AND muc_id IS NULL ORDER BY created LIMIT ?
    """
)
_DELETE = Statement("DELETE FROM file WHERE uuid = ?")


def key_of(uuid_: str) -> str:
    """Where the bytes of an upload are; a folder holds a 256th of all."""
    return f"{FOLDER}/{uuid_[:2]}/{uuid_}"


def thumbnail_key_of(uuid_: str) -> str:
    """Where its thumbnail is, if it has one."""
    return key_of(uuid_) + _THUMBNAIL


def hash_secret(secret: str) -> bytes:
    """SHA-256: a share-secret is 288 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def add(
    app_id: int,
    new: NewFile,
    content: Incoming,
    thumbnail: tuple[Incoming, str] | None,
) -> tuple[str, str]:
    """Keep an upload; its uuid and its share-secret, which is not kept in clear."""
    made, secret = str(uuid.uuid4()), secrets.token_urlsafe(36)
    row = (
        made,
        app_id,
        new.owner,
        made if new.name is None else new.name,
        new.content_type,
        new.size,
        now_ms(),
        new.restricted,
        hash_secret(secret),
        None if thumbnail is None else thumbnail[1],
    )
    with bytes_of(made):
        if thumbnail is not None:
            thumbnail[0].keep(thumbnail_key_of(made))
        content.keep(key_of(made))
        write(app_id, lambda: _INSERT.run(*row))
    return made, secret


@contextmanager
def bytes_of(uuid_: str) -> Iterator[None]:
    """Around putting bytes in place and writing their row: both, or neither is left."""
    try:
        yield
    except PeeweeException:
        raise  # the row may be written all the same; if it is not, the sweep sees it
    except BaseException:
        file_storage.forget(thumbnail_key_of(uuid_))
        file_storage.forget(key_of(uuid_))
        raise


def find(app_id: int, uuid_: str) -> StoredFile | None:
    """The chat file of this uuid, however old it is; None: the app has none."""
    row = _FIND.one(uuid_, app_id)
    if row is None:
        return None
    uuid_, kind, size, created, restricted, secret_hash, thumbnail_type = row
    return StoredFile(
        uuid_, kind, size, created, bool(restricted), bytes(secret_hash), thumbnail_type
    )


def size_of(app_id: int, uuid_: str) -> int | None:
    """Bytes of a chat file of the app; None: it has none of this uuid."""
    row = _SIZE.one(uuid_, app_id)
    return None if row is None else row[0]


def has_row(key: str) -> bool:
    """Whether the bytes of *key* belong to a file of any app or group."""
    name = key.rpartition("/")[2].removesuffix(_THUMBNAIL)
    return _EXISTS.one(name) is not None


def delete_older(than_ms: int, *, batch: int) -> Iterator[int]:
    """Delete chat files made before *than_ms*, with their bytes: how many each time."""
    since = 0
    while old := _OLD.all(since, than_ms, batch):
        with writing(*{app_id for *_, app_id in old}):
            for uuid_, *_ in old:
                _DELETE.run(uuid_)
        for uuid_, *_ in old:
            file_storage.remove(key_of(uuid_))
            file_storage.remove(thumbnail_key_of(uuid_))
        since = old[-1][1]
        yield len(old)
