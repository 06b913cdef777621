"""Two workers and a real Redis that hangs or dies under load, and comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.gunicorn import ROOT, Gunicorn, flask, serving
from tests.services.redis import RedisServer, redis_server, watched_by_sentinels

CALLS = 10
"""A second, of an app on the first edition."""
SECOND_NS = 10**9


class Load:
    """Callers that never stop, and what each call was answered and when."""

    def __init__(self, server: Gunicorn, token: str) -> None:
        self.calls: list[tuple[int, int, int]] = []
        self._server = server
        self._token = token
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(6)]

    def _call(self) -> None:
        while not self._stop.is_set():
            before = time.monotonic_ns()
            status, headers, body = self._server.call(
                "GET", "/acme/chat/users/alice", token=self._token
            )
            if status == 503:
                assert body["error"] == "service_unavailable"
                assert headers["retry-after"] == "1"
            self.calls.append((before, time.monotonic_ns(), status))

    def wait_for(self, count: int, *statuses: int) -> None:
        """Until so many more calls were answered so."""
        begun, ends = time.monotonic_ns(), time.monotonic() + 30
        while sum(b > begun and s in statuses for b, _, s in self.calls) < count:
            assert time.monotonic() < ends, self.calls[-20:]
            assert all(thread.is_alive() for thread in self._threads)
            time.sleep(0.02)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def statuses(self) -> set[int]:
        return {status for _, _, status in self.calls}


@contextmanager
def under_load(state_dir: Path, url: str, loss: str) -> Iterator[tuple[Gunicorn, Load]]:
    flask(ROOT, state_dir, "apps", "create", "acme/chat")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with (
        serving(state_dir, workers="2", counters_url=url, counters_loss=loss) as server,
        Load(server, token) as load,
    ):
        yield server, load


def wait_for_each_worker(server: Gunicorn, words: str, times: int = 2) -> None:
    ends = time.monotonic() + 30
    while server.log.count(words) < times:
        assert time.monotonic() < ends, server.log
        time.sleep(0.02)


def lose_and_find(
    server: Gunicorn,
    load: Load,
    lose: Callable[[], object],
    find: Callable[[], object],
    lost_status: int,
) -> tuple[int, int]:
    """When every worker had lost its counters, and when they came back."""
    load.wait_for(30, 404)
    lose()
    wait_for_each_worker(server, "counters out of reach")
    begun = time.monotonic_ns()
    load.wait_for(40, lost_status)
    ended = time.monotonic_ns()
    find()
    wait_for_each_worker(server, "counters are back")
    load.wait_for(30, 404)
    # A line an edge, not one a call; a busy machine may have lost them once more.
    edges = server.log.count("counters out of reach")
    assert 2 <= edges < 10
    assert edges == server.log.count("counters are back")
    assert "Traceback" not in server.log
    return begun, ended


def assert_exact(calls: list[tuple[int, int, int]]) -> None:
    """The i-th admitted was counted after the i-th start and before the i-th end."""
    admitted = [each for each in calls if each[2] == 404]
    starts = sorted(before for before, _, _ in admitted)
    ends = sorted(after for _, after, _ in admitted)
    for first, beyond in zip(starts, ends[CALLS:], strict=False):
        assert beyond - first >= SECOND_NS


def ways(
    server: RedisServer, how: str
) -> tuple[Callable[[], object], Callable[[], object]]:
    if how == "hangs":
        return server.pause, server.resume
    return server.kill, server.start


@pytest.mark.parametrize("how", ["hangs", "dies"])
def test_closed_answers_503_until_counters_are_back(tmp_path: Path, how: str) -> None:
    with (
        redis_server(tmp_path / "redis") as redis,
        under_load(tmp_path / "state", redis.url, "closed") as (server, load),
    ):
        begun, ended = lose_and_find(server, load, *ways(redis, how), 503)

    assert load.statuses() == {404, 429, 503}
    meanwhile = [each for each in load.calls if begun < each[0] and each[1] < ended]
    assert {status for _, _, status in meanwhile} == {503}
    assert_exact([each for each in load.calls if each[1] < begun])
    assert_exact([each for each in load.calls if each[0] > ended])


@pytest.mark.parametrize("how", ["hangs", "dies"])
def test_local_counts_on_this_host_until_counters_are_back(
    tmp_path: Path, how: str
) -> None:
    """By both workers together, in their host's rings."""
    with (
        redis_server(tmp_path / "redis") as redis,
        under_load(tmp_path / "state", redis.url, "local") as (server, load),
    ):
        begun, ended = lose_and_find(server, load, *ways(redis, how), 404)

    assert load.statuses() == {404, 429}
    meanwhile = [each for each in load.calls if begun < each[0] and each[1] < ended]
    assert_exact(meanwhile)
    assert sum(status == 404 for _, _, status in meanwhile) >= 30
    assert (tmp_path / "state" / "counters-standby").is_dir()


def test_sentinels_hand_over_under_load(tmp_path: Path) -> None:
    with (
        watched_by_sentinels(tmp_path / "redis") as watched,
        under_load(tmp_path / "state", watched.url, "closed") as (server, load),
    ):
        master = watched.servers[0]

        lose_and_find(server, load, master.kill, lambda: None, 503)

        assert watched.master() == watched.servers[1].port
    assert load.statuses() == {404, 429, 503}
