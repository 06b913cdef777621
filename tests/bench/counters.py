"""What one hit costs: our windows beside the storages of `limits`, in one run.

    python -m tests.bench.counters [--rounds 3] [--seconds 2.2]

Two saturated callers of 100 per second, on one key and in turn on 1,000: two
processes, for `limits`' memory two threads (it is of one process). Rounds are
interleaved; rates and latencies are medians over the rounds. "over" counts the
admitted calls that a window of one second had no room for, "of N" is how much of
what may be admitted was.

"trips" are the scripts that Redis ran for a hit, as it counts them; it is one of this
program's own. "told": what is left is asked for too, as the headers of an answer want
it; our hits always tell. "2 limits": an app's and one of all apps, with room for all.
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
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # when run as a file

from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import STRATEGIES

from server.limiting.counters import Rings, Want
from server.limiting.redis_windows import RedisWindows
from server.redis_urls import read
from tests.services.redis import REDIS, redis_server

AMOUNT, WINDOW_NS, CALLERS = 100, 10**9, 2
PLENTY = 1_000_000


def hits_of_rings(directory, keys):
    rings = Rings(directory)
    sets = [[Want(f"k{i}", AMOUNT, WINDOW_NS)] for i in range(keys)]
    return lambda i: rings.take(sets[i])[0]


def hits_of_strategy(name, uri, run, keys):
    strategy = STRATEGIES[name](storage_from_string(uri))
    item = RateLimitItemPerSecond(AMOUNT)
    return lambda i: strategy.hit(item, run, str(i))


def hits_of_redis(url, run, keys, limits):
    windows = RedisWindows(read(url))
    every = Want(f"{run}/all", PLENTY, WINDOW_NS)
    sets = [
        [Want(f"{run}/k{i}", AMOUNT, WINDOW_NS), every][:limits] for i in range(keys)
    ]
    return lambda i: windows.take(sets[i])[0]


def hits_of_limits(uri, run, limits):
    """As Flask-Limiter does it for headers: take of each limit, ask how it stands."""
    strategy = STRATEGIES["moving-window"](storage_from_string(uri))
    item, plenty = RateLimitItemPerSecond(AMOUNT), RateLimitItemPerSecond(PLENTY)

    def hit(i):
        took = strategy.hit(item, run, str(i))
        strategy.get_window_stats(item, run, str(i))
        if took and limits > 1:
            took = strategy.hit(plenty, run)
            strategy.get_window_stats(plenty, run)
        return took

    return hit


def hits_of(contender, directory, keys, redis):
    """A function that hits key number *i* and tells whether it was admitted."""
    run = directory.name  # counters in Redis are this round's own
    return {
        "rings": lambda: hits_of_rings(directory, keys),
        "rings, strategy": lambda: hits_of_strategy(
            "exact-window", f"rings://{directory}", run, keys
        ),
        "limits memory (threads)": lambda: hits_of_strategy(
            "moving-window", "memory://", run, keys
        ),
        "our Redis": lambda: hits_of_redis(redis, run, keys, 1),
        "limits Redis": lambda: hits_of_strategy("moving-window", redis, run, keys),
        "limits Redis, told": lambda: hits_of_limits(redis, run, 1),
        "our Redis, 2 limits": lambda: hits_of_redis(redis, run, keys, 2),
        "limits Redis, 2, told": lambda: hits_of_limits(redis, run, 2),
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


def run_process(what, offset, start, seconds, answers):
    hit, keys = hits_of(*what), what[2]
    answers.put(call(hit, keys, offset, start, seconds))


def run_round(contender, keys, seconds, server):
    directory = Path(tempfile.mkdtemp(prefix="weir-bench-"))
    what = (contender, directory, keys, server and server.url)
    before = asked(server)
    if "threads" in contender:
        start, found = threading.Barrier(CALLERS), []
        hit = hits_of(*what)
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
                args=(what, n * 500, start, seconds, answers),
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
    hits = sum(len(times) for times, _ in found) + CALLERS * keys
    return judge(found, seconds) | {"trips": (asked(server) - before) / hits}


def asked(server):
    """How many scripts the server has run."""
    told = server.client().info("commandstats") if server else {}
    return sum(stats["calls"] for name, stats in told.items() if "_eval" in name)


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


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=2.2)
    options = arguments.parse_args()
    contenders = ["rings", "rings, strategy", "limits memory (threads)"]
    rounds = defaultdict(list)
    with ExitStack() as stack:
        server = None
        if shutil.which(REDIS):
            place = stack.enter_context(tempfile.TemporaryDirectory())
            server = stack.enter_context(redis_server(Path(place)))
            contenders += ["our Redis", "limits Redis", "limits Redis, told"]
            contenders += ["our Redis, 2 limits", "limits Redis, 2, told"]
        else:
            print("Redis is left out: there is no redis-server here")
        for _ in range(options.rounds):
            for keys in (1, 1000):
                for contender in contenders:
                    found = run_round(contender, keys, options.seconds, server)
                    rounds[contender, keys].append(found)
    tell(rounds, options)


def tell(rounds, options):
    print(
        f"{os.cpu_count()} cores, {CALLERS} callers, {AMOUNT} a second, "
        f"{options.rounds} rounds of {options.seconds} s; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':24}{'keys':>5}{'hits/s':>10}{'p50 µs':>9}{'p99 µs':>9}", end="")
    print(f"{'max µs':>10}{'over':>6}{'of N':>7}{'trips':>7}")
    for (contender, keys), found in sorted(rounds.items(), key=lambda row: row[0][1]):
        middle = {
            name: statistics.median(each[name] for each in found) for name in found[0]
        }
        over = sum(each["over"] for each in found)
        print(
            f"{contender:24}{keys:5}{middle['rate']:10,.0f}{middle['p50']:9.1f}"
            f"{middle['p99']:9.1f}{middle['max']:10.0f}{over:6}{middle['of']:7.1%}"
            f"{middle['trips']:7.2f}"
        )


if __name__ == "__main__":
    main()
