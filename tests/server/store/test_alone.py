"""Work that one of several hosts is at: making an hour's file, and the sweep."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from server import retention
from server.app import create_app
from server.settings import Settings
from server.store import database, file_storage, history
from server.store.postgres import _ALONE
from tests import databases
from tests.conftest import Clock, Tenant, make_tenant
from tests.server.api.test_history import BEGINS_MS, HOUR, keep
from tests.services import postgres


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    postgres.need()
    url = databases.made(f"alone_{abs(hash(str(tmp_path))):x}")
    return Settings(
        state_dir=tmp_path / "state", database_url=url, counters_url="memory://"
    )


@pytest.fixture
def tenant(settings: Settings, clock: Clock) -> Iterator[Tenant]:
    yield make_tenant(create_app(settings), "acme/chat", "enterprise")
    database.forget()


class OtherHost:
    """Shares nothing but the database: it holds what it took until it is told."""

    def __init__(self, settings: Settings) -> None:
        self.connection = psycopg.connect(settings.database_url, autocommit=True)

    def take(self, number: int) -> None:
        self.connection.execute("SELECT pg_advisory_lock(%s, %s)", (_ALONE, number))

    def give_back(self, number: int) -> None:
        self.connection.execute("SELECT pg_advisory_unlock(%s, %s)", (_ALONE, number))

    def wait_until_one_waits(self) -> None:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while self.connection.execute(waiting).fetchone() != (1,):
            pass


@pytest.fixture
def other(settings: Settings) -> Iterator[OtherHost]:
    other = OtherHost(settings)
    yield other
    other.connection.close()


def test_one_host_sweeps(tenant: Tenant, settings: Settings, other: OtherHost) -> None:
    sweeper = retention.Sweeper(settings)
    other.take(retention._ALONE)
    assert sweeper.turn() is None

    other.give_back(retention._ALONE)

    assert sweeper.turn() is not None
    assert sweeper.turn() is not None  # it gave back what it took
    sweeper.stop()


def test_hosts_make_an_hours_file_one_after_another(
    tenant: Tenant, other: OtherHost
) -> None:
    keep(tenant.id, 3)
    hour = history.hour(HOUR)
    assert hour is not None
    for number in range(history._LOCKS):  # one is of the hour's file
        other.take(number)
    made: list[bool] = []

    def make() -> None:
        made.append(history.make(tenant.row, hour))
        database.disconnect()

    making = threading.Thread(target=make)
    making.start()
    other.wait_until_one_waits()
    assert file_storage.open_stored(history.key_of(tenant.row, hour)) is None
    for number in range(history._LOCKS):
        other.give_back(number)
    making.join(20)

    assert made == [True]


def test_a_file_of_a_host_that_lost_the_turn_is_made_anew(
    tenant: Tenant, other: OtherHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another host recalls a message of the hour meanwhile: it is in no file."""
    keep(tenant.id, 3, BEGINS_MS)
    hour = history.hour(HOUR)
    assert hour is not None
    lines = history._lines

    def cut_off(*of: object) -> Iterator[bytes]:
        yield from lines(*of)
        other.connection.execute(
            "DELETE FROM message WHERE id = (SELECT min(id) FROM message)"
        )
        other.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'weir' AND datname = current_database()"
        )

    with monkeypatch.context() as patch:
        patch.setattr(history, "_lines", cut_off)
        with pytest.raises(database.OperationalError):
            history.make(tenant.row, hour)
    assert lines_in(history.key_of(tenant.row, hour)) == 3

    assert history.make(tenant.row, hour)
    assert lines_in(history.key_of(tenant.row, hour)) == 2


def lines_in(key: str) -> int:
    stored = file_storage.open_stored(key)
    assert stored is not None
    with stored:
        return len(gzip.decompress(stored.read()).splitlines())
