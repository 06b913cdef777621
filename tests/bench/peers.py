"""Weir beside ejabberd, round by round: ``python -m tests.bench.peers``.

One message a call to a registered user who is not there, so that it is kept for them:
Weir under server/gunicorn_conf.py with ``FULL`` and ``NORMAL``, a bare Flask route under
the same gunicorn, and ejabberd (Debian's package) with its HTTP API, once with Mnesia,
which loses what it answered for when it is killed, once with offline messages in SQLite. Then registrations:
Argon2 at OWASP's minimum here, SCRAM there. CPU is all of a server's, by the kernel's
account.
"""

import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.app import create_app
from server.kinds import Membership
from server.settings import Settings
from server.store import apps, database, tokens, users
from tests.bench import load, request_path
from tests.bench.request_path import TICKS, cpu_seconds, wait_for

ERL = shutil.which("erl")
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
APPS, RECEIVERS = request_path.APPS, 200
ROUNDS, SECONDS = 5, 3.0
TEXT = "lunch at noon?"

CONFIGURATION = """
hosts: [localhost]
loglevel: error
certfiles: []
listen:
  - {{port: {port}, ip: 127.0.0.1, module: ejabberd_http, request_handlers: {{/api: mod_http_api}}}}
api_permissions:
  all: {{who: all, what: "*"}}
auth_method: [mnesia]
auth_password_format: scram
{storage}
shaper_rules: {{unbounded: 100000000}}
modules:
  mod_admin_extra: {{}}
  mod_offline: {{db_type: {offline}, access_max_user_messages: unbounded}}
"""
MNESIA = "default_db: mnesia"
SQLITE = 'default_db: mnesia\nsql_type: sqlite\nsql_database: "{place}/ejabberd.db"'


@dataclass
class Peer:
    """A server that runs, and the n-th request of a round on it."""

    port: int
    pid: int
    send: Callable[[int], bytes]
    register: Callable[[int], bytes] | None
    group: bool
    """Whether its workers, and not itself, do the work."""
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def used(self) -> float:
        if self.group:
            return cpu_seconds(self.pid)
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def post(path: str, body: object) -> bytes:
    request = load.request("POST", path, "", json.dumps(body).encode())
    return request.replace(b"Authorization: Bearer \r\n", b"")


@contextmanager
def ejabberd(place: Path, *, durable: bool) -> Iterator[Peer]:
    """One of its own on a loopback port, with all it keeps below *place*."""
    place.mkdir()
    port = free_port()
    storage = SQLITE.format(place=place) if durable else MNESIA
    (place / "ejabberd.yml").write_text(
        CONFIGURATION.format(
            port=port, storage=storage, offline="sql" if durable else "mnesia"
        )
    )
    environ = os.environ | {
        "EJABBERD_CONFIG_PATH": str(place / "ejabberd.yml"),
        "EJABBERD_LOG_PATH": str(place / "ejabberd.log"),
        "ERL_LIBS": str(LIBRARIES),
        "HOME": str(place),
    }
    command = [
        str(ERL),
        "-noinput",
        "+K",
        "true",
        "-mnesia",
        "dir",
        f'"{place}/mnesia"',
    ]
    if durable:
        make_tables(place / "ejabberd.db")
    process = subprocess.Popen(
        [*command, "-s", "ejabberd"], env=environ, cwd=place,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port)
        for n in range(RECEIVERS):
            registered = call(port, register_there(f"r{n}"))
            if b" 200 " not in registered[:20]:
                sys.exit(f"ejabberd: {registered!r}")
        yield Peer(
            port, process.pid,
            lambda n: post("/api/send_message", {
                "type": "chat", "from": "admin@localhost",
                "to": f"r{n % RECEIVERS}@localhost", "subject": "", "body": TEXT,
            }),
            lambda n: register_there(f"new{n}"), group=False,
        )  # fmt: skip
    finally:
        process.terminate()
        process.wait()


def make_tables(path: Path) -> None:
    """The package brings its schema, but does not load it by itself."""
    schema = next(LIBRARIES.glob("ejabberd-*/priv/sql/lite.sql"))
    with sqlite3.connect(path) as made:
        made.executescript(schema.read_text())
    made.close()


def register_there(name: str) -> bytes:
    account = {"user": name, "host": "localhost", "password": "correct horse"}
    return post("/api/register", account)


