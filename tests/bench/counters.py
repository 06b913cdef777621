"""What one hit costs: our rings beside the storages of `limits`, in one run.

    python -m tests.bench.counters [--rounds 3] [--seconds 2.2]

Two saturated callers of 100 per second, on one key and in turn on 1,000: two
processes, for `limits`' memory two threads (it is of one process). Rounds are
interleaved; rates and latencies are medians over the rounds. "over" counts the
admitted calls that a window of one second had no room for, "of N" is how much of
what may be admitted was.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from array import array
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # when run as a file

from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import STRATEGIES

from server.limiting.counters import Rings, Want

REDIS = "redis://127.0.0.1:6379/15"
AMOUNT, WINDOW_NS, CALLERS = 100, 10**9, 2


def hits_of_rings(directory, keys):
    rings = Rings(directory)
    sets = [[Want(f"k{i}", AMOUNT, WINDOW_NS)] for i in range(keys)]
    return lambda i: rings.take(sets[i])[0]


def hits_of_strategy(name, uri, run, keys):
    strategy = STRATEGIES[name](storage_from_string(uri))
    item = RateLimitItemPerSecond(AMOUNT)
    return lambda i: strategy.hit(item, run, str(i))


def hits_of(contender, directory, keys):
    """A function that hits key number *i* and tells whether it was admitted."""
    run = directory.name  # counters of a shared Redis are this round's own
    return {
        "rings": lambda: hits_of_rings(directory, keys),
        "rings, strategy": lambda: hits_of_strategy(
            "exact-window", f"rings://{directory}", run, keys
        ),
        "limits memory (threads)": lambda: hits_of_strategy(
            "moving-window", "memory://", run, keys
        ),
        "limits Redis": lambda: hits_of_strategy("moving-window", REDIS, run, keys),
    }[contender]()


def call(hit, keys, offset, start, seconds):
    """The latencies, and of each admitted call its key and times; all in ns."""
    clock, spent, admitted = time.monotonic_ns, array("q"), array("q")
    for i in range(keys):
        hit(i)  # connections are open and places known
    start.wait()
    end, turn, before = clock() + int(seconds * 1e9), offset, clock()
    while before < end:
        turn += 1
        took = hit(turn % keys)
        after = clock()
        spent.append(after - before)
        if took:
            admitted.extend((turn % keys, before, after))
        before = clock()
    return spent, admitted


def run_process(contender, directory, keys, offset, start, seconds, answers):
    hit = hits_of(contender, directory, keys)
    answers.put(call(hit, keys, offset, start, seconds))


def run_round(contender, keys, seconds):
    directory = Path(tempfile.mkdtemp(prefix="weir-bench-"))
    if "threads" in contender:
        start, found = threading.Barrier(CALLERS), []
        hit = hits_of(contender, directory, keys)
        callers = [
            threading.Thread(
                target=lambda n=n: found.append(
                    call(hit, keys, n * 500, start, seconds)
                )
            )
            for n in range(CALLERS)
        ]
    else:
        spawn = multiprocessing.get_context("spawn")
        start, answers = spawn.Barrier(CALLERS), spawn.Queue()
        callers = [
            spawn.Process(
                target=run_process,
                args=(contender, directory, keys, n * 500, start, seconds, answers),
            )
            for n in range(CALLERS)
        ]
    for caller in callers:
        caller.start()
    if "threads" not in contender:
        found = [answers.get() for _ in callers]
    for caller in callers:
        caller.join()
    shutil.rmtree(directory)
    return judge(found, seconds)


def judge(found, seconds):
    spent = sorted(ns for times, _ in found for ns in times)
    spans = defaultdict(list)
    for _, words in found:
        for at in range(0, len(words), 3):
            spans[words[at]].append((words[at + 1], words[at + 2]))
    over = admitted = possible = 0
    for calls in spans.values():
        befores = sorted(before for before, _ in calls)
        afters = sorted(after for _, after in calls)
        over += sum(
            afters[i + AMOUNT] - befores[i] < WINDOW_NS
            for i in range(len(calls) - AMOUNT)
        )
        windows = (afters[-1] - befores[0]) // WINDOW_NS
        admitted += sum(b < befores[0] + windows * WINDOW_NS for b in befores)
        possible += AMOUNT * windows
    return {
        "rate": len(spent) / seconds,
        "p50": spent[len(spent) // 2] / 1000,
        "p99": spent[len(spent) * 99 // 100] / 1000,
        "max": spent[-1] / 1000,
        "over": over,
        "of": admitted / possible if possible else float("nan"),
    }


def redis_trouble():
    """Why Redis is left out, or nothing."""
    try:
        if storage_from_string(REDIS).check():
            return ""
    except Exception as error:  # whatever it is, it is the reason
        return str(error)
    return "no answer"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=2.2)
    options = arguments.parse_args()
    contenders = ["rings", "rings, strategy", "limits memory (threads)", "limits Redis"]
    if trouble := redis_trouble():
        contenders.remove("limits Redis")
        print(f"{REDIS} is left out: {trouble}")

    rounds = defaultdict(list)
    for _ in range(options.rounds):
        for keys in (1, 1000):
            for contender in contenders:
                found = run_round(contender, keys, options.seconds)
                rounds[contender, keys].append(found)

    print(
        f"{os.cpu_count()} cores, {CALLERS} callers, {AMOUNT} a second, "
        f"{options.rounds} rounds of {options.seconds} s; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':24}{'keys':>5}{'hits/s':>10}{'p50 µs':>9}{'p99 µs':>9}", end="")
    print(f"{'max µs':>10}{'over':>6}{'of N':>7}")
    for (contender, keys), found in sorted(rounds.items(), key=lambda row: row[0][1]):
        middle = {
            name: statistics.median(each[name] for each in found) for name in found[0]
        }
        over = sum(each["over"] for each in found)
        print(
            f"{contender:24}{keys:5}{middle['rate']:10,.0f}{middle['p50']:9.1f}"
            f"{middle['p99']:9.1f}{middle['max']:10.0f}{over:6}{middle['of']:7.1%}"
        )


if __name__ == "__main__":
    main()
