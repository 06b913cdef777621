"""What receiving costs: ``python -m tests.bench.stream [--streams N] [--members N]``.

The API server and the stream server of gunicorn_stream_conf.py run side by side. Streams
are opened on the one; then messages are sent to random users by the other, 200 a second,
and how long each took from the first byte of its request to its event is measured here,
as is what the streams cost: memory, CPU idle and busy, and what the API can send with
them and without. Last, one message to a large group, some of whose members receive.
"""

import argparse
import os
import random
import re
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.app import create_app
from server.kinds import Membership
from server.settings import Settings
from server.store import apps, database, mucs, tokens, users
from server.store.models import User
from server.store.muc_entry import Caps
from tests.bench import load
from tests.server.gunicorn import Gunicorn, serving

APPS = 100
RATE, SECONDS, IDLE_SECONDS = 200, 30, 20
LOAD_SECONDS, ROUNDS = 4.0, 3
SENT = re.compile(rb'"msg":"at (\d+)"')
TICKS = os.sysconf("SC_CLK_TCK")
NO_CAP = Membership("none")


@dataclass
class Cast:
    """Who there is: of each app a token, and of each user a token."""

    apps: dict[str, str] = field(default_factory=dict)
    users: list[tuple[str, str, str]] = field(default_factory=list)
    """App, name, token."""
    group: str = ""