def call(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


@contextmanager
def weir(place: Path, stage: str) -> Iterator[Peer]:
    """Our own, with apps enough that none meets its rate."""
    create_app(Settings(state_dir=place))
    receivers = [users.NewUser(f"r{n}", None) for n in range(RECEIVERS)]
    sends, registrations = [], []
    with database.writing(database.INSTALLATION):
        for n in range(APPS):
            apps._insert("bench", f"app{n}", "community")
    for n, app in enumerate(apps.every()):
        if n < 20:
            users.add(app.id, receivers, at_most=Membership("none"))
    database.disconnect()
    for n, app in enumerate(apps.every()):
        token = tokens.issue(app.id, None, None, app.token_key)
        path = f"/{app.org}/{app.name}"
        body = {
            "target_type": "users", "target": [f"r{n % RECEIVERS}"], "from": "admin",
            "msg": {"type": "txt", "msg": TEXT},
        }  # fmt: skip
        sends.append(
            load.request("POST", path + "/messages", token, json.dumps(body).encode())
        )
        registrations.append((path + "/users", token))
    database.disconnect()

    def register(n: int) -> bytes:
        path, token = registrations[n % APPS]
        account = {"username": f"new{n}", "password": "correct horse"}
        return load.request("POST", path, token, json.dumps(account).encode())

    with request_path.serving(stage, place) as (port, master):
        yield Peer(port, master, lambda n: sends[n % APPS], register, group=True)


def measure(
    peer: Peer, make: Callable[[int], bytes], connections: int, first: int
) -> int:
    """One round; how many calls it was."""
    before = peer.used()
    result = load.run(peer.port, connections, SECONDS, lambda n: make(first + n))
    if set(result.statuses) != {200}:
        sys.exit(f"answers were {result.statuses}")
    peer.rates.append(result.per_second)
    peer.cpu.append((peer.used() - before) / result.calls * 1e6)
    peer.p50.append(result.percentile(0.50) / 1000)
    peer.p99.append(result.percentile(0.99) / 1000)
    return result.calls


def interleave(
    what: str, peers: dict[str, Peer], connections: int, rounds: int
) -> None:
    sent = dict.fromkeys(peers, 0)
    for peer in peers.values():
        peer.rates, peer.cpu, peer.p50, peer.p99 = [], [], [], []
    for round_ in range(rounds + 1):  # the first one warms up
        for name, peer in peers.items():
            make = peer.register if what == "registrations" else peer.send
            assert make is not None
            sent[name] += measure(peer, make, connections, sent[name])
            if not round_:
                peer.rates, peer.cpu, peer.p50, peer.p99 = [], [], [], []
            print(f"\r{what} {round_}/{rounds} {name:<20}", end="", file=sys.stderr)
    print(file=sys.stderr)
    report(what, peers, connections)


def report(what: str, peers: dict[str, Peer], connections: int) -> None:
    middle = statistics.median
    print(f"\n{what}, {connections} connections")
    print(
        f"{'':<22}{'calls/s':>9}{'of bare':>9}{'CPU µs':>8}{'p50 ms':>8}{'p99 ms':>8}"
    )
    bare = peers.get("bare Flask")
    for name, peer in peers.items():
        share = (
            f"{middle(peer.rates) / middle(bare.rates):9.2f}" if bare else f"{'':>9}"
        )
        print(
            f"{name:<22}{middle(peer.rates):9.0f}{share}{middle(peer.cpu):8.0f}"
            f"{middle(peer.p50):8.1f}{middle(peer.p99):8.1f}"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as there, ExitStack() as stack:
        place = Path(there)
        peers = {
            "bare Flask": stack.enter_context(weir(place / "bare", "bare")),
            "Weir NORMAL": stack.enter_context(weir(place / "normal", "send NORMAL")),
            "Weir FULL": stack.enter_context(weir(place / "full", "send FULL")),
        }
        if ERL is None or not list(LIBRARIES.glob("ejabberd-*")):
            print(
                "ejabberd is not installed (apt-get install ejabberd erlang-p1-sqlite3): Weir alone"
            )
        else:
            for name, durable in (
                ("ejabberd Mnesia", False),
                ("ejabberd SQLite", True),
            ):
                peers[name] = stack.enter_context(
                    ejabberd(place / name.replace(" ", "-"), durable=durable)
                )
        for connections in (8, 32):
            interleave("sends", peers, connections, ROUNDS)
        registering = {
            name: peer for name, peer in peers.items() if name != "bare Flask"
        }
        interleave("registrations", registering, 8, 2)
    print(
        f"\nmedians of rounds of {SECONDS:.0f} s; {os.cpu_count()} cores, the load"
        f" generator on one of them; {time.strftime('%Y-%m-%d')}"
    )


if __name__ == "__main__":
    main()
