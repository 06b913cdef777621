"""The sync of the log, outside the write lock."""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from server.settings import Settings
from server.store import database
from server.store.wal_sync import WalSync
from tests.databases import only_sqlite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weir.db"


def noting(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[], None] = lambda: None
) -> list[str]:
    """Every sync of data from now on, by the name of its file."""
    synced: list[str] = []
    real = os.fdatasync

    def fdatasync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        then()
        real(file)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    return synced


def test_a_thread_alone_syncs_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = noting(monkeypatch)
    sync = WalSync(path)

    sync()
    sync()

    assert synced == ["weir.db-wal"] * 2


def test_who_asks_during_a_sync_shares_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go_on.wait(10)

    synced = noting(monkeypatch, hold)
    sync = WalSync(path)
    asked = threading.Barrier(6)

    def ask() -> None:
        asked.wait(10)
        sync()

    first = threading.Thread(target=sync)
    first.start()
    assert begun.wait(10)
    rest = [threading.Thread(target=ask) for _ in range(5)]
    for thread in rest:
        thread.start()
    asked.wait(10)
    threading.Event().wait(0.2)  # until all five wait for their turn

    go_on.set()
    for thread in (first, *rest):
        thread.join(10)

    assert len(synced) == 2


def test_after_a_failed_sync_nothing_is_promised(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = WalSync(path)

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(OSError, match="Input/output"):
            sync()

    with pytest.raises(OSError, match="Input/output"):
        sync()


def test_the_log_stays_when_the_last_connection_closes(path: Path) -> None:
    sync = WalSync(path)

    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE thing (id INTEGER)")
    other.close()

    assert path.with_name("weir.db-wal").stat().st_ino == os.fstat(sync._log).st_ino
    sync()


@only_sqlite
@pytest.mark.parametrize(("synchronous", "syncs"), [("FULL", 1), ("NORMAL", 0)])
def test_a_commit_is_on_disk_before_it_is_answered(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    synchronous: str,
    syncs: int,
) -> None:
    settings = Settings(state_dir=tmp_path, synchronous=synchronous)  # type: ignore[arg-type]
    database.connect(settings)
    with database.writing(1):
        database.database.execute_sql("CREATE TABLE thing (id INTEGER)")
    there: list[int] = []

    def look() -> None:
        # Another connection sees what is being synced: it was committed first.
        with sqlite3.connect(tmp_path / "weir.db") as other:
            there.append(other.execute("SELECT count(*) FROM thing").fetchone()[0])
        other.close()

    synced = noting(monkeypatch, look)

    with database.writing(1):
        database.database.execute_sql("INSERT INTO thing VALUES (1)")
    database.write(
        1, lambda: database.database.execute_sql("INSERT INTO thing VALUES (2)")
    )

    assert synced == ["weir.db-wal"] * 2 * syncs
    assert there == [1, 2][: 2 * syncs]
    database.disconnect()


@only_sqlite
def test_the_log_grows_to_16_mb_and_no_further(tmp_path: Path) -> None:
    database.connect(Settings(state_dir=tmp_path))
    log = tmp_path / "weir.db-wal"
    with database.writing(1):
        database.database.execute_sql("CREATE TABLE thing (piece BLOB)")
    sizes = []

    for _ in range(24):
        with database.writing(1):  # some 2 MB
            database.database.execute_sql(
                "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n"
                " WHERE k < 500) INSERT INTO thing SELECT zeroblob(4000) FROM n"
            )
        sizes.append(log.stat().st_size // 2**20)

    assert sizes[6] >= 13  # not carried over yet
    assert max(sizes) <= 18
