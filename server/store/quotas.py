"""What apps have used of their daily quotas, per UTC day."""

from collections.abc import Iterator
from dataclasses import dataclass

from server.caller import ask_of_quota
from server.clock import DAY_MS, now_ms, utc_day
from server.errors import ResourceLimited
from server.kinds import Quota
from server.store.database import Statement, writing

_USED = Statement(
    "SELECT used FROM quota_use WHERE app_id = ? AND rule = ? AND day = ?"
)
_USE = Statement(
    """
    INSERT INTO quota_use (app_id, rule, day, used) VALUES (?, ?, ?, ?)
    ON CONFLICT (app_id, rule, day) DO UPDATE
        SET used = quota_use.used + excluded.used
    RETURNING used
    """
)
# App by app: the key of quota_use begins with it, so each is one look, however many
# days are kept. As a join SQLite would read all days instead.
_USED_BY_ALL = Statement(
    """
    SELECT count(*), coalesce(sum(today), 0),
        coalesce(sum(CASE WHEN today >= ? THEN 1 ELSE 0 END), 0)
    FROM (
        SELECT (
            SELECT used FROM quota_use WHERE app_id = app.id AND rule = ? AND day = ?
        ) AS today
        FROM app WHERE edition = ?
    ) AS each_app
    WHERE today IS NOT NULL
    """
)
# Likewise app by app, and only as many as are shown.
_NEAREST = Statement(
    """
    SELECT org, name, today
    FROM (
        SELECT org, name, (
            SELECT used FROM quota_use WHERE app_id = app.id AND rule = ? AND day = ?
        ) AS today
        FROM app WHERE edition = ?
    ) AS each_app
    WHERE today >= ? LIMIT ?
    """
)
_OLD = Statement("SELECT app_id, rule, day FROM quota_use WHERE day < ? LIMIT ?")
_REMOVE = Statement("DELETE FROM quota_use WHERE app_id = ? AND rule = ? AND day = ?")


@dataclass(frozen=True, slots=True)
class UseOfAll:
    """What all apps of an edition have used of today's quota."""

    apps: int
    """How many used any."""
    used: int
    near: int
    """How many are near the figure, or there."""


def used_by_all(edition: str, quota: Quota, *, near: int | None) -> UseOfAll:
    """Of today's *quota*; an app is near that used *near* or more."""
    least = _NEVER if near is None else near
    row = _USED_BY_ALL.one(least, quota.name, utc_day(now_ms()), edition)
    return UseOfAll(*map(int, row))


def nearest(
    edition: str, quota: Quota, *, least: int, limit: int
) -> list[tuple[str, int]]:
    """Some apps that used *least* or more of today's *quota*: key and use."""
    today = utc_day(now_ms())
    rows = _NEAREST.all(quota.name, today, edition, least, limit)
    return [(f"{org}/{name}", int(used)) for org, name, used in rows]


_NEVER = (1 << 63) - 1


def used(app_id: int, quota: Quota) -> int:
    """How much of today's *quota* is used."""
    row = _USED.one(app_id, quota.name, utc_day(now_ms()))
    return 0 if row is None else int(row[0])


def use(app_id: int, quota: Quota, amount: int) -> None:
    """Take *amount* of today's quota: part of a transaction, undone with it.

    Counted for editions without a figure too, so that a change of edition or of the
    table finds what was really used today.

    Raises:
        ResourceLimited: it would pass the figure. The caller's transaction must end.
    """
    ask_of_quota(quota.name, amount)
    (after,) = _USE.one(app_id, quota.name, utc_day(now_ms()), amount)
    if not quota.allows(after):
        raise ResourceLimited(
            breach=quota.breach(amount), retry_after=seconds_left_today()
        )


def seconds_left_today() -> int:
    """Until the next UTC day; at least 1."""
    return -(-(DAY_MS - now_ms() % DAY_MS) // 1000)


def remove_past(*, batch: int) -> Iterator[int]:
    """Remove what was used on days that are over; how many rows each time.

    Yesterday stays: by the clock of a host that is behind it may still be today.
    """
    yesterday = utc_day(now_ms()) - 1
    while old := _OLD.all(yesterday, batch):
        with writing(*{app_id for app_id, *_ in old}):
            _REMOVE.run_many(old)
        yield len(old)
