"""Real processes and the real clock: no window ever holds more than its figure.

Run as a program this file is one of the processes: it calls as fast as it can from
several threads and writes down, for each call admitted, the time just before and
just after.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from array import array
from bisect import bisect_left
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from server.limiting.rings import Rings, Want, boot_clock

ROOT = Path(__file__).parents[3]
MS = 10**6
REFUSED_PER_RECORD = 50


def call_until(end, rings, plan, seed, out):
    """Admitted calls, and some refused, go to *out* at once, three words each."""
    turn = Random(seed)  # noqa: S311 (repeatable, not secret)
    sets = [[Want(*want) for want in wants] for wants in plan["sets"]]
    refused = 0
    while time.monotonic() < end:
        which = turn.randrange(len(sets))
        before = boot_clock()
        took, _ = rings.take(sets[which])
        refused += not took
        if (took and sets[which]) or refused == REFUSED_PER_RECORD:
            # Unbuffered: what was admitted is known even of a process killed.
            kind = which if took else ~which
            os.write(out, array("q", [kind, before, boot_clock()]).tobytes())
            refused %= REFUSED_PER_RECORD


def main():
    plan = json.loads(sys.argv[1])
    rings = Rings(Path(plan["directory"]))
    out = os.open(plan["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    end = time.monotonic() + plan["seconds"]
    threads = [
        threading.Thread(target=call_until, args=(end, rings, plan, seed, out))
        for seed in range(plan["threads"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rings.close()


class Hammer:
    """Processes that call, and what they were admitted."""

    def __init__(self, tmp_path):
        self.directory = tmp_path / "counters"
        self.out = tmp_path / "admitted"
        self.running = []

    def start(self, sets, seconds, threads=4):
        plan = {
            "directory": str(self.directory),
            "out": str(self.out),
            "sets": sets,
            "seconds": seconds,
            "threads": threads,
        }
        self.running.append(
            subprocess.Popen(
                [sys.executable, __file__, json.dumps(plan)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )
        return self.running[-1]

    def wait(self):
        codes = [process.wait(60) for process in self.running]
        self.running.clear()
        return codes

    def calls(self):
        """By set of wants: the (before, after) times of each admitted call.

        Of some refused ones too, under ~set.
        """
        words = array("q")
        words.frombytes(self.out.read_bytes())
        found = defaultdict(list)
        for at in range(0, len(words), 3):
            found[words[at]].append((words[at + 1], words[at + 2]))
        return found


@pytest.fixture
def hammer(tmp_path):
    hammer = Hammer(tmp_path)
    yield hammer
    for process in hammer.running:
        process.kill()
    hammer.wait()


def assert_exact(spans, amount, window):
    """The i-th call was counted after the i-th `before` and before the i-th `after`."""
    befores = sorted(before for before, _ in spans)
    afters = sorted(after for _, after in spans)
    for i in range(len(spans) - amount):
        assert afters[i + amount] - befores[i] >= window


def assert_no_room(refused, spans, amount, window):
    """At each refusal there may have been *amount* counted: no budget was lost."""
    befores = sorted(before for before, _ in spans)
    afters = sorted(after for _, after in spans)
    for before, after in refused:
        begun, past = bisect_left(befores, after), bisect_left(afters, before - window)
        assert begun - past >= amount


def assert_not_starved(spans, amount, window):
    """At least 95 of 100 that could be admitted were."""
    began, ended = min(spans)[0], max(spans)[1]
    windows = (ended - began) // window
    full = [span for span in spans if span[0] < began + windows * window]
    assert len(full) >= 0.95 * amount * windows


@pytest.mark.parametrize(
    ("keys", "amount", "window"), [(1, 1000, 500 * MS), (200, 12, 500 * MS)]
)
def test_four_processes_of_four_threads_stay_exact(hammer, keys, amount, window):
    sets = [[[f"k{i}", amount, window]] for i in range(keys)]

    for _ in range(4):
        hammer.start(sets, seconds=3)

    assert hammer.wait() == [0] * 4
    admitted = hammer.calls()
    for key in range(keys):
        assert_exact(admitted[key], amount, window)
        assert_no_room(admitted.pop(~key, []), admitted[key], amount, window)
    if keys == 1:
        assert_not_starved(admitted[0], amount, window)
    else:
        every = sum(len(spans) for spans in admitted.values())
        began = min(min(spans)[0] for spans in admitted.values())
        ended = max(max(spans)[1] for spans in admitted.values())
        assert every >= 0.95 * amount * keys * ((ended - began) // window)


def test_two_limits_are_taken_together_or_not(hammer):
    """Apps a and b share a cluster; what a refuses must not spend the cluster's."""
    window = 500 * MS
    cluster = ["cluster", 600, window]
    sets = [[["a", 20, window], cluster], [cluster, ["b", 5000, window]]]

    for _ in range(4):
        hammer.start(sets, seconds=2)

    assert hammer.wait() == [0] * 4
    admitted = hammer.calls()
    assert_exact(admitted[0], 20, window)
    both = admitted[0] + admitted[1]
    assert_exact(both, 600, window)
    assert_no_room(admitted[~1], both, 600, window)
    assert_not_starved(both, 600, window)


