"""Ids on PostgreSQL: unique and growing over hosts, whatever the clocks do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from peewee import DataError

from server.app import create_app
from server.kinds import Quota
from server.settings import Settings
from server.store import database, messages
from server.store.messages import Outgoing
from tests import databases
from tests.conftest import Clock, Tenant, make_tenant
from tests.server.gunicorn import ROOT
from tests.services import postgres

PROCESSES = 4
EACH = 150

SENDER = """
import os, sys
from server.kinds import Quota
from server.settings import Settings
from server.store import database, messages
database.connect(Settings.from_env(os.environ))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    targets = [f"t{k}" for k in range(n % 3 + 1)]
    out = messages.Outgoing("users", targets, "admin", '{"type":"txt"}')
    print(*messages.keep(int(sys.argv[1]), out, at_most=Quota("daily")), flush=True)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    postgres.need()
    url = databases.made(f"ids_{abs(hash(str(tmp_path))):x}")
    return Settings(
        state_dir=tmp_path / "state", database_url=url, counters_url="memory://"
    )


@pytest.fixture
def tenants(settings: Settings) -> Iterator[list[Tenant]]:
    app = create_app(settings)
    yield [make_tenant(app, f"acme/chat{n}", "enterprise") for n in range(2)]
    database.forget()


def execute(settings: Settings, sql: str) -> list[tuple[int, ...]]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def step_clock(settings: Settings, ms: int) -> None:
    """The database's clock is so much before or behind the machine's."""
    be_clock(settings, f"floor(extract(epoch FROM clock_timestamp()) * 1000) + {ms}")


def be_clock(settings: Settings, expression: str) -> None:
    head = "CREATE OR REPLACE FUNCTION unix_ms() RETURNS bigint LANGUAGE sql VOLATILE"
    execute(settings, f"{head} AS $$ SELECT ({expression})::bigint $$")


def test_processes_give_ids_once_and_in_order_while_the_clock_steps(
    tenants: list[Tenant], settings: Settings
) -> None:
    senders = [
        subprocess.Popen(
            [sys.executable, "-c", SENDER, str(tenants[n % 2].id), str(EACH)],
            cwd=ROOT, env=databases.environment(settings),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(PROCESSES)
    ]  # fmt: skip
    for each in senders:
        assert each.stdout.readline() == "ready\n"
    for each in senders:
        each.stdin.write("go\n")
        each.stdin.flush()
    for ms in (60_000, -60_000, 3_600_000, 0):
        step_clock(settings, ms)
    given = []
    for each in senders:
        lines, _ = each.communicate(timeout=60)
        own = [int(id_) for line in lines.split("\n") for id_ in line.split()]
        assert own == sorted(own)
        given += own

    assert len(given) == len(set(given)) == PROCESSES * EACH * 2
    assert {id_ for (id_,) in execute(settings, "SELECT id FROM message")} == set(given)


def keep(tenant: Tenant) -> int:
    out = Outgoing("users", ["ada"], "admin", '{"type":"txt"}')
    (id_,) = messages.keep(tenant.id, out, at_most=Quota("daily"))
    return id_


def test_an_id_tells_the_time_of_the_database(
    tenants: list[Tenant], settings: Settings
) -> None:
    step_clock(settings, 86_400_000)
    ((before,),) = execute(settings, "SELECT unix_ms()")

    id_ = keep(tenants[0])

    ((after,),) = execute(settings, "SELECT unix_ms()")
    assert before <= id_ >> 20 <= after
    step_clock(settings, 0)
    assert keep(tenants[1]) == id_ + 1


def test_what_is_undone_gives_its_id_to_nobody(
    tenants: list[Tenant], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def refuse(_: int, __: Outgoing, ids: list[int]) -> None:
        seen.extend(ids)
        raise ValueError("undone")

    with monkeypatch.context() as patch:
        patch.setattr(messages, "_queue", refuse)
        with pytest.raises(ValueError, match="undone"):
            keep(tenants[0])

    assert keep(tenants[0]) > seen[0]


def test_the_moments_lock_is_given_back_when_giving_fails(
    tenants: list[Tenant], settings: Settings
) -> None:
    be_clock(settings, "1 / 0 * random()")

    with pytest.raises(DataError, match="division by zero"):
        keep(tenants[0])

    step_clock(settings, 0)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert execute(settings, held) == [(0,)]
    assert keep(tenants[0])


def test_apps_write_beside_each_other_and_in_one_app_one_after_another(
    tenants: list[Tenant], settings: Settings, clock: Clock
) -> None:
    """A transaction in one app is open; another app's goes through, its own waits."""
    script = SENDER.replace("admin", "other")
    one, other = tenants
    command = [sys.executable, "-c", script]
    with database.writing(one.id):
        senders = [
            subprocess.Popen(
                [*command, str(tenant.id), "1"], cwd=ROOT,
                env=databases.environment(settings),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for tenant in (one, other)
        ]  # fmt: skip
        for each in senders:
            assert each.stdout.readline() == "ready\n"
            each.stdin.write("go\n")
            each.stdin.flush()
        assert senders[1].stdout.readline().strip().isdigit()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while execute(settings, waiting) != [(1,)]:
            assert senders[0].poll() is None
    assert senders[0].communicate(timeout=20)[0].strip().isdigit()
    senders[1].communicate(timeout=20)
