"""Presence: how users say they are, and who wants to be told.

Nobody has to say anything: a device that receives is online by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.clock import now_ms
from server.errors import NotFound
from server.store import events, users
from server.store.database import Statement, writing

ONLINE, OFFLINE = "1", "0"


@dataclass(frozen=True, slots=True)
class Shown:
    """How one user is, as others see it."""

    name: str
    modified: int
    """Unix ms; 0: they have never said."""
    ext: str
    devices: Mapping[str, str]
    expires: int | None = None
    """When the subscription ends, Unix ms; None: nobody asked for one."""


_SAID = Statement("SELECT ext, modified FROM presence WHERE user_id = ?")
_STATUSES = Statement(
    "SELECT resource, status FROM presence_status WHERE user_id = ? ORDER BY resource"
)
_DEVICES = Statement(
    "SELECT resource FROM connection WHERE user_id = ? AND expires > ? ORDER BY id"
)
_SAY = Statement(
    """
    INSERT INTO presence (user_id, ext, modified) VALUES (?, ?, ?)
    ON CONFLICT (user_id) DO UPDATE
    SET ext = excluded.ext, modified = excluded.modified
    """
)
_SET_STATUS = Statement(
    """
    INSERT INTO presence_status (user_id, resource, status) VALUES (?, ?, ?)
    ON CONFLICT (user_id, resource) DO UPDATE SET status = excluded.status
    """
)
_UNSET = Statement("DELETE FROM presence_status WHERE user_id = ? AND resource = ?")
_WATCHERS = Statement(
    """
    SELECT user.id, user.username
    FROM presence_watch CROSS JOIN user ON user.id = presence_watch.user_id
    WHERE presence_watch.watched_id = ? AND presence_watch.expires > ? AND EXISTS (
        SELECT 1 FROM connection
        WHERE connection.user_id = user.id AND connection.expires > ?
    )
    """
)
_WATCH = Statement(
    """
    INSERT INTO presence_watch (user_id, watched_id, expires) VALUES (?, ?, ?)
    ON CONFLICT (user_id, watched_id) DO UPDATE SET expires = excluded.expires
    """
)
_UNWATCH = Statement("DELETE FROM presence_watch WHERE user_id = ? AND watched_id = ?")
_FORGET_ENDED = Statement(
    "DELETE FROM presence_watch WHERE user_id = ? AND expires <= ?"
)
_WATCHED = Statement(
    """
    SELECT user.username, presence_watch.expires
    FROM presence_watch CROSS JOIN user ON user.id = presence_watch.watched_id
    WHERE presence_watch.user_id = ? AND presence_watch.expires > ?
    ORDER BY presence_watch.watched_id LIMIT ? OFFSET ?
    """
)
_WATCHED_COUNT = Statement(
    "SELECT count(*) FROM presence_watch WHERE user_id = ? AND expires > ?"
)


def known(app_id: int, name: str) -> users.User:
    """
    Raises:
        NotFound: the app has no such user.
    """
    found = users.find(app_id, name)
    if found is None:
        raise NotFound
    return found


def _shown(user: users.User, expires: int | None = None) -> Shown:
    ext, modified = _SAID.one(user.id) or ("", 0)
    devices = dict.fromkeys((r for (r,) in _DEVICES.all(user.id, now_ms())), ONLINE)
    return Shown(
        user.username, modified, ext, devices | dict(_STATUSES.all(user.id)), expires
    )


def say(app_id: int, name: str, resource: str, status: str, ext: str) -> None:
    """Set how a user is on one device, and tell who wants to know.

    Raises:
        NotFound: the app has no such user.
    """
    now = now_ms()
    with writing(app_id):
        user = known(app_id, name)
        _SAY.run(user.id, ext, now)
        if status == OFFLINE:
            _UNSET.run(user.id, resource)
        else:
            _SET_STATUS.run(user.id, resource, status)
        watchers = _WATCHERS.all(user.id, now, now)
        if watchers:
            events.tell_users_online(app_id, "presence", wire(_shown(user)), watchers)


def wire(shown: Shown) -> dict[str, object]:
    """As callers and devices are told: all numbers are text, of seconds."""
    told: dict[str, object] = {
        "uid": shown.name,
        "last_time": str(shown.modified // 1000),
        "ext": shown.ext,
        "status": dict(shown.devices),
    }
    if shown.expires is not None:
        told["expiry"] = str(shown.expires // 1000)
    return told


def look_up(app_id: int, names: Iterable[str]) -> list[Shown]:
    """How each is; whom the app does not have is offline."""
    shown = []
    for name in names:
        user = users.find(app_id, name)
        shown.append(Shown(name, 0, "", {}) if user is None else _shown(user))
    return shown


def watch(
    app_id: int, watcher: users.User, names: Sequence[str], seconds: int
) -> list[Shown]:
    """Have *watcher* told of these for so long, but of nobody whom the app lacks."""
    now = now_ms()
    with writing(app_id):
        _FORGET_ENDED.run(watcher.id, now)
        found = [user for name in names if (user := users.find(app_id, name))]
        expires = now + seconds * 1000
        for user in found:
            _WATCH.run(watcher.id, user.id, expires)
        return [_shown(user, expires) for user in found]


def unwatch(app_id: int, watcher: users.User, names: Sequence[str]) -> None:
    """Tell *watcher* of these no more."""
    with writing(app_id):
        for name in names:
            user = users.find(app_id, name)
            if user is not None:
                _UNWATCH.run(watcher.id, user.id)


def watched(watcher: users.User, number: int, size: int) -> tuple[int, list[Shown]]:
    """How many are watched, and page *number*, from 1, of them."""
    now = now_ms()
    (count,) = _WATCHED_COUNT.one(watcher.id, now)
    skip = min((number - 1) * size, (1 << 63) - 1)
    rows = _WATCHED.all(watcher.id, now, size, skip)
    return int(count), [Shown(name, 0, "", {}, ends) for name, ends in rows]
