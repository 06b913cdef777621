"""Hosts that share a database, counters and files, and so are one server."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.app import create_app
from server.kinds import Membership
from server.settings import Settings
from server.store import database, users
from tests.conftest import alices_hash, make_tenant
from tests.hosts.load import App
from tests.hosts.networks import Network
from tests.probes import files
from tests.server.gunicorn import ROOT, Gunicorn, serving
from tests.services import postgres
from tests.services.postgres import Cluster
from tests.services.redis import redis_server

TARGETS = ("alice", "bob")


@dataclass
class Fleet:
    """The hosts, and what they share."""

    place: Path
    network: Network
    cluster: Cluster
    shared: Mapping[str, str]
    """Settings that are the same for all."""
    tree: Path = ROOT
    hosts: list[Gunicorn] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)

    def add(self, **settings: str) -> Gunicorn:
        """Start one more host."""
        number = len(self.hosts)
        server = serving(
            self.place / f"host-{number}",
            tree=self.tree,
            address=self.network.address(number),
            within=self.network.command(number),
            **{"workers": "2", "threads": "8", "guard_calls": "100000"},
            **{"access_log": "off", **self.shared, **settings},
        )
        self.hosts.append(self.stack.enter_context(server))
        return self.hosts[-1]

    def pids(self, host: int) -> list[int]:
        server = self.hosts[host]
        return [server.process.pid, *server.workers()]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.cluster.execute(query, "weir")


@contextmanager
def fleet(
    place: Path, network: Network, editions: Mapping[str, str], tree: Path = ROOT
) -> Iterator[Fleet]:
    """A PostgreSQL, a Redis and files that all hosts reach, and apps; no host yet."""
    postgres.need()
    with ExitStack() as stack:
        cluster = Cluster(network.center)
        stack.callback(cluster.remove)
        cluster.execute("CREATE DATABASE weir")
        addresses = dict.fromkeys(("127.0.0.1", network.center))
        options = ("--bind", *addresses, "--protected-mode", "no")
        redis = stack.enter_context(redis_server(place / "redis", *options))
        (place / "files").mkdir()
        shared = {
            "database_url": cluster.url("weir"),
            "counters_url": f"redis://{network.center}:{redis.port}/0",
            "files_url": f"file://{place}/files",
        }
        made = Fleet(place, network, cluster, shared, tree, stack=stack)
        settings = Settings(state_dir=place / "setup", **shared)
        made.apps = populate(settings, editions)
        yield made


def populate(settings: Settings, editions: Mapping[str, str]) -> list[App]:
    """The apps, each with two users and a file."""
    server = create_app(settings)
    made = []
    for key, edition in editions.items():
        tenant = make_tenant(server, key, edition)
        new = [users.NewUser(name, alices_hash()) for name in TARGETS]
        users.add(tenant.id, new, at_most=Membership("none"))
        path = files.kept(tenant, b"of each app")
        made.append(App(key, tenant.token, f"/{key}{path}"))
    database.forget()
    return made
