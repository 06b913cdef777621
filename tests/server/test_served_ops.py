"""What an operator has of the server as it runs: logs, metrics, and no secrets."""

import itertools
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server.gunicorn import (
    ROOT,
    Gunicorn,
    environment,
    flask,
    free_port,
    serving,
    wait_until_healthy,
)
from tests.waiting import wait_until

COMMAND = [
    sys.executable,
    "-m",
    "gunicorn",
    "-c",
    "server/gunicorn_conf.py",
    "wsgi:app",
]
Totals = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def app_token(state: Path, key: str, edition: str = "enterprise") -> str:
    """A token of a new app; made before the start, so that there is no demo app."""
    flask(ROOT, state, "apps", "create", key, "--edition", edition)
    return flask(ROOT, state, "apps", "token", key).strip()


def scraped(server: Gunicorn, token: str = "") -> str:
    head = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    answer = server.raw(head.encode() + b"\r\n").decode()
    assert answer.startswith("HTTP/1.1 200")
    return answer.partition("\r\n\r\n")[2]


def totals(server: Gunicorn) -> Totals:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(scraped(server))
        for sample in family.samples
    }


def users_calls(found: Totals, outcome: str) -> float:
    labels = (("edition", "enterprise"), ("interface", "users"), ("outcome", outcome))
    return found["weir_calls_total", labels]


def wait_for_new_workers(server: Gunicorn, old: list[int], count: int) -> None:
    """Until *count* workers answer, and none of *old* is left."""

    def they_are() -> bool:
        now = server.workers()
        return len(now) == count and not set(now) & set(old)

    wait_until(they_are)
    wait_until(lambda: totals(server)["weir_workers", ()] == count)


def test_the_totals_are_what_was_sent_whatever_becomes_of_the_workers(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    token = app_token(state, "exact/one")
    with serving(state, workers="4") as server:
        sent = {404: 0, 429: 0}
        seen: list[Totals] = []

        def send(count: int) -> None:
            def one(_: int) -> int:
                return server.call("GET", "/exact/one/users/nobody", token=token)[0]

            with ThreadPoolExecutor(8) as pool:
                for status in pool.map(one, range(count)):
                    sent[status] += 1
            found = totals(server)
            assert users_calls(found, "invalid") == sent[404]
            assert users_calls(found, "refused") == sent[429]
            rule = (("edition", "enterprise"), ("rule", "users.calls"))
            assert found["weir_rule_admitted_total", rule] == sent[404]
            assert found["weir_rule_refused_total", rule] == sent[429]
            lasted = found[
                "weir_call_duration_seconds_count", (("interface", "users"),)
            ]
            assert lasted == sent[404] + sent[429]
            seen.append(found)

        wait_until(lambda: totals(server)["weir_workers", ()] == 4)
        send(60)
        for _ in range(2):
            before = server.workers()
            os.kill(before[0], signal.SIGKILL)
            wait_for_new_workers(server, before[:1], 4)
            send(40)
        before = server.workers()
        server.process.send_signal(signal.SIGHUP)
        wait_for_new_workers(server, before, 4)
        send(60)
        for earlier, later in itertools.pairwise(seen):
            for name, value in earlier.items():
                if name[0].endswith(("_total", "_count", "_bucket", "_sum")):
                    assert later[name] >= value, name
    with serving(state, workers="2") as server:
        send(10)


def test_thirty_reloads_grow_no_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = app_token(state, "hup/one")
    with serving(state, workers="1") as server:
        calls = 0

        def reload() -> None:
            nonlocal calls
            before = server.workers()
            server.process.send_signal(signal.SIGHUP)
            wait_for_new_workers(server, before, 1)
            server.call("GET", "/hup/one/users/nobody", token=token)
            calls += 1

        def sizes() -> dict[str, int]:
            ours = ("metrics", "activity", "refusals")
            return {
                path.name: path.stat().st_size
                for path in state.iterdir()
                if path.name.startswith(ours)
            }

        def descriptors() -> int:
            return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))

        reload()
        first, opened = sizes(), descriptors()
        for _ in range(29):
            reload()

        assert sizes() == first
        assert descriptors() <= opened
        assert set(first) == {"metrics", "activity", "refusals"}
        assert users_calls(totals(server), "invalid") == calls == 30


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[tuple[Gunicorn, Path, str]]:
    """A server whose access log is a file, that file, and an app's token."""
    state, log = tmp_path / "state", tmp_path / "access.log"
    token = app_token(state, "log/one")
    with serving(state, workers="4", access_log=str(log)) as server:
        yield server, log, token


def lines(log: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in log.read_bytes().splitlines()]


def test_every_call_of_every_worker_is_one_whole_line(
    logged: tuple[Gunicorn, Path, str],
) -> None:
    server, log, token = logged

    def one(n: int) -> str:
        return server.call(
            "GET", "/log/one/limits", token=token, headers={"X-Request-Id": f"n-{n}"}
        )[1]["x-request-id"]

    with ThreadPoolExecutor(8) as pool:
        returned = list(pool.map(one, range(400)))

    ids = [line["request_id"] for line in lines(log)]
    assert returned == [f"n-{n}" for n in range(400)]
    assert sorted(each for each in ids if each.startswith("n-")) == sorted(returned)


