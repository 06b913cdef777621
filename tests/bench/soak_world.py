"""The server of a soak: its table, its apps, and the messages of hours before."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from server import passwords
from server.app import create_app
from server.kinds import Membership
from server.settings import Settings
from server.store import apps, database, tokens, users
from server.store.messages import first_id
from server.store.models import User
from tests.trees import copy_of_the_tree, recompile

HOUR_MS = 3_600_000
SWEEP_SECONDS = 60
"""From one sweep of the server to the next."""
FOLDERS_SECONDS = 300
"""From one that looks for history files to the next."""
NO_CAP = Membership("none")
PEOPLE = [f"user{n:02}" for n in range(20)]
SPARE = "spare"
"""A user whom the others do not need."""
PASSWORD = "open sesame"
MESSAGE = '{"msg":"lunch at noon, or rather a little later?","type":"txt"}'
BATCH = 20_000
TABLE = {
    "offline message kept 7 days": "offline message kept {seconds} seconds",
    "passing event kept 10 minutes": "passing event kept {seconds} seconds",
    "uploaded file kept 7 days": "uploaded file kept {seconds} seconds",
    "history file kept 3 days": "history file kept {history} minutes",
}


@dataclass(frozen=True)
class Plan:
    """How long things are kept, and which hours of history there are."""

    kept_seconds: int
    """Offline messages, events and uploads."""
    history_minutes: int
    zone: str
    """In which an hour ended just now."""
    ended_ms: int
    """When it did."""

    @classmethod
    def of(cls, seconds: float, setup_seconds: float) -> "Plan":
        """For a soak of so many seconds whose load begins in *setup_seconds*.

        The hour before the latest is over a third into it, the latest one never.
        """
        minute = int(time.time()) // 60 % 60
        ended = int(time.time()) // 60 * 60
        kept = max(20, int(seconds / 6))
        load = kept + min(SWEEP_SECONDS, kept) + seconds
        return cls(
            kept_seconds=kept,
            history_minutes=60 + round((setup_seconds + load / 3) / 60),
            zone=f"+00:{(60 - minute) % 60:02}",
            ended_ms=ended * 1000,
        )

    @property
    def sweep_seconds(self) -> int:
        """From one sweep to the next."""
        return min(SWEEP_SECONDS, self.kept_seconds)

    @property
    def warm_seconds(self) -> int:
        """Until as much is kept, and as much swept each time, as ever will be."""
        return self.kept_seconds + self.sweep_seconds

    @property
    def message_seconds(self) -> int:
        """How old a message is when nothing needs it: its hour, put back, was two."""
        return max(self.history_minutes * 60 + 2 * 3600, self.kept_seconds)

    def hour(self, before: int = 0) -> str:
        """The name of the hour that ended just now, or of one *before* it."""
        begin = self.ended_ms - (1 + before) * HOUR_MS
        offset = timedelta(minutes=int(self.zone[-2:]))
        return (datetime.fromtimestamp(begin / 1000, UTC) + offset).strftime("%Y%m%d%H")

    def over_at(self, before: int) -> float:
        """When that hour's file is over, Unix time."""
        return (self.ended_ms - before * HOUR_MS) / 1000 + self.history_minutes * 60

    def tree(self, place: Path) -> Path:
        """A copy of the tree whose table says so; its rates are the table's own."""
        tree = copy_of_the_tree(place)
        figures = {"seconds": self.kept_seconds, "history": self.history_minutes}
        for old, new in TABLE.items():
            recompile(tree, old, new.format(**figures))
        return tree

    def __str__(self) -> str:
        return (
            "on a copy of the tree whose table keeps offline messages, passing events"
            f" and uploads {self.kept_seconds} s, history files"
            f" {self.history_minutes} min (so messages {self.message_seconds / 60:.0f}"
            " min); its rates are the document's own"
        )


@dataclass(eq=False)
class Tenant:
    """One app and what the soak knows of it."""

    path: str
    edition: str
    token: str
    user_tokens: dict[str, str]
    id: int
    groups: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    files: deque[tuple[str, float, int]] = field(
        default_factory=lambda: deque(maxlen=400)
    )
    """Uploads, when they were answered (monotonic), and their bytes."""
    sent: deque[tuple[str, str, float]] = field(
        default_factory=lambda: deque(maxlen=50)
    )
    """Messages, to whom, and when; what may be recalled."""
    made: dict[str, deque[str]] = field(default_factory=dict)
    """What was made to be deleted again, by its kind."""


def populate(settings: Settings, count: int) -> list[Tenant]:
    """So many apps, on both editions in turn, each with its people."""
    create_app(settings)
    (hashed,) = passwords.hash_all([PASSWORD])
    made = [
        _app(f"app{n:03}", ("community", "enterprise")[n % 2], hashed)
        for n in range(count)
    ]
    database.disconnect()
    return made


def _app(name: str, edition: str, hashed: str) -> Tenant:
    apps.create("soak", name, edition)
    app = apps.find("soak", name)
    assert app is not None
    people = [users.NewUser(each, hashed) for each in [*PEOPLE, SPARE]]
    users.add(app.id, people, at_most=NO_CAP)
    user_tokens = {
        row.username: tokens.issue(app.id, row.id, None, row.token_key)
        for row in User.select().where(User.app == app.id).order_by(User.id).limit(2)
    }
    token = tokens.issue(app.id, None, None, app.token_key)
    return Tenant(f"/soak/{name}", edition, token, user_tokens, app.id)


JUST_SENT_SECONDS = 120
"""In which the world was made and its capacity measured."""


def remember(
    tenants: list[Tenant], plan: Plan, a_second: float, told: Callable[[float], None]
) -> int:
    """As if so many messages a second were sent since the oldest that is kept.

    A server that runs for hours is what stays as large as it is. How many; *told* is
    told which part is done.
    """
    # Not to this moment: what was really sent since has ids of its own.
    now = int((time.time() - JUST_SENT_SECONDS) * 1000)
    total = int(plan.message_seconds * a_second)
    step = plan.message_seconds * 1000 / max(1, total)
    chance = random.Random(6)  # noqa: S311 (repeatable, not secret)

    def rows() -> Iterator[tuple[object, ...]]:
        for n in range(total):
            at = int(now - (total - n) * step)
            sender, target = chance.choice(PEOPLE), chance.choice(PEOPLE)
            yield (
                first_id(at) + n % 1000,
                chance.choice(tenants).id,
                "chat",
                sender,
                target,
                at,
                MESSAGE,
                0,
                0,
            )

    each, done = rows(), 0
    while batch := list(islice(each, BATCH)):
        with database.writing(database.INSTALLATION):
            database.database.connection().executemany(
                "INSERT INTO message (id, app_id, chat_type, sender, target, timestamp,"
                " body, online_only, sync_device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                batch,
            )
        done += len(batch)
        told(done / total)
    database.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.disconnect()
    return total
