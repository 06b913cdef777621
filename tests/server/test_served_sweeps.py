"""The running server cleans up after itself, and after workers that are killed."""

import fcntl
import os
import re
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from tests.server.gunicorn import ROOT, Gunicorn, flask, serving
from tests.server.test_served_files import (
    KIND,
    download,
    kept,
    multipart,
    request,
)
from tests.server.test_served_s3 import count_files, wait_for_workers
from tests.waiting import wait_until

HURRIED = "tests.server.hurried:app"
AN_HOUR_AGO = time.time() - 3_700


def leftover(state_dir: Path, name: str, modified: float = AN_HOUR_AGO) -> Path:
    """What a killed process may leave."""
    path = state_dir / "files" / "incoming" / name
    path.write_bytes(b"half")
    os.utime(path, (modified, modified))
    return path


def sweeper_of(server: Gunicorn) -> int | None:
    """The worker that holds the sweeper's lock, as the kernel says."""
    path = server.state_dir / "sweeper.lock"
    if not path.exists():
        return None
    inode = f":{path.stat().st_ino} "
    for line in Path("/proc/locks").read_text().splitlines():
        if " FLOCK " in line and inode in line and "->" not in line:
            return int(line.split()[4])
    return None


def test_one_of_two_workers_sweeps_and_the_other_goes_on_when_it_is_killed(
    tmp_path: Path,
) -> None:
    with serving(tmp_path / "state", application=HURRIED, workers="2") as server:
        first = leftover(server.state_dir, "first")
        young = leftover(server.state_dir, "young", time.time())
        wait_until(lambda: not first.exists())
        sweeper = sweeper_of(server)
        assert sweeper in server.workers()

        os.kill(sweeper, signal.SIGKILL)
        second = leftover(server.state_dir, "second")
        wait_until(lambda: not second.exists())
        heir = sweeper_of(server)

        assert heir != sweeper
        assert heir in server.workers()
        wait_for_workers(server, {sweeper}, 2)
        assert young.exists()
        assert swept_by(server) == {sweeper, heir}
        assert "failed" not in server.log


def swept_by(server: Gunicorn) -> set[int]:
    return {int(pid) for pid in re.findall(r"swept by (\d+)\.", server.log)}


def test_a_host_that_sweeps_elsewhere_is_left_to_it(tmp_path: Path) -> None:
    """As while ``flask retention sweep`` of a second server on this host does."""
    with serving(tmp_path / "state", application=HURRIED, workers="2") as server:
        wait_until(lambda: sweeper_of(server))
        workers = set(server.workers())
        with (server.state_dir / "sweeper.lock").open("wb") as lock:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            fcntl.flock(lock, fcntl.LOCK_EX)
            wait_for_workers(server, workers, 2)
            left = leftover(server.state_dir, "left")
            for worker in set(server.workers()) - workers:
                server.wait_for_log(f"turned away by {worker}.")

            assert sweeper_of(server) == os.getpid()
            assert left.exists()
        wait_until(lambda: not left.exists())


def test_a_worker_killed_in_an_upload_leaves_no_row_and_what_is_swept(
    tmp_path: Path,
) -> None:
    state_dir = tmp_path / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    root = state_dir / "files"
    with serving(state_dir, application=HURRIED, workers="1") as server:
        whole = kept(server.port, token, b"whole")
        body = multipart(bytes(900_000))
        start = request("POST", "/acme/chat/chatfiles", token, body, Content_Type=KIND)
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            connection.sendall(start[:600_000])
            wait_until(lambda: any((root / "incoming").iterdir()))
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            with suppress(ConnectionResetError):  # of what it had not read
                assert connection.recv(100) == b""
        wait_for_workers(server, {worker}, 1)

        (left,) = (root / "incoming").iterdir()
        assert count_files(state_dir) == 1
        os.utime(left, (AN_HOUR_AGO, AN_HOUR_AGO))
        wait_until(lambda: not left.exists())
        files = [path.name for path in root.rglob("*") if path.is_file()]
        assert files == [whole[-36:]]
        assert download(server.port, whole, token)[1] == b"whole"
