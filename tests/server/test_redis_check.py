"""What a start says of shared counters: what may pass is a message, the rest ends it."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.redis_check import UnusableCounters, check
from server.redis_urls import read
from tests.server.gunicorn import ROOT, environment, free_port, serving
from tests.services.redis import (
    VALKEY,
    RedisServer,
    redis_cluster,
    redis_server,
    watched_by_sentinels,
)


@contextmanager
def old_redis() -> Iterator[int]:
    """What a Redis 4 says of itself; none can be installed any more."""
    told = b"# Server\r\nredis_version:4.0.14\r\nredis_mode:standalone\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while asked := connection.recv(4096):
                    for _ in range(asked.count(b"SETINFO") or 1):
                        answer = b"-ERR unknown command\r\n"
                        if b"INFO\r\n" in asked and b"SETINFO" not in asked:
                            answer = b"$%d\r\n%s\r\n" % (len(told), told)
                        connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_good_server_is_no_matter(shared_redis: RedisServer) -> None:
    assert check(read(shared_redis.url)) == []


def test_valkey_is_as_good(tmp_path: Path) -> None:
    with redis_server(tmp_path, program=VALKEY) as server:
        assert check(read(server.url)) == []


def test_a_server_that_is_away_may_come_back() -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/1"

    (complaint,) = check(read(url))

    assert "does not answer" in complaint
    assert "refused" in complaint
    assert "secret" not in complaint


def test_something_else_listens_there() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listener:
        thread = threading.Thread(target=serve)
        thread.start()
        (complaint,) = check(read(f"redis://127.0.0.1:{listener.getsockname()[1]}"))
        thread.join()

    assert "does not answer" in complaint


def test_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        server.client().config_set("requirepass", "right")

        (wrong,) = check(read(f"redis://:wr0ng@{server.place}"))
        (none,) = check(read(server.url))

    assert "invalid username-password" in wrong
    assert "wr0ng" not in wrong
    assert "Authentication required" in none


def test_old_server_ends_the_start() -> None:
    with (
        old_redis() as port,
        pytest.raises(UnusableCounters, match=r"Redis 4\.0\.14: 5"),
    ):
        check(read(f"redis://127.0.0.1:{port}"))


def test_server_that_forgets_keys_is_told(tmp_path: Path) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with redis_server(tmp_path, *options) as server:
        (complaint,) = check(read(server.url))

    assert "allkeys-lru" in complaint
    assert "noeviction is needed" in complaint


def test_replica_is_told(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        server.client().replicaof("127.0.0.1", free_port())

        (complaint,) = check(read(server.url))

    assert "is a replica" in complaint


def test_each_kind_of_server_wants_its_scheme(
    tmp_path: Path, shared_redis: RedisServer
) -> None:
    with redis_cluster(tmp_path / "c") as cluster:
        assert check(read(cluster.url)) == []
        alone = cluster.servers[0].url
        with pytest.raises(UnusableCounters, match=r"mode cluster.*redis\+cluster://"):
            check(read(alone))
    with pytest.raises(UnusableCounters, match=r"mode standalone.*redis://"):
        check(read(f"redis+cluster://{shared_redis.place}"))
    with watched_by_sentinels(tmp_path / "s") as watched:
        assert check(read(watched.url)) == []
        place = watched.sentinels[0].place
        with pytest.raises(
            UnusableCounters, match=r"mode sentinel.*redis\+sentinel://"
        ):
            check(read(f"redis://{place}"))
        (complaint,) = check(read(f"redis+sentinel://{place}/nobody"))
        assert "No master found for 'nobody'" in complaint


def start(tmp_path: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(tmp_path / "state", free_port(), counters_url=url),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:s3cret@nowhere:port/0", "redis://HOST:PORT/DATABASE is needed"),
        ("reddis://:s3cret@nowhere", "URL beginning with"),
        ("redis+sentinel://:s3cret@a:1,b:2", "SERVICE is needed"),
    ],
)
def test_start_ends_in_words(tmp_path: Path, url: str, words: str) -> None:
    ended = start(tmp_path, url)

    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    assert "WEIR_COUNTERS_URL=" in said
    assert words in said
    assert "Traceback" not in said
    assert "s3cret" not in said


def test_start_with_an_old_server_ends_in_words(tmp_path: Path) -> None:
    with old_redis() as port:
        ended = start(tmp_path, f"redis://127.0.0.1:{port}")

    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert f"WEIR_COUNTERS_URL: redis://127.0.0.1:{port} is Redis 4.0.14" in said
    assert "Traceback" not in said


def test_start_without_counters_says_so_and_serves(tmp_path: Path) -> None:
    url = f"redis://:s3cret@127.0.0.1:{free_port()}"

    with serving(tmp_path / "state", counters_url=url, workers="1") as server:
        status, headers, body = server.call("POST", "/acme/chat/users", {})
        assert (status, body["error"]) == (503, "service_unavailable")
        assert headers["retry-after"] == "1"
        server.wait_for_log("counters out of reach")

        log = server.log

    assert f"WEIR_COUNTERS_URL: {url.replace(':s3cret@', '')} does not answer" in log
    assert "s3cret" not in log
    assert "Traceback" not in log
