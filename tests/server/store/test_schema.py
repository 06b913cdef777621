"""The tables: made once, brought up to date whole or not at all, as models.py says."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from peewee import BigAutoField, Field, ForeignKeyField
from playhouse.schema_diff import diff_models

from server.app import create_app
from server.settings import Settings
from server.store import database, muc_files, schema, users
from server.store.database import Statement, UnusableDatabase
from server.store.models import TABLES, App, File, LastMuc, Message, User
from tests import databases
from tests.server.gunicorn import ROOT
from tests.services import postgres

DATA = Path(__file__).parent / "data"
RACERS = 4


def settings_of(tmp_path: Path, **options: str) -> Settings:
    return Settings(state_dir=tmp_path / "state", counters_url="memory://", **options)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A database without a table."""
    if request.param == "sqlite":
        return settings_of(tmp_path)
    postgres.need()
    name = f"empty_{abs(hash(str(tmp_path))):x}"
    postgres.shared().execute(f"CREATE DATABASE {name}")
    return settings_of(tmp_path, database_url=postgres.shared().url(name))


@pytest.fixture
def made(empty: Settings) -> Settings:
    database.connect(empty)
    schema.prepare()
    return empty


def db(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", *arguments], cwd=ROOT,
        env=databases.environment(settings), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for further steps, beside those there are."""
    place = tmp_path / "steps"
    shutil.copytree(schema.STEPS, place)
    monkeypatch.setattr(schema, "STEPS", place)
    return place


def add(steps: Path, number: int, *statements: str) -> None:
    runs = "".join(f"    Step(database).run({each!r})\n" for each in statements)
    (steps / f"{number:04}_more.py").write_text(
        "from server.store.migrations import Step\n\n"
        f"def up(_, database):\n{runs or '    pass'}\n"
    )


# --- what the steps make is what models.py says


def test_the_steps_make_the_tables_of_the_models(made: Settings) -> None:
    at = database.connected().database

    assert not diff_models(at, TABLES)
    for table in TABLES:
        name = table._meta.table_name
        found = {column.name: column for column in at.get_columns(name)}
        for field in table._meta.sorted_fields:
            column = found[field.column_name]
            assert _kind(column.data_type) == _wanted(field), (name, column)
            if table._meta.primary_key is not field:
                assert column.null == field.null, (name, column)
        keys = table._meta.get_primary_keys()
        assert at.get_primary_keys(name) == [each.column_name for each in keys]
        assert _foreign_keys(name) == {
            (each.column_name, each.rel_model._meta.table_name)
            for each in table._meta.sorted_fields
            if isinstance(each, ForeignKeyField)
        }


def _kind(data_type: str) -> str:
    word = re.sub(r"\(.*", "", data_type).lower()
    return {"character varying": "text", "varchar": "text", "bigint": "integer",
            "boolean": "integer", "bytea": "blob"}.get(word, word)  # fmt: skip


def _wanted(field: Field) -> str:
    while isinstance(field, ForeignKeyField):
        field = field.rel_field
    return {"VARCHAR": "text", "TEXT": "text", "BLOB": "blob"}.get(
        field.field_type, "integer"
    )


def _foreign_keys(table: str) -> set[tuple[str, str]]:
    found = database.connected().database.get_foreign_keys(table)
    return {(each.column, each.dest_table) for each in found}


def test_ids_are_never_given_twice(made: Settings) -> None:
    keyed = [t for t in TABLES if isinstance(t._meta.primary_key, BigAutoField)]
    insert = Statement("INSERT INTO recalled (id) VALUES (?)")  # any statement does
    assert insert.run(1) == 1
    assert App in keyed
    make = Statement(
        """
        INSERT INTO app (org, name, uuid, edition, open_registration, client_id,
            secret_hash, token_key, created, user_count, attribute_bytes, group_count,
            chatroom_count)
        VALUES ('o', ?, ?, 'e', FALSE, ?, ?, ?, 1, 0, 0, 0, 0) RETURNING id
        """
    )
    (first,) = make.one("a", "a", "a", b"", b"")
    Statement("DELETE FROM app WHERE id = ?").run(first)

    assert make.one("b", "b", "b", b"", b"")[0] > first


def test_names_are_sorted_by_their_bytes(made: Settings) -> None:
    names = ["a-b", "ab", "a-c", "b"]
    for name in names:
        Statement("INSERT INTO server_secret (name, key) VALUES (?, ?)").run(name, b"")

    rows = Statement("SELECT name FROM server_secret ORDER BY name").all()

    assert [name for (name,) in rows] == sorted(names)


# --- when they are taken


def test_of_many_that_start_on_an_empty_database_one_makes_the_tables(
    empty: Settings,
) -> None:
    script = (
        "import os, sys\nfrom server.settings import Settings\n"
        "from server.store import schema\nsys.stdin.readline()\n"
        "schema.check(Settings.from_env(os.environ))\nprint('made')\n"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, env=databases.environment(empty),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(RACERS)
    ]  # fmt: skip

    told = [each.communicate("go\n", timeout=60)[0] for each in racers]

    assert told == ["made\n"] * RACERS
    database.connect(empty)
    assert all(step.taken and step.known for step in schema.steps())


def test_a_start_without_the_last_step_says_what_to_do(
    made: Settings, steps: Path
) -> None:
    add(steps, 9000, "CREATE TABLE more (id {key})")

    with pytest.raises(UnusableDatabase, match=r"9000_more.*`flask db upgrade`"):
        schema.prepare()

    assert schema.upgrade() == ["9000_more"]
    schema.prepare()
    assert schema.upgrade() == []
    assert "more" in database.connected().database.get_tables()


def test_steps_are_taken_all_or_none(made: Settings, steps: Path) -> None:
    add(steps, 9000, "CREATE TABLE more (id {key})")
    add(steps, 9001, "CREATE TABLE evenmore (id {key})", "CREATE nonsense")

    with pytest.raises(UnusableDatabase, match=r"WEIR_DATABASE_URL: .*nonsense"):
        schema.upgrade()

    assert [step.number for step in schema.steps() if not step.taken] == [9000, 9001]
    assert not {"more", "evenmore"} & set(database.connected().database.get_tables())


def test_a_newer_programs_database_is_refused(made: Settings, steps: Path) -> None:
    add(steps, 9000)
    schema.upgrade()
    (steps / "9000_more.py").unlink()

    for refused in (schema.prepare, schema.upgrade):
        with pytest.raises(UnusableDatabase, match=r"9000.*start the newer program"):
            refused()


def test_tables_of_something_else_are_left_alone(empty: Settings) -> None:
    database.connect(empty)
    Statement("CREATE TABLE message (text TEXT)").run()

    for refused in (schema.prepare, schema.upgrade):
        with pytest.raises(UnusableDatabase, match="tables of another program"):
            refused()


def test_the_commands_say_what_is_due_and_do_it(empty: Settings) -> None:
    before, upgrade, after = (
        db(empty, "status"),
        db(empty, "upgrade"),
        db(empty, "status"),
    )

    assert (before.returncode, upgrade.returncode, after.returncode) == (1, 0, 0)
    assert before.stdout.splitlines()[0] == "due    0002_tables"
    assert upgrade.stdout.splitlines()[0] == "done: 0002_tables"
    assert after.stdout.splitlines()[0] == "done   0002_tables"
    assert db(empty, "upgrade").stdout == "nothing is due\n"


def test_the_commands_say_what_is_wrong(tmp_path: Path) -> None:
    url = "postgresql://weir:secret@127.0.0.1:1/weir"

    told = db(settings_of(tmp_path, database_url=url), "upgrade")

    assert told.returncode == 1
    assert "Error: WEIR_DATABASE_URL: connection failed" in told.stderr
    assert "Traceback" not in told.stderr
    assert "secret" not in told.stderr


# --- databases of SQLite from before there were steps


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """One as the first release left it."""
    settings = settings_of(tmp_path)
    settings.state_dir.mkdir()
    with closing(sqlite3.connect(settings.state_dir / "weir.db")) as file:
        file.executescript((DATA / "schema-2.sql").read_text())
        file.executescript((DATA / "rows-2.sql").read_text())
    return settings


def test_a_database_of_the_first_release_is_brought_up_with_its_data(
    old: Settings,
) -> None:
    with pytest.raises(UnusableDatabase, match=r"an older program's.*flask db upgrade"):
        create_app(old)

    upgrade = db(old, "upgrade")

    assert upgrade.stdout.startswith("done: 0003_several_hosts\n"), upgrade.stderr
    create_app(old)
    assert not diff_models(database.connected().database, TABLES)
    acme = App.get()
    assert (acme.org, acme.name, acme.user_count) == ("acme", "chat", 2)
    assert users.find(acme.id, "Alice").nickname == "Alice L"
    assert [row.body for row in Message.select()] == ['{"msg":"hi","type":"txt"}']
    shared = muc_files.page(acme.id, "group", 70, number=1, size=10)
    assert [each.uuid for each in shared] == ["third", "second", "first"]
    assert File.get(File.uuid == "chat").muc_id is None
    # What refers to a row still goes with it.
    User.delete().where(User.username == "alice").execute()
    assert File.select().count() == 4
    App.delete().execute()
    # All but the id of a group that was given last, which is never given again.
    assert LastMuc.get().id == 70
    assert {each.select().count() for each in TABLES if each is not LastMuc} == {0}


def test_the_first_release_refuses_the_database_afterwards(old: Settings) -> None:
    """It knows 2 of PRAGMA user_version, and no steps."""
    db(old, "upgrade")

    assert databases.rows_of_file(old.state_dir, "PRAGMA user_version")[0][0] > 2


@pytest.mark.parametrize(
    ("version", "words"), [(9999, "start the newer program"), (1, "move them away")]
)
def test_another_user_version_is_refused(
    old: Settings, version: int, words: str
) -> None:
    with closing(sqlite3.connect(old.state_dir / "weir.db")) as file:
        file.execute(f"PRAGMA user_version = {version}")

    with pytest.raises(UnusableDatabase, match=words):
        create_app(old)


def test_a_disk_that_is_full_at_the_start_is_said(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        settings = settings_of(tmp_path, database_url=f"sqlite:///{small}/weir.db")

        told = db(settings, "upgrade")

        assert told.returncode == 1
        assert "WEIR_DATABASE_URL: " in told.stderr
        assert "full" in told.stderr or "No space left" in told.stderr
        assert "Traceback" not in told.stderr
    finally:
        subprocess.run(["umount", small], check=True)