def populate(settings: Settings, streams: int, members: int) -> Cast:
    """A hundred apps with so many users, and one with a group of so many members."""
    create_app(settings)
    cast = Cast()
    each = -(-streams // APPS)
    for n in range(APPS):
        _populate_app(cast, f"bench/app{n}", each)
    _populate_app(cast, "bench/large", members, listed=False)
    app = apps.find("bench", "large")
    assert app is not None
    new = mucs.NewMuc("large", "", "u0", [f"u{n}" for n in range(1, members)], members)
    caps = Caps(joined=NO_CAP, members=NO_CAP)
    cast.group = str(mucs.create(app.id, "group", new, caps=caps, per_app=NO_CAP))
    database.forget()
    return cast


def _populate_app(cast: Cast, key: str, count: int, *, listed: bool = True) -> None:
    org, name = key.split("/")
    apps.create(org, name, "enterprise")
    app = apps.find(org, name)
    assert app is not None
    cast.apps[key] = tokens.issue(app.id, None, None, app.token_key)
    new = [users.NewUser(f"u{n}", None) for n in range(count)]
    users.add(app.id, new, at_most=NO_CAP)
    for row in User.select().where(User.app == app.id) if listed else ():
        token = tokens.issue(app.id, row.id, None, row.token_key)
        cast.users.append((key, row.username, token))


def usage(servers: list[Gunicorn]) -> tuple[float, int]:
    """CPU seconds and bytes of the workers' own memory."""
    seconds, size = 0.0, 0
    for pid in (pid for server in servers for pid in server.workers()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICKS
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        size += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) * 1024
    return seconds, size


class Listeners:
    """Many streams, read by one loop."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.latencies_ms: list[float] = []

    def open(self, port: int, whom: list[tuple[str, str, str]]) -> None:
        for n, (key, name, token) in enumerate(whom):
            connection = socket.create_connection(("127.0.0.1", port), 30)
            connection.sendall(
                load.request("GET", f"/{key}/users/{name}/stream?resource=web_1", token)
            )
            head = connection.recv(4096)
            assert b" 200 " in head.partition(b"\r\n")[0], head
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ)
            if n % 50 == 0:
                self.read(0)

    def read(self, seconds: float) -> int:
        """Read what comes in so many seconds: how many messages."""
        found = 0
        ends = time.monotonic() + seconds
        while True:
            for key, _ in self.selector.select(max(0.0, ends - time.monotonic())):
                came = key.fileobj.recv(65_536)
                assert came, "a stream ended"
                now = time.monotonic_ns()
                for sent in SENT.findall(came):
                    self.latencies_ms.append((now - int(sent)) / 1e6)
                    found += 1
            if time.monotonic() >= ends:
                return found

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


@contextmanager
def connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    opened = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


def send(cast: Cast, key: str, kind: str, target: str) -> bytes:
    body = (
        f'{{"target_type":"{kind}","target":["{target}"],'
        f'"msg":{{"type":"txt","msg":"at {time.monotonic_ns()}"}}}}'
    )
    return load.request("POST", f"/{key}/messages", cast.apps[key], body.encode())


def check_answer(connection: socket.socket) -> None:
    answer = b""
    while not load._whole(answer or b" "):
        answer += connection.recv(65_536)
    assert b" 200 " in answer.partition(b"\r\n")[0], answer


def deliver(listeners: Listeners, cast: Cast, port: int) -> int:
    """Send at the rate for a while; how many were sent."""
    chance = random.Random(7)  # noqa: S311 (repeatable, not secret)
    began, sent = time.monotonic(), 0
    with connections(port, 8) as pool:
        for each in pool:
            each.setblocking(True)
        while sent < RATE * SECONDS:
            listeners.read(max(0.0, began + sent / RATE - time.monotonic()))
            key, name, _ = chance.choice(cast.users)
            connection = pool[sent % len(pool)]
            if sent >= len(pool):
                check_answer(connection)
            connection.sendall(send(cast, key, "users", name))
            sent += 1
        listeners.read(2)
    return sent


def api_rate(cast: Cast, port: int) -> float:
    """Sends a second to users of the same apps, who receive if anybody does."""
    keys = [each for each in cast.apps if "large" not in each]
    result = load.run(
        port, 8, LOAD_SECONDS,
        lambda n: send(cast, keys[n % len(keys)], "users", "nobody"),
    )  # fmt: skip
    assert set(result.statuses) <= {200, 429}, result.statuses
    return result.statuses[200] / result.seconds


def median(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


def percentile(numbers: list[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))]


def main() -> None:
    """Print what was measured, a line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--members", type=int, default=5000)
    parser.add_argument(
        "--online", type=int, default=1000, help="of the group; 0: measure no group"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(state_dir=Path(place) / "state")
        cast = populate(settings, asked.streams, asked.members)
        conf = "server/gunicorn_stream_conf.py"
        state = settings.state_dir
        with serving(state) as api, serving(state, conf=conf) as streams:
            measure(asked, cast, api, streams)


def measure(
    asked: argparse.Namespace, cast: Cast, api: Gunicorn, streams: Gunicorn
) -> None:
    api_rate(cast, api.port)  # warm
    without = [api_rate(cast, api.port) for _ in range(ROUNDS)]
    listeners = Listeners()
    listeners.open(streams.port, cast.users[:1])
    listeners.read(1)
    _, before = usage([streams])
    began = time.monotonic()
    listeners.open(streams.port, cast.users[1 : asked.streams])
    opened = time.monotonic() - began
    listeners.read(3)
    cpu, after = usage([streams])
    print(f"{asked.streams} streams opened, {asked.streams / opened:.0f} a second")
    print(f"memory     {(after - before) / asked.streams / 1024:.1f} KiB a stream")
    listeners.read(IDLE_SECONDS)
    busy_from, _ = usage([streams])
    print(f"idle CPU   {(busy_from - cpu) / IDLE_SECONDS:.1%} of a core")
    api_before, _ = usage([api])
    began = time.monotonic()
    sent = deliver(listeners, cast, api.port)
    took = time.monotonic() - began
    cpu, _ = usage([streams])
    api_cpu, _ = usage([api])
    print(
        f"busy CPU   {(cpu - busy_from) / took:.1%} of a core for {sent / took:.0f}"
        f" messages a second; the API server's {(api_cpu - api_before) / took:.1%}"
    )
    came = listeners.latencies_ms
    assert len(came) == sent, f"{sent} sent, {len(came)} came"
    print(
        f"delivery   p50 {percentile(came, 0.5):.1f} ms, p99 {percentile(came, 0.99):.1f}"
        f" ms, slowest {max(came):.1f} ms"
    )
    rates = [api_rate(cast, api.port) for _ in range(ROUNDS)]
    listeners.close()
    time.sleep(2)  # until the streams' ends are worked off
    # On both sides of them: what drifted meanwhile is not the streams' doing.
    without += [api_rate(cast, api.port) for _ in range(ROUNDS)]
    print(
        f"API        {median(without):.0f} sends a second without streams,"
        f" {median(rates):.0f} with them idle ({median(rates) / median(without) - 1:+.1%})"
    )
    if asked.online:
        group(asked, cast, api, streams)


def group(
    asked: argparse.Namespace, cast: Cast, api: Gunicorn, streams: Gunicorn
) -> None:
    """One message to the large group."""
    time.sleep(1.1)
    app = apps_of(api)
    listeners = Listeners()
    whom = [("bench/large", name, token) for name, token in app[: asked.online]]
    for at in range(0, len(whom), 25):  # the app's own rate
        listeners.open(streams.port, whom[at : at + 25])
        listeners.read(1.05)
    with connections(api.port, 1) as (connection,):
        connection.sendall(send(cast, "bench/large", "chatgroups", cast.group))
        listeners.read(4)
        check_answer(connection)
    came = listeners.latencies_ms
    assert len(came) == len(whom), f"{len(came)} of {len(whom)}"
    print(
        f"group      {asked.members} members, {len(whom)} receive: the first after"
        f" {min(came):.0f} ms, the last after {max(came):.0f} ms"
    )
    listeners.close()


def apps_of(api: Gunicorn) -> list[tuple[str, str]]:
    """Names and tokens of the large app's users."""
    create_app(Settings(state_dir=api.state_dir))
    app = apps.find("bench", "large")
    assert app is not None
    rows = User.select().where(User.app == app.id).order_by(User.id)
    found = [
        (row.username, tokens.issue(app.id, row.id, None, row.token_key))
        for row in rows
    ]
    database.forget()
    return found


if __name__ == "__main__":
    sys.exit(main())
