"""Nothing that one app does is seen in another's rows, whatever it names.

What is answered is held to in tests/wire/test_bad_input.py; here, what is done.
"""

import sqlite3
from collections.abc import Iterator

import pytest

from server.settings import Settings
from tests.conftest import Clock, Tenant
from tests.wire.calls import BODIES, EVERY, Furnished, furnish
from tests.wire.kept import Store

CAST = ("ada", "linus", "grace", "ken", "joan")
STRANGERS = ("mallory", "trudy", "eve", "oscar", "craig")


class Rows:
    """Everything of one app, by whichever column ties it to the app."""

    def __init__(self, settings: Settings, key: str) -> None:
        self._path = settings.database_url.removeprefix("sqlite://")
        self._org, self._name = key.split("/")

    def read(self) -> dict[str, list[tuple[object, ...]]]:
        database = sqlite3.connect(self._path)
        try:
            return dict(self._of_app(database))
        finally:
            database.close()

    def _of_app(
        self, database: sqlite3.Connection
    ) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
        (app,) = database.execute(
            "SELECT id FROM app WHERE org = ? AND name = ?", (self._org, self._name)
        ).fetchone()
        ids = {
            "app_id": {app},
            "user_id": ids_of(database, "user", app),
            "muc_id": ids_of(database, "muc", app),
        }
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            info = database.execute(f"PRAGMA table_info({table})").fetchall()
            columns = [each[1] for each in info]
            rows = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 (our own)
            its = [
                row
                for row in rows
                if any(
                    value in ids.get(column, ids["user_id"])
                    for column, value in zip(columns, row, strict=True)
                    if column.endswith("_id") and column != "message_id"
                )
                or (table == "app" and row[0] == app)
            ]
            yield table, sorted(its, key=repr)


def ids_of(database: sqlite3.Connection, table: str, app: int) -> set[int]:
    query = f"SELECT id FROM {table} WHERE app_id = ?"  # noqa: S608 (our own)
    found = database.execute(query, (app,))
    return {id_ for (id_,) in found}


@pytest.fixture
def apps(acme: Tenant, globex: Tenant, clock: Clock) -> tuple[Furnished, Furnished]:
    return furnish(acme, clock, CAST), furnish(globex, clock, STRANGERS)


def test_every_operation_that_names_anothers_leaves_them_as_they_are(
    apps: tuple[Furnished, Furnished], settings: Settings
) -> None:
    """In the path, in the body and in both at once."""
    ours, theirs = apps
    rows = Rows(settings, theirs.tenant.key)
    before = rows.read()
    assert sum(map(len, before.values())) > 20
    store = Store(settings)
    wrong = []
    for operation in EVERY:
        method, path = operation.split(" ", 1)
        own = ours.fill(path.replace("{A}", f"/{ours.tenant.key}"))
        foreign = theirs.fill(path.replace("{A}", f"/{ours.tenant.key}"))
        for target in {own, foreign}:
            body = theirs.body(operation) if operation in BODIES else None
            ours.send(method, target, json=body)
            if rows.read() != before:
                wrong.append(f"{method} {target} {body}")
            store.put_back()
    store.close()

    assert wrong == []


@pytest.mark.parametrize("kind", ["gid", "rid"])
@pytest.mark.parametrize("recall", ["msg_recall", "recall"])
def test_a_message_to_anothers_group_that_is_recalled_tells_nobody_there(
    apps: tuple[Furnished, Furnished], settings: Settings, kind: str, recall: str
) -> None:
    """Sending answers success, for the id is only text; it reaches nobody either."""
    ours, theirs = apps
    rows = Rows(settings, theirs.tenant.key)
    before, place = rows.read(), theirs.params[kind]
    message = {"to": [place], "type": "txt", "body": {"msg": "hi"}}

    for said, chat in (("chatgroups", "groupchat"), ("chatrooms", "chatroom")):
        sent = ours.send("POST", f"/acme/chat/messages/{said}", json=message)
        taken = {"msg_id": sent.json["data"][place], "to": place, "chat_type": chat}
        body = taken if recall == "msg_recall" else {"msgs": [taken]}
        done = ours.send("POST", f"/acme/chat/messages/{recall}", json=body)
        assert '"recalled":"yes"' in done.text

    assert rows.read() == before


def test_a_recall_in_ones_own_group_tells_its_members(
    apps: tuple[Furnished, Furnished], settings: Settings
) -> None:
    ours, _ = apps
    rows = Rows(settings, ours.tenant.key)
    gid = ours.params["gid"]
    message = {"to": [gid], "type": "txt", "body": {"msg": "hi"}}
    sent = ours.send("POST", "/acme/chat/messages/chatgroups", json=message)
    taken = {"msg_id": sent.json["data"][gid], "to": gid, "chat_type": "groupchat"}

    ours.send("POST", "/acme/chat/messages/msg_recall", json=taken)

    told = [row for row in rows.read()["event"] if "recall" in row]
    assert len(told) == 3  # the owner, an administrator, a member
