"""Who and what is there before a scenario: what a ``@given`` line may say.

Each scenario begins with two new apps, acme/lounge (Community) and globex/lounge
(Enterprise). ``{=acme}`` and ``{=globex}`` are their uuids, ``{=client_id}`` and
``{=client_secret}`` acme's credentials, ``{=globex_client_id}`` and so on globex's.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from peewee import Model, chunked

from server.kinds import Membership
from server.store import apps, tokens, users
from server.store.database import database
from server.store.models import (
    App,
    Block,
    Connection,
    Contact,
    File,
    Message,
    Muc,
    MucMember,
    Mute,
    QuotaUse,
    User,
)
from server.store.tokens import issue
from tests.conftest import alices_hash
from tests.wire.shapes import Kept

ANY_NUMBER = Membership("none")
DAY_MS = 86_400_000
ZONE = UTC


class Cast:
    """The apps of one scenario, in the database that the server serves."""

    def __init__(self, create: Callable[[str, dict[str, object]], str]) -> None:
        """*create* makes a group or room over the wire and returns its id."""
        self._create = create
        self.kept = Kept()
        self.bearers: dict[str, str] = {}
        for org, edition in (("acme", "community"), ("globex", "enterprise")):
            self._begin(org, edition)
        acme = self._app("acme")
        self.bearers |= {
            "expired": issue(acme.id, None, int(time.time()) - 1, acme.token_key),
            "revoked": issue(acme.id, None, None, secrets.token_bytes(8)),
            "unknown": "wt1.app." + "A" * 48 + "." + "A" * 43,
        }
        now = datetime.now(ZONE)
        for name, hours in (("this_hour", 0), ("an_hour_ago", 1), ("two_hours_ago", 2)):
            then = now - timedelta(hours=hours)
            self.kept.values[name] = then.strftime("%Y%m%d%H")
            self.kept.values[f"{name}_ms"] = int(then.timestamp() * 1000)
        self.kept.values["tomorrow"] = (now + timedelta(days=1)).strftime("%Y%m%d%H")

    def _begin(self, org: str, edition: str) -> None:
        if apps.find(org, "lounge") is not None:
            apps.delete(org, "lounge")
        credentials = apps.create(org, "lounge", edition)
        app = self._app(org)
        prefix = "" if org == "acme" else f"{org}_"
        self.kept.values |= {
            org: app.uuid,
            f"{prefix}client_id": credentials.client_id,
            f"{prefix}client_secret": credentials.client_secret,
        }
        bearer = issue(app.id, None, None, app.token_key)
        self.bearers["app" if org == "acme" else org] = bearer

    def _app(self, org: str) -> apps.App:
        app = apps.find(org, "lounge")
        assert app is not None
        return app

    def give(self, words: str) -> None:
        """Make it so.

        Raises:
            ValueError: there is no such given.
        """
        org, words = (
            ("globex", words[7:]) if words[:7] == "globex " else ("acme", words)
        )
        for pattern, make in _GIVENS.items():
            met = re.fullmatch(pattern, words)
            if met is not None:
                make(self, org, *met.groups())
                return
        message = f"@given {words}: nothing here knows how"
        raise ValueError(message)

    def people(self, org: str, names: str) -> None:
        app = self._app(org)
        wanted = [each.strip() for each in names.split(",")]
        new = [
            users.NewUser(each, alices_hash())
            for each in wanted
            if each not in ("acme", "globex")
        ]
        for made in users.add(app.id, new, at_most=ANY_NUMBER)[0]:
            self.kept.values[made.username] = made.uuid
            known = users.sign_in(app.id, made.username)
            assert known is not None
            bearer = issue(app.id, made.id, None, known.token_key)
            self.bearers[made.username] = bearer

    def muc(
        self, org: str, kind: str, name: str, owner: str, members: str | None
    ) -> None:
        body = {
            "groupname" if kind == "group" else "name": name,
            "desc" if kind == "group" else "description": f"about {name}",
            "owner": owner,
            "members": [each.strip() for each in (members or "").split(",") if each],
        }
        path = "chatgroups" if kind == "group" else "chatrooms"
        self.kept.values[name] = self._create(f"/{org}/lounge/{path}", body)

    def edition(self, org: str, edition: str) -> None:
        apps.set_edition(org, "lounge", edition)

    def open(self, org: str) -> None:
        apps.set_open_registration(org, "lounge", open_registration=True)

    def counted(self, org: str, what: str, number: str) -> None:
        """As if there were so many: the app counts them in its row."""
        column = {
            "users": "user_count",
            "groups": "group_count",
            "rooms": "chatroom_count",
            "bytes of attributes": "attribute_bytes",
        }[what]
        with database.atomic():
            App.update(**{column: int(number)}).where(App.org == org).execute()

    def related(self, org: str, name: str, what: str, number: str) -> None:
        model, other = {
            "contacts": (Contact, Contact.friend),
            "blocks": (Block, Block.blocked),
        }[what]
        owner = self._user(org, name)
        rows = [
            {"owner": owner, other.name: each}
            for each in self._crowd(org, what, int(number))
        ]
        _insert(model, rows)

    def muted(self, org: str, number: str) -> None:
        """So many users are muted for ever, one after the other."""
        app = self._app(org).id
        rows = [
            {"app": app, "user": each, "chat_type": "chat", "until": -1}
            for each in self._crowd(org, "muted", int(number))
        ]
        _insert(Mute, rows)

    def inside(self, org: str, name: str, number: str, kind: str) -> None:
        """The user is in so many groups or rooms, owned by another."""
        owner = self._crowd(org, f"owner-of-{kind}", 1)[0]
        stored = {"groups": "group", "rooms": "chatroom"}[kind]
        first = 1_000_000 + Muc.select().where(Muc.id < 2_000_000).count()
        _insert(Muc, [_muc(first + n, self._app(org), stored, owner) for n in range(int(number))])  # fmt: skip
        user = self._user(org, name)
        rows = [
            {"muc": first + n, "user": user, "kind": stored} for n in range(int(number))
        ]
        _insert(MucMember, rows)

    def filled(self, org: str, name: str, number: str, what: str) -> None:
        """The group or room has so many further members, or administrators."""
        muc = Muc.get_by_id(int(str(self.kept.values[name])))
        rows = [
            {"muc": muc, "user": each, "kind": muc.kind, "admin": what == "admins"}
            for each in self._crowd(org, f"{name}-{what}", int(number))
        ]
        _insert(MucMember, rows)
        with database.atomic():
            count = Muc.member_count + len(rows)
            Muc.update(member_count=count).where(Muc.id == muc.id).execute()

    def sent_today(self, org: str, number: str) -> None:
        with database.atomic():
            QuotaUse.replace(
                app=self._app(org).id,
                rule="messages.daily_system_push_messages",
                day=int(time.time() * 1000) // DAY_MS,
                used=int(number),
            ).execute()

    def online(self, org: str, name: str, resource: str) -> None:
        _insert(
            Connection,
            [
                {
                    "user": self._user(org, name),
                    "resource": resource,
                    "device_uuid": "c0ffee10-77aa",
                    "device_name": f"{name.capitalize()} phone",
                    "expires": int(time.time() * 1000) + DAY_MS,
                }
            ],
        )

    def aged(self, org: str, what: str, days: str) -> None:
        """Files, or messages, of the app are so much older."""
        by = int(days) * DAY_MS
        app = self._app(org).id
        with database.atomic():
            if what == "files":
                File.update(created=File.created - by).where(File.app == app).execute()
            else:
                at = Message.timestamp - by
                Message.update(timestamp=at).where(Message.app == app).execute()

    def _user(self, org: str, name: str) -> int:
        found = users.find(self._app(org).id, name)
        assert found is not None, name
        return found.id

    def _crowd(self, org: str, name: str, number: int) -> list[int]:
        """Ids of so many users who are there for their number only."""
        now = int(time.time() * 1000)
        app = self._app(org).id
        prefix = re.sub(r"[^a-z]", "-", name)
        rows = [
            {
                "app": app,
                "username": f"{prefix}-{n}",
                "uuid": f"{secrets.token_hex(8)}-{prefix}-{n}",
                "token_key": b"12345678",
                "created": now,
                "modified": now,
            }
            for n in range(number)
        ]
        _insert(User, rows)
        found = (
            User.select(User.id)
            .where((User.app == app) & User.username.startswith(f"{prefix}-"))
            .order_by(User.id)
        )
        return [each.id for each in found]


def _muc(muc_id: int, app: apps.App, kind: str, owner: int) -> dict[str, object]:
    now = int(time.time() * 1000)
    return {
        "id": muc_id, "app": app.id, "kind": kind, "name": "one of many",
        "description": "", "max_users": 200, "owner": owner, "created": now,
        "modified": now, "member_count": 1,
    }  # fmt: skip


def _insert(model: type[Model], rows: Iterable[dict[str, object]]) -> None:
    with database.atomic():
        for some in chunked(rows, 50):
            model.insert_many(some).execute()


def forget() -> None:
    """Another database is connected."""
    tokens.forget()
    apps.forget()


_GIVENS: dict[str, Callable[..., None]] = {
    r"(group|room) (\w+) owner (\w+)(?: members (.+))?": Cast.muc,
    r"edition (\w+)": Cast.edition,
    r"open registration": Cast.open,
    r"(users|groups|rooms|bytes of attributes) are (\d+)": Cast.counted,
    r"(\d+) users are muted": Cast.muted,
    r"(\w+) has (contacts|blocks) (\d+)": Cast.related,
    r"(\w+) is in (\d+) (groups|rooms)": Cast.inside,
    r"(\w+) has (\d+) more (members|admins)": Cast.filled,
    r"messages today are (\d+)": Cast.sent_today,
    r"(\w+) is online as (\w+)": Cast.online,
    r"(files|messages) are (\d+) days old": Cast.aged,
    r"([a-z0-9.-]+(?:, [a-z0-9.-]+)*)": Cast.people,
}
