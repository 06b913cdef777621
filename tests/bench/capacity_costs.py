"""What a call costs each part of several hosts: measured in short runs of the real ones.

A gunicorn with PostgreSQL and Redis of its own, and for each interface one operation
that stands for it, called by as many apps as it takes to meet no rate.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from server.app import create_app
from server.kinds import Membership
from server.limiting.counters import Want
from server.limiting.redis_windows import RedisWindows
from server.redis_urls import read
from server.settings import Settings
from server.store import apps, database, tokens, users
from tests.bench import load
from tests.bench.request_path import TICKS, cpu_seconds
from tests.server.gunicorn import serving
from tests.services.postgres import Cluster
from tests.services.redis import redis_server

APPS, CONNECTIONS = 300, 16
REFUSED = "refused"
SEND = (
    b'{"target_type":"users","target":["alice"],"from":"bob",'
    b'"msg":{"type":"txt","msg":"lunch at noon?"}}'
)
FILE = (
    b'--limit\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    + bytes(1_000)
    + b"\r\n--limit--\r\n"
)
STANDS_FOR = {
    "users": ("GET", "/users/alice", b""),
    "friends": ("GET", "/users/alice/contacts/users", b""),
    "blacklist": ("GET", "/users/alice/blocks/users", b""),
    "offline": ("GET", "/users/alice/offline_msg_count", b""),
    "files": ("POST", "/chatfiles", FILE),
    "messages": ("POST", "/messages", SEND),
    "groups": ("GET", "/chatgroups", b""),
    "chatrooms": ("GET", "/chatrooms", b""),
}
STEPS = len(STANDS_FOR) + 3
"""How often `measure` tells what it is at."""


@dataclass(frozen=True)
class Cost:
    """Of one call, in µs of CPU but where said."""

    host: float
    redis: float
    postgres: float
    wal_bytes: float

    @property
    def all_of_it(self) -> float:
        return self.host + self.redis + self.postgres


@dataclass(frozen=True)
class Commits:
    """How PostgreSQL's commits a second grow with the connections that make them."""

    alone: float
    together: float
    connections: int


@dataclass(frozen=True)
class Costs:
    """Everything that the model is fed with."""

    calls: Mapping[str, Cost]
    round_trip_us: float
    """Of the counters' script, seen by one caller on this machine."""
    commits: Commits
    caller_us: float
    """CPU of this program, which sends the calls."""


@dataclass(frozen=True)
class Bench:
    """The parts, and requests of each interface in the turn of the apps."""

    settings: Mapping[str, str]
    cluster: Cluster
    redis: Redis
    requests: Mapping[str, Sequence[bytes]]
    place: Path