@pytest.mark.parametrize("told", [signal.SIGUSR1, signal.SIGHUP])
def test_a_rotated_log_is_opened_again_when_told_and_no_line_is_lost(
    logged: tuple[Gunicorn, Path, str], told: signal.Signals
) -> None:
    server, log, token = logged
    calls = 0

    def call() -> None:
        nonlocal calls
        server.call(
            "GET", "/log/one/limits", token=token, headers={"X-Request-Id": "mine"}
        )
        calls += 1

    moved = log.with_name("access.log.1")
    for _ in range(20):
        call()
    log.rename(moved)
    call()
    server.process.send_signal(told)
    wait_until(log.exists)
    while not log.read_bytes().count(b"mine"):
        call()

    mine = [line for line in lines(moved) + lines(log) if line["request_id"] == "mine"]
    assert len(mine) == calls
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_reader_who_stops_reading_costs_lines_and_no_answer(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = app_token(state, "stuck/one")
    port = free_port()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment(state, port, workers="2"),
        stdout=writing, stderr=writing,
    )  # fmt: skip
    os.close(writing)
    server = Gunicorn(process, port, state, tmp_path / "none")
    try:
        wait_until_healthy(server)
        for _ in range(500):  # a pipe holds 64 KiB, and a line is some 200 bytes
            status, _, _ = server.call("GET", "/stuck/one/limits", token=token)
            assert status == 200
        lost = totals(server)["weir_access_log_lost_total", ()]
        written = os.read(reading, 1 << 20)
        server.call("GET", "/stuck/one/limits", token=token)

        assert lost > 100
        assert all(orjson.loads(line) for line in written.splitlines())
        assert written.count(b"GET /limits") + lost >= 500
        assert b"GET /limits" in os.read(reading, 1 << 20)
    finally:
        process.terminate()
        process.wait(20)
        os.close(reading)


@contextmanager
def on_a_terminal(command: list[str], env: dict[str, str]) -> Iterator[int]:
    """Run a command whose output is a terminal; its other end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            yield ours
        finally:
            process.terminate()
            process.wait(20)
            os.close(ours)


def read_until(terminal: int, words: str) -> str:
    read = b""
    while words.encode() not in read:
        read += os.read(terminal, 65_536)
    return read.decode()


def test_on_a_terminal_the_lines_are_for_people(tmp_path: Path) -> None:
    state = tmp_path / "state"
    token = app_token(state, "tty/one")
    port = free_port()
    with on_a_terminal(COMMAND, environment(state, port, workers="1")) as terminal:
        started = read_until(terminal, "Booting worker")
        server = Gunicorn(None, port, state, tmp_path / "none")  # type: ignore[arg-type]
        wait_until(lambda: is_open(port))
        server.call("GET", "/tty/one/users/bob", token=token)
        shown = read_until(terminal, "GET /users/{username}")

    assert "info    Starting gunicorn" in started
    assert "{" not in started
    assert "  404  " in shown
    assert "tty/one  app  GET /users/{username}" in shown
    assert '"request_id"' not in shown


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_the_servers_own_log_keeps_to_its_level_and_form(tmp_path: Path) -> None:
    for level, told in (("info", True), ("error", False)):
        state = tmp_path / level
        app_token(state, "level/one")
        with serving(
            state, workers="1", access_log="off", log_level=level, time_zone="UTC"
        ) as server:
            server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nBad name: x\r\n\r\n")
            log = server.log

        assert ("Starting gunicorn" in log) == told
        assert ("Invalid request from" in log) == told
        for line in map(orjson.loads, log.splitlines()):
            assert {"time", "level", "logger", "pid", "message"} <= set(line)


def test_a_log_that_cannot_be_written_is_said_at_start(tmp_path: Path) -> None:
    env = environment(tmp_path / "state", 1, access_log=str(tmp_path / "no" / "log"))

    ended = subprocess.run(
        COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False
    )  # fmt: skip

    assert ended.returncode != 0
    assert "WEIR_ACCESS_LOG: cannot write" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "Booting worker" not in ended.stderr  # the master looked first


def test_counters_lost_in_one_worker_are_seen_through_another(tmp_path: Path) -> None:
    """A scrape asks whichever worker answers; what it tells is of all."""
    state = tmp_path / "state"
    token = app_token(state, "lost/one")
    (tmp_path / "in the way").write_text("")
    counters = f"file://{tmp_path}/in the way/counters"
    with serving(state, workers="3", counters_url=counters) as server:
        statuses = {
            server.call("GET", "/lost/one/users/bob", token=token)[0] for _ in range(60)
        }

        degraded: set[float] = set()

        def is_told_alike() -> bool:
            nonlocal degraded
            degraded = {totals(server)["weir_counters_degraded", ()] for _ in range(10)}
            return len(degraded) == 1

        wait_until(is_told_alike)  # a worker learns it from its first call

    assert statuses == {503}
    assert degraded <= {1, 2, 3}
