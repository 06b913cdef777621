"""PostgreSQL that cannot be used, is stopped, or is lost while something is under way."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from server.app import create_app
from server.settings import Settings
from server.store import database, messages
from tests.conftest import Clock, Tenant, make_tenant
from tests.probes.messages import send
from tests.server.gunicorn import ROOT, Gunicorn, environment, serving
from tests.services import postgres
from tests.services.postgres import PASSWORD, Cluster

HELLO = {"target_type": "users", "target": ["ada"], "msg": {"type": "txt", "msg": "hi"}}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of these tests' own, which they stop and start."""
    postgres.need()
    cluster = Cluster()
    yield cluster
    cluster.remove()


@pytest.fixture
def url(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.name)):x}"
    cluster.execute(f"CREATE DATABASE {name}")
    return cluster.url(name)


@pytest.fixture
def tenant(url: str, tmp_path: Path, clock: Clock) -> Iterator[Tenant]:
    settings = Settings(
        state_dir=tmp_path / "state", database_url=url, counters_url="memory://"
    )
    yield make_tenant(create_app(settings), "acme/chat", "enterprise")
    database.forget()


def end_connections(cluster: Cluster) -> None:
    """Every client's; the server stays."""
    cluster.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'weir'"
    )


def kept(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM message ORDER BY id").fetchall()
    return [str(id_) for (id_,) in rows]


def start(tmp_path: Path, url: str) -> str:
    """What a start says that comes to nothing."""
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(tmp_path / "state", 1, database_url=url),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    return ended.stdout + ended.stderr


UNUSABLE: dict[str, tuple[Callable[[Cluster], str], str]] = {
    "nobody listens": (
        lambda c: c.url().replace(str(c.port), "1"),
        "Connection refused",
    ),
    "no such host": (
        lambda c: c.url().replace("127.0.0.1", "nowhere.invalid"),
        "nowhere.invalid",
    ),
    "wrong password": (
        lambda c: c.url().replace("sesame", "barley"),
        "password authentication failed",
    ),
    "no such database": (
        lambda c: c.url("nothing"),
        'database "nothing" does not exist',
    ),
    "read-only": (
        lambda c: c.url(options="-c%20default_transaction_read_only%3Don"),
        "read-only",
    ),
    "no database": (lambda c: c.url(""), "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
    "no URL": (lambda c: c.url() + "%zz", "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
    "unknown parameter": (
        lambda c: c.url(nonsense="1"),
        "postgresql://USER:PASSWORD@HOST:PORT/NAME",
    ),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_start_without_a_usable_database_is_explained(
    cluster: Cluster, tmp_path: Path, what: str
) -> None:
    url_of, words = UNUSABLE[what]

    said = start(tmp_path, url_of(cluster))

    assert "WEIR_DATABASE_URL: " in said
    assert words in said
    assert "Traceback" not in said
    assert "barley" not in said
    assert PASSWORD.split()[1] not in said


def test_a_database_in_another_encoding_is_refused(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )

    assert "create it with ENCODING 'UTF8'" in start(tmp_path, cluster.url("latin"))


def test_a_server_that_is_too_old_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.postgres.OLDEST", 99)

    with pytest.raises(database.UnusableDatabase, match=r"too old; 99 is needed"):
        database.connect(Settings(state_dir=tmp_path, database_url=url))


def test_what_broke_while_nothing_was_under_way_costs_nobody_anything(
    cluster: Cluster, tenant: Tenant
) -> None:
    send(tenant)
    end_connections(cluster)
    assert tenant.get("/users/ada").status_code == 404
    end_connections(cluster)

    assert send(tenant).status_code == 200


def test_a_send_that_is_cut_off_before_its_commit_is_none(
    cluster: Cluster, url: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = messages._queue

    def cut_off(*arguments: object) -> None:
        queue(*arguments)
        end_connections(cluster)

    with monkeypatch.context() as patch:
        patch.setattr(messages, "_queue", cut_off)
        answer = send(tenant)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["error"] == "service_unavailable"
    assert kept(url) == []
    assert send(tenant).status_code == 200


def test_a_commit_whose_answer_is_lost_is_not_told_as_done(
    url: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = database.connected().database
    commit = pool.commit

    def lose_the_answer() -> None:
        commit()
        pool._state.conn.close()
        raise database.OperationalError("the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(pool, "commit", lose_the_answer)
        answer = send(tenant)

    assert answer.status_code == 503
    assert len(kept(url)) == 1  # it was done, which nobody can know


def test_a_transaction_that_failed_cannot_be_committed(tenant: Tenant) -> None:
    """PostgreSQL answers such a COMMIT with ROLLBACK, and no error."""
    with (
        pytest.raises(database.OperationalError, match="ROLLBACK"),
        database.writing(tenant.id),
        pytest.raises(Exception, match="division by zero"),
    ):
        database.database.execute_sql("SELECT 1 / 0")


def app_token(server: Gunicorn, url: str) -> str:
    printed = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "apps", "create", "acme/chat",
         "--edition", "enterprise"],
        cwd=ROOT, env=environment(server.state_dir, 1, database_url=url),
        check=True, capture_output=True,
    )  # fmt: skip
    assert printed.returncode == 0
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "apps", "token", "acme/chat"],
        cwd=ROOT, env=environment(server.state_dir, 1, database_url=url),
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


class Senders:
    """Threads that send as fast as they are answered, and what they were told."""

    def __init__(self, server: Gunicorn, token: str, count: int) -> None:
        self._server, self._token = server, token
        self._stop = threading.Event()
        self.answered: list[str] = []
        self.statuses: set[int] = set()
        self._threads = [threading.Thread(target=self._send) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        path = "/acme/chat/messages?useMsgId=true"
        while not self._stop.is_set():
            status, _, answer = self._server.call("POST", path, HELLO, self._token)
            self.statuses.add(status)
            if status == 200:
                self.answered.append(answer["data"]["ada"])

    def until_more_are_answered(self, count: int) -> None:
        wanted = len(self.answered) + count
        pause = threading.Event()
        for _ in range(2_000):
            if len(self.answered) >= wanted:
                return
            pause.wait(0.02)
        raise AssertionError(self._server.log)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_stopped_and_started_under_load_it_loses_nothing_and_nothing_is_twice(
    cluster: Cluster, url: str, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with serving(state, workers="2", threads="4", database_url=url) as server:
        senders = Senders(server, app_token(server, url), 6)
        for how in (signal.SIGINT, signal.SIGQUIT):  # as an operator does; as a crash
            senders.until_more_are_answered(30)
            cluster.stop(how)
            status, headers, _ = server.call("GET", "/healthz")
            assert (status, headers["retry-after"]) == (503, "1")
            cluster.start()
        senders.until_more_are_answered(30)
        ends = time.monotonic() + 10
        senders.stop()
        while (
            server.call("GET", "/healthz")[0] != 200
        ):  # each worker sees it for itself
            assert time.monotonic() < ends
            time.sleep(0.05)

    found = kept(url)
    assert set(senders.answered) <= set(found)
    assert len(found) == len(set(found))
    assert len(senders.answered) == len(set(senders.answered))
    assert senders.statuses <= {200, 429, 503}
    assert "Traceback" not in server.log
    assert PASSWORD.split()[1] not in server.log


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Four megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_of_sqlite_is_a_503_and_what_was_answered_is_kept(
    small_disk: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{small_disk}/weir.db"
    body = {**HELLO, "msg": {"type": "txt", "msg": "x" * 4_000}}
    answered, statuses = [], []

    with serving(tmp_path / "state", workers="1", database_url=url) as server:
        token = app_token(server, url)

        def send_one() -> int:
            path = "/acme/chat/messages?useMsgId=true"
            status, _, answer = server.call("POST", path, body, token)
            if status == 200:
                answered.append(answer["data"]["ada"])
            return status

        ballast = small_disk / "ballast"
        ballast.write_bytes(b"x" * 3_000_000)
        while 503 not in statuses:
            statuses.append(send_one())
            assert statuses.count(200) < 1_000
        ballast.unlink()
        while (last := send_one()) == 429:  # the table's own limit
            time.sleep(0.05)
        assert last == 200

    assert set(statuses) <= {200, 503, 429}
    with closing(sqlite3.connect(small_disk / "weir.db")) as file:
        found = [str(id_) for (id_,) in file.execute("SELECT id FROM message")]
    assert set(answered) <= set(found)
    assert statuses.count(200) > 20
    assert "Traceback" not in server.log


def test_a_worker_that_starts_while_it_is_stopped_waits_for_it(
    cluster: Cluster, url: str, tmp_path: Path
) -> None:
    with serving(tmp_path / "state", workers="1", database_url=url) as server:
        cluster.stop()
        try:
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log("Weir cannot start:")
        finally:
            cluster.start()
        server.wait_for_log("Booting worker")
        pause = threading.Event()
        for _ in range(500):
            try:
                if server.call("GET", "/healthz")[0] == 200:
                    break
            except OSError:
                pass
            pause.wait(0.02)
        assert server.process.poll() is None
        assert server.call("GET", "/healthz")[0] == 200
