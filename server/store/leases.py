"""Leases: a device is receiving while its row lives, and its process keeps it alive.

A row says until when. The process that streams renews all of its rows in one go; when
it dies, or its host does, they end by themselves. A row that is taken away ends its
stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.errors import ForbiddenOp, NotFound
from server.kinds import Membership
from server.store import database, events
from server.store.database import Statement, writing

LEASE_MS = 40_000
"""From a renewal: three may fail before a user who receives seems to be gone."""
DISCONNECTED = "disconnected"
_FORGOTTEN_MS = 3_600_000
"""After a lease's end; its row says nothing any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One device that is receiving, as it began."""

    id: int
    app_id: int
    user_id: int
    username: str
    resource: str
    token_key: bytes
    """The user's at the time: another one now says that the password was changed."""
    begins: int
    """The id that was given last; what passed before it is not told."""


_USER = Statement("SELECT username, token_key FROM user WHERE id = ? AND app_id = ?")
_OTHERS = Statement(
    """
    SELECT count(*) FROM connection
    WHERE user_id = ? AND expires > ? AND resource <> ?
    """
)
_REPLACE = Statement(
    "DELETE FROM connection WHERE user_id = ? AND (resource = ? OR expires <= ?)"
)
_OPEN = Statement(
    """
    INSERT INTO connection (user_id, app_id, resource, device_uuid, device_name,
        expires, owner)
    VALUES (?, ?, ?, '', '', ?, ?) RETURNING id
    """
)
_RENEW = Statement("UPDATE connection SET expires = ? WHERE owner = ?")
_CLOSE = Statement("DELETE FROM connection WHERE id = ?")
_CLOSE_ALL = Statement("DELETE FROM connection WHERE user_id = ?")
_STANDING = Statement("SELECT activated, token_key FROM user WHERE id = ?")
_SUCCESSOR = Statement(
    "SELECT 1 FROM connection WHERE user_id = ? AND resource = ? AND id > ?"
)
_OVER = Statement(
    "SELECT connection.id, connection.app_id FROM connection WHERE expires < ? LIMIT ?"
)


def open_lease(
    app_id: int, user_id: int, resource: str, owner: str, *, at_most: Membership
) -> Lease:
    """The device receives from now on; a stream it had before is over.

    Raises:
        NotFound: the user was deleted a moment ago.
        ForbiddenOp: the user has as many devices as *at_most* allows.
    """
    now = now_ms()

    def write() -> Lease:
        user = _USER.one(user_id, app_id)
        if user is None:
            raise NotFound
        (others,) = _OTHERS.one(user_id, now, resource)
        at_most.check(others + 1, ForbiddenOp, "devices exceed the limit of {max}")
        if _REPLACE.run(user_id, resource, now):
            database.wake(app_id, names=(user[0],))
        (id_,) = _OPEN.one(user_id, app_id, resource, now + LEASE_MS, owner)
        begins = events.last_id(now)
        return Lease(id_, app_id, user_id, user[0], resource, bytes(user[1]), begins)

    return database.write(app_id, write)


def renew(owner: str, app_ids: Iterable[int]) -> int:
    """Renew every lease of a process, in these apps: how many there are."""
    with writing(*app_ids):
        return _RENEW.run(now_ms() + LEASE_MS, owner)


def close(ended: Sequence[Lease]) -> None:
    """These devices receive no more."""
    with writing(*{each.app_id for each in ended}):
        _CLOSE.run_many([(each.id,) for each in ended])


def close_all(app_id: int, user_id: int, username: str) -> None:
    """Part of a transaction: every stream of a user is to end."""
    if _CLOSE_ALL.run(user_id):
        database.wake(app_id, names=(username,))


def why_gone(lease: Lease) -> str:
    """In a word for its device, why a lease was taken away."""
    user = _STANDING.one(lease.user_id)
    if user is None:
        return "user_deleted"
    if not user[0]:
        return "user_deactivated"
    if bytes(user[1]) != lease.token_key:
        return "password_changed"
    if _SUCCESSOR.one(lease.user_id, lease.resource, lease.id) is not None:
        return "replaced"
    return DISCONNECTED


def remove_over(*, batch: int) -> Iterator[int]:
    """Remove the rows of processes that died; how many each time."""
    while over := _OVER.all(now_ms() - _FORGOTTEN_MS, batch):
        with writing(*{app_id or 0 for _, app_id in over}):
            _CLOSE.run_many([(id_,) for id_, _ in over])
        yield len(over)
