"""Files shared in a group: kept until they, or the group, are deleted.

The bytes are where those of chat files are (server/store/files.py), in the same order:
bytes before the row, the row's end before theirs.
"""

import uuid
from dataclasses import dataclass

from server.clock import now_ms
from server.store import file_storage, mucs
from server.store.database import Statement, writing
from server.store.file_storage import Incoming
from server.store.files import NewFile, bytes_of, key_of
from server.store.mucs import LAST, Kind


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file of a group, as it is listed."""

    uuid: str
    name: str
    owner: str
    size: int
    created: int
    content_type: str


_FIELDS = "uuid, name, owner, size, created, content_type"
_INSERT = Statement(
    """
    INSERT INTO file (uuid, app_id, muc_id, owner, name, content_type, size, created,
        restricted)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, FALSE)
    """
)
PAGE = Statement(
    f"SELECT {_FIELDS} FROM file WHERE muc_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"
)
_FIND = Statement(f"SELECT {_FIELDS} FROM file WHERE uuid = ? AND muc_id = ?")
_DELETE = Statement("DELETE FROM file WHERE uuid = ? AND muc_id = ?")


def add(
    app_id: int, kind: Kind, muc_id: int, new: NewFile, content: Incoming
) -> SharedFile:
    """Keep an upload in a group.

    Raises:
        UnknownMuc: there is no such group; nothing is kept.
    """
    mucs.held(app_id, kind, muc_id)
    made = str(uuid.uuid4())
    now = now_ms()
    shared = SharedFile(
        made, new.name or made, new.owner, new.size, now, new.content_type
    )
    with bytes_of(made):
        content.keep(key_of(made))
        with writing(app_id):
            mucs.held(app_id, kind, muc_id)  # it may be gone since
            _INSERT.run(
                made,
                app_id,
                muc_id,
                shared.owner,
                shared.name,
                shared.content_type,
                shared.size,
                now,
            )
    return shared


def page(
    app_id: int, kind: Kind, muc_id: int, *, number: int, size: int
) -> list[SharedFile]:
    """Page *number*, from 1, of a group's files, the newest first.

    Raises:
        UnknownMuc: there is no such group.
    """
    mucs.held(app_id, kind, muc_id)
    rows = PAGE.all(muc_id, size, min((number - 1) * size, LAST))
    return [SharedFile(*row) for row in rows]


def find(app_id: int, kind: Kind, muc_id: int, uuid_: str) -> SharedFile | None:
    """A file of a group; None: it has none of this uuid.

    Raises:
        UnknownMuc: there is no such group.
    """
    mucs.held(app_id, kind, muc_id)
    row = _FIND.one(uuid_, muc_id)
    return None if row is None else SharedFile(*row)


def delete(app_id: int, kind: Kind, muc_id: int, uuid_: str) -> bool:
    """Remove a file and its bytes; False: the group has none of this uuid.

    Raises:
        UnknownMuc: there is no such group.
    """
    with writing(app_id):
        mucs.held(app_id, kind, muc_id)
        deleted = _DELETE.run(uuid_, muc_id)
    if deleted:
        file_storage.forget(key_of(uuid_))
    return bool(deleted)