@contextmanager
def bench(place: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        cluster = Cluster()
        stack.callback(cluster.remove)
        cluster.execute("CREATE DATABASE weir")
        redis = stack.enter_context(redis_server(place / "redis"))
        settings = {
            "database_url": cluster.url("weir"),
            "counters_url": redis.url,
            "files_url": f"file://{place}/files",
        }
        (place / "files").mkdir()
        requests = populate(Settings(state_dir=place / "setup", **settings))
        cluster.execute("VACUUM ANALYZE", "weir")
        yield Bench(settings, cluster, redis.client(), requests, place)


def populate(settings: Settings) -> dict[str, list[bytes]]:
    """Apps of the last edition with two users each; what each of them calls."""
    create_app(settings)
    new = [users.NewUser(name, None) for name in ("alice", "bob")]
    requests: dict[str, list[bytes]] = {name: [] for name in STANDS_FOR}
    for n in range(APPS):
        apps.create("bench", f"app{n}", "enterprise")
    for app in apps.every():
        users.add(app.id, new, at_most=Membership("none"))
        token = tokens.issue(app.id, None, None, app.token_key)
        for name, (method, path, body) in STANDS_FOR.items():
            whole = load.request(method, f"/{app.org}/{app.name}{path}", token, body)
            if body is FILE:
                form = b"multipart/form-data; boundary=limit"
                whole = whole.replace(b"application/json", form, 1)
            requests[name].append(whole)
    database.disconnect()
    return requests


@dataclass
class Account:
    """What the parts have used so far."""

    bench: Bench
    master: int

    def __post_init__(self) -> None:
        self.host = cpu_seconds(self.master)
        told: dict[str, Any] = self.bench.redis.info("cpu")
        self.redis = told["used_cpu_sys"] + told["used_cpu_user"]
        self.postgres = sum(map(_cpu_of, self._backends()))
        ((wal,),) = self.bench.cluster.execute("SELECT pg_current_wal_lsn() - '0/0'")
        self.wal = float(wal)

    def _backends(self) -> list[int]:
        postmaster = self.bench.cluster.postmaster()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

    def since(self, before: "Account", calls: int) -> Cost:
        micro = 1e6 / calls
        return Cost(
            (self.host - before.host) * micro,
            (self.redis - before.redis) * micro,
            (self.postgres - before.postgres) * micro,
            (self.wal - before.wal) / calls,
        )


def _cpu_of(pid: int) -> float:
    """Seconds of a process and its ended children; one that is gone is no longer told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


@contextmanager
def gunicorn(parts: Bench, workers: int) -> Iterator[tuple[int, int]]:
    """Port and master of one host, warmed up.

    A host has a worker for each core, and keeps it there. So fewer workers than there
    are cores here have so many cores; by themselves they would wander, at twice the CPU.
    """
    state = parts.place / f"state-{workers}-{time.monotonic_ns()}"
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:workers]))
    with serving(
        state, workers=str(workers), access_log="off", within=("taskset", "-c", cores),
        **parts.settings,
    ) as server:  # fmt: skip
        warm(parts, server.port)
        # What PostgreSQL knows of the tables decides how it plans, and how long that
        # takes: of tables in use, which it would else look at at some time or other.
        parts.cluster.execute("ANALYZE", "weir")
        warm(parts, server.port)
        yield server.port, server.process.pid


def warm(parts: Bench, port: int) -> None:
    """Each connection to the database prepares what it has said a few times."""
    for name in STANDS_FOR:
        called(port, parts.requests[name], 0.5)


def called(
    port: int,
    requests: Sequence[bytes],
    seconds: float,
    only: frozenset[int] = frozenset({200}),
) -> load.Result:
    result = load.run(port, CONNECTIONS, seconds, lambda n: requests[n % len(requests)])
    if not set(result.statuses) <= only:
        raise SystemExit(f"answers were {result.statuses}")
    return result


def measure(parts: Bench, seconds: float, told: Callable[[str], object]) -> Costs:
    """*told* is called before each step with its name."""
    found = {}
    caller, total = 0.0, 0
    with gunicorn(parts, len(os.sched_getaffinity(0))) as (port, master):
        for name in (*STANDS_FOR, REFUSED):
            told(name)
            requests = parts.requests["users" if name == REFUSED else name]
            # One app alone is soon refused.
            calls = requests[:1] if name == REFUSED else requests
            before = Account(parts, master)
            own = time.process_time()
            result = called(port, calls, seconds, frozenset({200, 429}))
            caller += time.process_time() - own
            total += result.calls
            refused = result.statuses.get(429, 0) / result.calls
            if (name == REFUSED) != (refused > 0.5):
                raise SystemExit(f"{name}: answers were {result.statuses}")
            found[name] = Account(parts, master).since(before, result.calls)
    told("Redis")
    round_trip = _round_trip(parts)
    told("PostgreSQL")
    alone, together = (_commits(parts, n, seconds) for n in (1, CONNECTIONS))
    commits = Commits(alone, together, CONNECTIONS)
    return Costs(found, round_trip, commits, caller / total * 1e6)


def _round_trip(parts: Bench) -> float:
    """The median of the counters' own script with one limit."""
    windows = RedisWindows(read(parts.settings["counters_url"]))
    times = []
    for n in range(2_000):
        want = [Want(f"bench/{n % APPS}", 30, 10**9)]
        began = time.perf_counter()
        windows.take(want)
        times.append(time.perf_counter() - began)
    windows.close()
    return sorted(times)[len(times) // 2] * 1e6


def _commits(parts: Bench, connections: int, seconds: float) -> float:
    """Commits a second of one-row inserts, each waited for."""
    url = parts.settings["database_url"]
    parts.cluster.execute("CREATE TABLE IF NOT EXISTS bench (n bigint)", "weir")
    ends = time.monotonic() + seconds

    def commit(_: int) -> int:
        done = 0
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() < ends:
                connection.execute("INSERT INTO bench VALUES (1)")
                done += 1
        return done

    with ThreadPoolExecutor(connections) as pool:
        began = time.monotonic()
        total = sum(pool.map(commit, range(connections)))
        return total / (time.monotonic() - began)
