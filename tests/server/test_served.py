"""The server as it runs: gunicorn, several workers, real sockets."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests import databases
from tests.bench import load
from tests.server.gunicorn import (
    ROOT,
    Gunicorn,
    environment,
    flask,
    parse,
    serving,
)
from tests.trees import copy_of_the_tree, recompile

HELLO = {"target_type": "users", "target": ["ada"], "msg": {"type": "txt", "msg": "hi"}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "state"


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Gunicorn]:
    """Four workers of eight threads, and room for strangers: tests are many."""
    with serving(place, workers="4", threads="8", guard_calls="100000") as server:
        yield server


def make_app(server: Gunicorn, key: str, edition: str = "enterprise") -> str:
    """An app of its own; an app token of it."""
    printed = flask(
        ROOT, server.state_dir, "apps", "create", key, "--edition", edition, "--json"
    )
    made = orjson.loads(printed)
    status, _, answer = server.call(
        "POST",
        f"/{key}/token",
        {
            "grant_type": "client_credentials",
            "client_id": made["client_id"],
            "client_secret": made["client_secret"],
        },
    )
    assert status == 200
    token: str = answer["access_token"]
    return token


def test_the_first_start_makes_an_app_and_prints_how_to_call_it(
    server: Gunicorn,
) -> None:
    assert server.log.count("There was no app yet, so here is demo/chat") == 1
    command = re.search(r"curl (\S+) -d '(.*)'", server.log)
    assert command is not None

    content = command[2].encode()
    answer = server.raw(
        b"POST /demo/chat/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(content), content)
    )

    assert parse(answer)[0] == 200
    assert command[1] == f"http://127.0.0.1:{server.port}/demo/chat/token"


def test_four_workers_hold_one_limit_exactly(server: Gunicorn) -> None:
    """16 connections hammer one app: no second, wherever it begins, holds over 30."""
    token = make_app(server, "exact/one")
    one = load.request("GET", "/exact/one/users/nobody", token)
    admitted: list[tuple[float, float]] = []
    lock = threading.Lock()
    ends = time.monotonic() + 5

    def hammer() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            while time.monotonic() < ends:
                before = time.monotonic()
                connection.sendall(one)
                answer = read_answer(connection)
                after = time.monotonic()
                if answer.startswith(b"HTTP/1.1 404"):
                    with lock:
                        admitted.append((before, after))
                else:
                    assert answer.startswith(b"HTTP/1.1 429")

    with ThreadPoolExecutor(16) as pool:
        for future in [pool.submit(hammer) for _ in range(16)]:
            future.result()

    # Each was counted between its two times. Were 31 counted within a second, the last
    # of them would have ended less than a second after the first one began.
    by_end = sorted(after for _, after in admitted)
    by_begin = sorted(before for before, _ in admitted)
    for first, over in zip(by_begin, by_end[30:], strict=False):
        assert over - first >= 1.0
    assert len(admitted) >= 0.95 * 30 * 5


def test_all_workers_serve(server: Gunicorn) -> None:
    assert len(server.workers()) == 4


def test_answered_sends_survive_the_kill_of_every_process(tmp_path: Path) -> None:
    state = tmp_path / "state"
    answered: list[str] = []
    with serving(state, workers="2") as server:
        token = make_app(server, "kept/one")
        stop = threading.Event()

        def send() -> None:
            while not stop.is_set():
                try:
                    status, _, answer = server.call(
                        "POST", "/kept/one/messages?useMsgId=true", HELLO, token
                    )
                except OSError:
                    return
                if status == 200:
                    answered.append(answer["data"]["ada"])

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(1.5)
        for pid in [server.process.pid, *server.workers()]:
            os.kill(pid, signal.SIGKILL)
        stop.set()
        for sender in senders:
            sender.join()
        server.process.wait()
    rows = databases.rows(state, "SELECT id FROM message ORDER BY id")
    kept = [str(id_) for (id_,) in rows]

    assert len(answered) >= 20
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))


def test_a_worker_killed_at_any_moment_costs_no_budget(server: Gunicorn) -> None:
    """Calls go on while workers are killed; never more than the rate, never stuck."""
    token = make_app(server, "killed/one")
    ends = time.monotonic() + 4
    admitted: list[tuple[float, float]] = []

    def hammer() -> None:
        while time.monotonic() < ends:
            before = time.monotonic()
            try:
                status, _, _ = server.call(
                    "GET", "/killed/one/users/nobody", token=token
                )
            except OSError:
                continue  # its worker was killed under it
            if status == 404:
                admitted.append((before, time.monotonic()))

    threads = [threading.Thread(target=hammer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        time.sleep(0.4)
        os.kill(server.workers()[0], signal.SIGKILL)
    for thread in threads:
        thread.join()

    by_end = sorted(after for _, after in admitted)
    by_begin = sorted(before for before, _ in admitted)
    for first, over in zip(by_begin, by_end[30:], strict=False):
        assert over - first >= 1.0
    assert len(admitted) > 2 * 30  # never stuck; a killed worker takes answers with it


def test_hup_brings_new_rules_without_a_failed_request(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    with serving(tmp_path / "state", tree=tree, workers="2") as server:
        token = make_app(server, "hup/one")
        failures: list[object] = []
        done = threading.Event()

        def keep_calling(close: bool) -> None:
            one = load.request("GET", "/hup/one/limits", token)
            if close:
                one = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            connection = None
            while not done.is_set():
                try:
                    if connection is None:
                        connection = socket.create_connection(
                            ("127.0.0.1", server.port)
                        )
                    connection.sendall(one)
                    answer = read_answer(connection)
                except OSError as error:
                    failures.append(error)
                    connection = None
                    continue
                if not answer.startswith(b"HTTP/1.1 200"):
                    failures.append(answer)
                if close or b"\r\nConnection: close" in answer:
                    connection.close()
                    connection = None
            if connection is not None:
                connection.close()

        callers = [
            threading.Thread(target=keep_calling, args=(close,))
            for close in (True, False) * 3
        ]
        for caller in callers:
            caller.start()
        for n in range(4):
            recompile(tree, f"{30 + n} times/second", f"{31 + n} times/second")
            server.process.send_signal(signal.SIGHUP)
            time.sleep(1.5)
        done.set()
        for caller in callers:
            caller.join()
        wait_for_policy(server, "hup/one", token, "q=34;w=1")
        status, headers, _ = server.call("GET", "/hup/one/users/nobody", token=token)

    assert failures == []
    assert status == 404
    assert headers["ratelimit-policy"] == '"users.calls";q=34;w=1'


def read_answer(connection: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = connection.recv(65_536)
        if not chunk:
            raise ConnectionResetError("closed before an answer")
        answer += chunk
    head, _, content = answer.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(content) < length:
        chunk = connection.recv(65_536)
        if not chunk:
            raise ConnectionResetError("closed within an answer")
        content += chunk
    return head + b"\r\n\r\n" + content


def test_an_edit_does_not_forgive_what_was_counted(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    with serving(tmp_path / "state", tree=tree, workers="2") as server:
        recompile(tree, "limit 10 times/second", "limit 10 times/minute")
        server.process.send_signal(signal.SIGHUP)
        token = make_app(server, "edit/one", "community")

        def admitted_of(count: int) -> int:
            path = "/edit/one/users/nobody"
            answers = [server.call("GET", path, token=token)[0] for _ in range(count)]
            return answers.count(404)

        wait_for_policy(server, "edit/one", token, "q=10;w=60")
        assert admitted_of(15) == 10
        recompile(tree, "limit 10 times/minute", "limit 12 times/minute")
        server.process.send_signal(signal.SIGHUP)
        wait_for_policy(server, "edit/one", token, "q=12;w=60")

        assert admitted_of(5) == 2
        server.process.terminate()
        server.process.wait()
    with serving(tmp_path / "state", tree=tree) as server:
        assert admitted_of(3) == 0


def wait_for_policy(server: Gunicorn, app: str, token: str, figure: str) -> None:
    """Until no old worker answers; what counts nothing is asked for."""
    ends = time.monotonic() + 60
    while not all(policy_of(server, app, token) == figure for _ in range(20)):
        assert time.monotonic() < ends
        time.sleep(0.1)


def policy_of(server: Gunicorn, app: str, token: str) -> str:
    _, _, answer = server.call("GET", f"/{app}/limits", token=token)
    rule = answer["data"][0]["rules"][0]
    return f"q={rule['calls']};w={rule['seconds']}"


def test_a_table_that_moved_on_is_told_loudly(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    document = tree / "limits.md"
    document.write_text(
        document.read_text().replace("30 times/second", "31 times/second")
    )

    with serving(tmp_path / "state", tree=tree, workers="1") as server:
        server.wait_for_log("DOES NOT MATCH THE COMPILED RULES")


def test_prose_may_change_without_a_word(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    document = tree / "limits.md"
    document.write_text(document.read_text() + "\nMore prose.\n")

    with serving(tmp_path / "state", tree=tree, workers="1") as server:
        assert "DOES NOT MATCH" not in server.log


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"counters_url": "memory://", "workers": "2"},
            "counts in each process by itself",
        ),
        ({"threads": "many", "workers": "0"}, "WEIR_WORKERS='0'"),
        ({"state_dir": "/proc/nowhere"}, "WEIR_STATE_DIR: "),
        (
            {"files_url": "file:///proc/nowhere"},
            "WEIR_FILES_URL: cannot use /proc/nowhere",
        ),
    ],
)
def test_a_start_that_cannot_be_is_explained(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(tmp_path / "state", 1, **settings),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert ended.returncode != 0
    assert words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_what_is_kept_is_nobody_elses_business(server: Gunicorn) -> None:
    assert server.state_dir.stat().st_mode & 0o777 == 0o700
    for path in server.state_dir.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == wanted, path
