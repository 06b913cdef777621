"""The server as it runs, its files in a bucket: forks, kills, and a store that leaves."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.gunicorn import ROOT, Gunicorn, environment, flask, serving
from tests.server.test_served_files import (
    KIND,
    RATE,
    download,
    kept,
    multipart,
    request,
    upload,
)
from tests.services import s3


@pytest.fixture(scope="module")
def url(s3_store: s3.Store) -> str:
    return s3_store.new_url()


@pytest.fixture(scope="module")
def acme(
    tmp_path_factory: pytest.TempPathFactory, url: str
) -> Iterator[tuple[Gunicorn, str]]:
    state_dir = tmp_path_factory.mktemp("served") / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with serving(
        state_dir, workers="2", threads="4", synchronous="NORMAL", files_url=url
    ) as server:
        yield server, token
        assert s3.SECRET not in server.log
        assert "Traceback" not in server.log


@contextmanager
def gateway_closed(store: s3.Store) -> Iterator[None]:
    store.close_gateway()
    try:
        yield
    finally:
        store.open_gateway()


def wait_for_workers(server: Gunicorn, gone: set[int], count: int) -> None:
    ends = time.monotonic() + 20
    while len(set(server.workers()) - gone) < count:
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_file_comes_back_at_the_tables_pace_and_in_ranges(
    acme: tuple[Gunicorn, str], s3_store: s3.Store, url: str
) -> None:
    server, token = acme
    content = bytes(range(256)) * (RATE * 2 // 256)

    path = kept(server.port, token, content)
    _, found, came = download(server.port, path, token)

    assert found == content
    assert all(sent <= RATE * seconds + RATE for seconds, sent in came)
    assert f"files/{path[-36:-34]}/{path[-36:]}" in s3_store.keys(url)


def test_no_thread_is_forked_and_each_worker_has_its_own(
    acme: tuple[Gunicorn, str],
) -> None:
    server, token = acme
    for _ in range(8):
        path = kept(server.port, token, b"x")
        assert download(server.port, path, token)[1] == b"x"

    assert len(list(Path(f"/proc/{server.process.pid}/task").iterdir())) == 1
    gone = set(server.workers())
    for worker in gone:
        os.kill(worker, signal.SIGKILL)
    wait_for_workers(server, gone, 2)

    assert download(server.port, kept(server.port, token, b"y"), token)[1] == b"y"


def test_a_worker_killed_in_an_upload_leaves_nothing_at_all(
    acme: tuple[Gunicorn, str], s3_store: s3.Store, url: str
) -> None:
    server, token = acme
    keys, rows = s3_store.keys(url), count_files(server.state_dir)
    body = multipart(bytes(900_000))
    whole = request("POST", "/acme/chat/chatfiles", token, body, Content_Type=KIND)

    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(whole[:600_000])
        workers = set(server.workers())
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        wait_for_workers(server, workers, 2)

    assert list((server.state_dir / "incoming").iterdir()) == []
    assert s3_store.keys(url) == keys
    assert count_files(server.state_dir) == rows
    assert upload(server.port, token, multipart(b"x"))[0] == 200


def count_files(state_dir: Path) -> int:
    with sqlite3.connect(state_dir / "weir.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM file").fetchone()
    connection.close()
    return int(count)


def test_a_store_that_leaves_cuts_downloads_and_nothing_else(
    acme: tuple[Gunicorn, str], s3_store: s3.Store
) -> None:
    server, token = acme
    content = os.urandom(RATE * 6)
    path = kept(server.port, token, content)

    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        plain = request("GET", path, token).replace(b"Connection: close\r\n", b"")
        connection.sendall(plain)
        answer = connection.recv(65_536)
        with gateway_closed(s3_store):
            while chunk := connection.recv(65_536):
                answer += chunk
            refused, told = upload(server.port, token, multipart(b"x"))
            assert server.call("GET", "/acme/chat/users/nobody", token=token)[0] == 404

    got = answer.partition(b"\r\n\r\n")[2]
    assert 0 < len(got) < len(content)
    assert content.startswith(got)
    assert refused == 503
    assert told["error"] == "service_unavailable"
    server.wait_for_log("a download is cut off: cannot use s3://weir/")
    assert "WEIR_FILES_URL: cannot use s3://weir/" in server.log
    assert download(server.port, kept(server.port, token, b"z"), token)[1] == b"z"


def test_a_start_without_its_bucket_is_explained_once(
    tmp_path: Path, s3_store: s3.Store
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(tmp_path / "state", 1, files_url="s3://nowhere/x"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert (
        said.count("WEIR_FILES_URL: cannot use s3://nowhere/x: there is no such") == 1
    )
    assert "Traceback" not in said
    assert "Booting worker" not in said
