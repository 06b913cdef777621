"""Blocking: accounts that may not sign in, and devices that are put out."""

import secrets
from dataclasses import dataclass

from server.clock import now_ms
from server.errors import NotFound
from server.store import database, leases
from server.store.database import Statement, writing
from server.store.users import User, find


@dataclass(frozen=True, slots=True)
class Device:
    """One device that is receiving now."""

    resource: str
    uuid: str
    name: str


_DEACTIVATE = Statement("UPDATE user SET activated = FALSE, token_key = ? WHERE id = ?")
_ACTIVATE = Statement("UPDATE user SET activated = TRUE WHERE id = ?")
_CLOSE = Statement(
    "DELETE FROM connection WHERE user_id = ? AND resource = ? RETURNING expires"
)
_DEVICES = Statement(
    """
    SELECT resource, device_uuid, device_name FROM connection
    WHERE user_id = ? AND expires > ? ORDER BY id
    """
)


def _known(app_id: int, name: str) -> User:
    found = find(app_id, name)
    if found is None:
        raise NotFound
    return found


def deactivate(app_id: int, name: str) -> User | None:
    """Close an account and its connections; the user as now, None: there is none.

    Its tokens end here, and do not come back with the account.
    """
    with writing(app_id):
        found = find(app_id, name)
        if found is None:
            return None
        _DEACTIVATE.run(secrets.token_bytes(8), found.id)
        leases.close_all(app_id, found.id, found.username)
        return find(app_id, found.username)


def activate(app_id: int, name: str) -> None:
    """Open an account again, if it is not.

    Raises:
        NotFound: the app has no such user.
    """
    with writing(app_id):
        _ACTIVATE.run(_known(app_id, name).id)


def disconnect(app_id: int, name: str) -> None:
    """Close every connection of a user.

    Raises:
        NotFound: the app has no such user.
    """
    with writing(app_id):
        found = _known(app_id, name)
        leases.close_all(app_id, found.id, found.username)


def disconnect_device(app_id: int, name: str, resource: str) -> bool:
    """Close one device's connection; False: it was not receiving.

    Raises:
        NotFound: the app has no such user.
    """
    now = now_ms()
    with writing(app_id):
        found = _known(app_id, name)
        closed = _CLOSE.all(found.id, resource)
        if closed:
            database.wake(app_id, names=(found.username,))
    return any(expires > now for (expires,) in closed)


def devices(app_id: int, name: str) -> list[Device]:
    """The devices on which a user is receiving now, the first connected first.

    Raises:
        NotFound: the app has no such user.
    """
    rows = _DEVICES.all(_known(app_id, name).id, now_ms())
    return [Device(*row) for row in rows]
