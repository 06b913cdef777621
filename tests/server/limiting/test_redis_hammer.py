"""Processes and threads on one Redis: no window ever holds more than its figure.

Run as a program this file is one of the processes. Its script is ours with a line more,
which writes down the server's own time of each call.
"""

import json
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from server.limiting.breaker import OutOfReach
from server.limiting.redis_windows import RedisWindows
from server.limiting.rings import Want
from server.redis_clients import Script
from server.redis_urls import read
from tests.services.redis import RedisServer, redis_server

ROOT = Path(__file__).parents[3]
MS = 10**6
RECORDS = """
for i, key in ipairs(KEYS) do
  local log, list = logs[i], 'admitted:' .. key
  if spent > 0 then
    call('RPUSH', list, string.format('%.0f %d', log.now, log.amount))
  elseif log.counted == log.amount then
    local after = call('LLEN', list)
    call('RPUSH', 'refused:' .. key,
      string.format('%.0f %d %d', log.now, log.amount, after))
  end
end
return answer"""


class RecordingWindows(RedisWindows):
    script = Script(RECORDS.join(RedisWindows.script.text.rsplit("return answer", 1)))


def call_until(end, windows, sets, seed):
    turn = Random(seed)  # noqa: S311 (repeatable, not secret)
    while time.monotonic() < end:
        try:
            windows.take(sets[turn.randrange(len(sets))])
        except OutOfReach:
            time.sleep(0.01)


def main():
    plan = json.loads(sys.argv[1])
    windows = RecordingWindows(read(plan["url"]))
    sets = [[Want(*want) for want in wants] for wants in plan["sets"]]
    end = time.monotonic() + plan["seconds"]
    threads = [
        threading.Thread(target=call_until, args=(end, windows, sets, seed))
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Hammer:
    """Processes that call, and what the server has admitted."""

    def __init__(self, server: RedisServer):
        self.server = server
        self.running = []

    def start(self, sets, seconds=2.0):
        plan = {"url": self.server.url, "sets": sets, "seconds": seconds}
        self.running.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.server.limiting.test_redis_hammer", json.dumps(plan)],
                cwd=ROOT,
            )
        )  # fmt: skip

    def wait(self):
        codes = [process.wait(60) for process in self.running]
        self.running.clear()
        assert codes == [0] * len(codes)

    def admitted(self, key):
        """The server's times of the calls admitted for *key*, in microseconds."""
        return [time for time, _ in self.admitted_by(key)]

    def admitted_by(self, key):
        """The same with the figure that admitted each."""
        return self._told("admitted", key)

    def refused(self, key):
        """When a call found no room, by which figure, how many were admitted before."""
        return self._told("refused", key)

    def _told(self, what, key):
        told = self.server.client().lrange(f"{what}:weir:{key}", 0, -1)
        return [tuple(map(int, each.split())) for each in told]


@pytest.fixture
def hammer(tmp_path):
    with redis_server(tmp_path) as server:
        hammer = Hammer(server)
        yield hammer
        for process in hammer.running:
            process.kill()
            process.wait()


def assert_exact(times, amount, window_ns):
    assert all(earlier <= later for earlier, later in pairwise(times))
    for first, beyond in zip(times, times[amount:], strict=False):
        assert beyond - first >= window_ns // 1000


def assert_no_room(refused, times, windows):
    """Whoever was refused for it met a window that was full: no budget was lost."""
    assert {amount for _, amount, _ in refused} == set(windows)
    for time_us, amount, after in refused:
        assert times[after - amount] > time_us - windows[amount] // 1000


@pytest.mark.parametrize(("keys", "amount"), [(1, 200), (50, 12)])
def test_four_processes_of_four_threads_stay_exact(hammer, keys, amount):
    window = 250 * MS
    for _ in range(4):
        hammer.start([[[f"k{i}", amount, window]] for i in range(keys)])

    hammer.wait()

    for i in range(keys):
        times = hammer.admitted(f"k{i}")
        assert len(times) > amount
        assert_exact(times, amount, window)
        assert_no_room(hammer.refused(f"k{i}"), times, {amount: window})


def test_two_limits_are_taken_together_or_not(hammer):
    """Apps a and b share a cluster; what a refuses must not spend the cluster's."""
    window = 250 * MS
    cluster = ["cluster", 100, window]
    for _ in range(4):
        hammer.start([[["a", 20, window], cluster], [cluster, ["b", 5000, window]]])

    hammer.wait()

    both = hammer.admitted("cluster")
    assert_exact(hammer.admitted("a"), 20, window)
    assert_exact(both, 100, window)
    assert_no_room(hammer.refused("cluster"), both, {100: window})
    assert sorted(hammer.admitted("a") + hammer.admitted("b")) == both


def test_old_and_new_workers_side_by_side_keep_each_its_figure(hammer):
    """60 for the old ones, 600 in a longer window for the new."""
    windows = {60: 100 * MS, 600: 1000 * MS}
    for amount, window in windows.items():
        for _ in range(2):
            hammer.start([[["k", amount, window]]], seconds=3)

    hammer.wait()

    calls = hammer.admitted_by("k")
    times = [time for time, _ in calls]
    for at, (time_us, amount) in enumerate(calls):
        if at >= amount:  # the call that was admitted *amount* calls before
            assert time_us - times[at - amount] >= windows[amount] // 1000
    assert {amount for _, amount in calls} == set(windows)
    assert_no_room(hammer.refused("k"), times, windows)


def test_scripts_flushed_and_keys_lost_amid_calls_cost_no_call(hammer):
    """A server that forgot the script is told it again; one that forgot the counts
    counts anew."""
    window = 100 * MS
    for _ in range(2):
        hammer.start([[["k", 50, window]]])
    client = hammer.server.client()

    ends, flushed = time.monotonic() + 2, []
    while time.monotonic() < ends:
        client.script_flush()
        with client.pipeline() as pipe:  # in one step: nobody counts between the two
            _, told = pipe.delete("weir:k").time().execute()
        flushed.append(int("".join(f"{part:06}" for part in told)))
        time.sleep(0.15)
    hammer.wait()

    times = hammer.admitted("k")
    assert len(times) > 50 * len(flushed)
    for first, beyond in zip(times, times[50:], strict=False):
        forgotten = any(first <= each <= beyond + 1000 for each in flushed)
        assert forgotten or beyond - first >= window // 1000


if __name__ == "__main__":
    main()