def test_more_keys_than_room_stay_exact_while_the_file_grows(hammer):
    """A new file of these holds 1,024 keys; none of 3,000 is ever idle."""
    window = 5_000 * MS
    sets = [[[f"k{i}", 3, window]] for i in range(3000)]

    for _ in range(4):
        hammer.start(sets, seconds=2, threads=2)

    assert hammer.wait() == [0] * 4
    admitted = hammer.calls()
    assert sum(key >= 0 for key in admitted) > 2900
    for key in range(3000):
        assert_exact(admitted[key], 3, window)
        assert_no_room(admitted[~key], admitted[key], 3, window)
    assert (hammer.directory / "rings-64").stat().st_size > 8 * 64 * 3000


def test_old_and_new_workers_side_by_side_keep_each_its_figure(hammer):
    """60 for the old ones; 100 and 600 for the new, in files of larger rings."""
    figures = [(60, 100 * MS), (60, 100 * MS), (100, 100 * MS), (600, 2_000 * MS)]

    for number, figure in enumerate(figures):
        # What is recorded is the place in the list, so each has its own.
        sets = [[]] * number + [[["k", *figure]]]
        hammer.start(sets, seconds=3, threads=2)

    assert hammer.wait() == [0] * 4
    admitted = hammer.calls()
    every = [span for number in range(4) for span in admitted[number]]
    for number, (amount, window) in enumerate(figures):
        for before, after in admitted[number]:
            surely_counted = sum(b > after - window and a < before for b, a in every)
            assert surely_counted < amount
        assert_no_room(admitted[~number], every, amount, window)
    assert len(every) >= 600


def test_killed_processes_leave_no_lock_and_no_debt(hammer):
    window, turn = 50 * MS, Random(2)  # noqa: S311 (repeatable, not secret)
    sets = [[["k", 100, window]], [["k", 100, window], ["l", 600, window]]]
    watch = Rings(hammer.directory)
    for _ in range(2):
        hammer.start(sets, seconds=30)

    slowest = 0
    for _ in range(25):
        victim = hammer.start(sets, seconds=30)
        time.sleep(0.15 + turn.random() / 10)
        victim.kill()
        before = boot_clock()
        watch.peek([Want("k", 100, window), Want("l", 600, window)])
        slowest = max(slowest, boot_clock() - before)
        hammer.running.remove(victim)
        assert victim.wait() == -signal.SIGKILL
    for process in hammer.running:
        process.kill()
    hammer.wait()

    assert slowest < 2_000 * MS  # a generous sanity; it is some milliseconds
    admitted = hammer.calls()
    both = admitted[0] + admitted[1]
    assert_exact(both, 100, window)
    assert_exact(admitted[1], 600, window)
    longest = max(b[0] - a[0] for a, b in pairwise(sorted(both)))
    assert longest < 2_000 * MS
    time.sleep(window / 1e9)
    assert [watch.take([Want("k", 100, window * 100)])[0]] == [False]
    assert [state.remaining for state in watch.peek([Want("k", 64, window)])] == [64]
    watch.close()


HOLDER = """
import sys, time
from pathlib import Path
from server.limiting.rings import Rings, Want
state = [1000 * 10**9, False]
def clock():  # is read while the lock is held
    if state[1]:
        print("held", flush=True)
        time.sleep(60)
    return state[0]
rings = Rings(Path(sys.argv[1]), clock=clock)
wants = [Want("k", 5, 10**9), Want("l", 600, 10**9)][: int(sys.argv[2])]
rings.take(wants)
state[1] = True
rings.take(wants)
"""


@pytest.mark.parametrize("keys", ["1", "2"])
def test_lock_of_a_killed_holder_is_free_at_once(tmp_path, keys):
    rings = Rings(tmp_path, clock=lambda: 1000 * 10**9)
    for _ in range(3):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), keys],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout.readline() == "held\n"
        waiter = threading.Timer(0.2, holder.kill)
        waiter.start()

        rings.peek([Want("k", 5, 10**9), Want("l", 600, 10**9)])

        waiter.join()
        assert holder.wait() == -signal.SIGKILL
        holder.stdout.close()
    assert sum(rings.take([Want("k", 5, 10**9)])[0] for _ in range(5)) == 2
    rings.close()


if __name__ == "__main__":
    main()
