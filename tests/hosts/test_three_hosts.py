"""Three hosts, one PostgreSQL, one Redis: a host is killed under load, one is cut off."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.app import create_app
from server.kinds import Membership
from server.settings import Settings
from server.store import database, users
from tests.conftest import alices_hash, make_tenant
from tests.hosts import networks
from tests.hosts.judging import most_in_a_second, out_of_order, wrongly_kept
from tests.hosts.load import App, Caller, Calls
from tests.hosts.networks import Network
from tests.probes import files
from tests.server.gunicorn import Gunicorn, serving, wait_until_healthy
from tests.services import postgres
from tests.services.postgres import Cluster
from tests.services.redis import redis_server
from tests.trees import copy_of_the_tree, recompile

HOSTS, CALLERS = 3, 4
TARGETS = ("alice", "bob")
KEYS = {"acme/one": "community"} | dict.fromkeys(
    ("globex/one", "globex/two", "globex/three"), "enterprise"
)
RATES = {"community": 10, "enterprise": 30}
CLUSTER, QUOTA = 40, 150
"""Of a table that is edited for this: a test cannot use up the real figures."""


@dataclass
class Fleet:
    """Hosts that share what makes them one server."""

    network: Network
    cluster: Cluster
    url: str
    hosts: list[Gunicorn]
    apps: list[App]

    def pids(self, host: int) -> list[int]:
        server = self.hosts[host]
        return [server.process.pid, *server.workers()]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.cluster.execute(query, "weir")


def shared_settings(
    stack: ExitStack, network: Network, place: Path
) -> tuple[Cluster, dict[str, str]]:
    """One PostgreSQL, one Redis and one folder of files, that all hosts can reach."""
    postgres.need()
    cluster = Cluster(network.center)
    stack.callback(cluster.remove)
    cluster.execute("CREATE DATABASE weir")
    redis = stack.enter_context(
        redis_server(
            place / "redis",
            "--bind",
            "127.0.0.1",
            network.center,
            "--protected-mode",
            "no",
        )
    )
    (place / "files").mkdir()
    return cluster, {
        "database_url": cluster.url("weir"),
        "counters_url": f"redis://{network.center}:{redis.port}/0",
        "files_url": f"file://{place}/files",
    }


def populate(place: Path, shared: dict[str, str]) -> list[App]:
    """The apps, each with two users and a file."""
    server = create_app(Settings(state_dir=place / "setup", **shared))
    made = []
    for key, edition in KEYS.items():
        tenant = make_tenant(server, key, edition)
        new = [users.NewUser(name, alices_hash()) for name in TARGETS]
        users.add(tenant.id, new, at_most=Membership("none"))
        path = files.kept(tenant, b"of each app")
        made.append(App(key, tenant.token, f"/{key}{path}"))
    database.forget()
    return made


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    place = tmp_path_factory.mktemp("hosts")
    tree = copy_of_the_tree(place)
    recompile(tree, "limited to 300 times/second", f"limited to {CLUSTER} times/second")
    recompile(tree, "edition is 20,000 messages", f"edition is {QUOTA} messages")
    with ExitStack() as stack:
        network = stack.enter_context(networks.network())
        cluster, shared = shared_settings(stack, network, place)
        apps = populate(place, shared)
        hosts = [
            stack.enter_context(
                serving(
                    place / f"host-{host}", tree=tree, address=network.address(host),
                    within=network.command(host), workers="2", threads="8",
                    guard_calls="100000", access_log="off", **shared,
                )
            )
            for host in range(HOSTS)
        ]  # fmt: skip
        yield Fleet(network, cluster, shared["database_url"], hosts, apps)


@pytest.fixture(scope="module")
def calls(fleet: Fleet) -> Calls:
    """Everything that callers were told while hosts came to harm."""
    calls = Calls(TARGETS)
    callers = [
        Caller(calls, host, server.place, fleet.apps, 100 * host + n)
        for host, server in enumerate(fleet.hosts)
        for n in range(CALLERS)
    ]

    for caller in callers:
        caller.start()
    calls.wait_for_more(20, list(KEYS), (0, 1, 2))

    for pid in fleet.pids(1):
        os.kill(pid, signal.SIGKILL)
    calls.wait_for_more(20, list(KEYS), (0, 2))

    cut_off = fleet.pids(2)
    fleet.network.cut(2, cut_off)
    calls.wait_for_more(40, list(KEYS), (0,))

    fleet.network.join(2, cut_off)
    calls.wait_for_more(10, list(KEYS), (0, 2))
    calls.stop.set()
    for caller in callers:
        caller.join()
    return calls


def test_hosts_have_networks_of_their_own() -> None:
    if not networks.allowed() and not os.environ.get("NETNS_REQUIRED"):
        pytest.skip(networks.REASON)

    assert networks.allowed(), networks.REASON


def test_no_window_of_any_app_is_exceeded(calls: Calls) -> None:
    admitted = {"messages": 200, "files": 200, "users": 404}
    for interface, status in admitted.items():
        for key, edition in KEYS.items():
            found = [each for each in calls.of(interface, status) if each.app == key]

            assert most_in_a_second(found) <= RATES[edition], (interface, key)
        assert calls.of(interface, 429), f"{interface}: the load never met a rate"


def test_the_cluster_holds_one_rate_of_downloads(calls: Calls) -> None:
    admitted = calls.of("files")

    assert most_in_a_second(admitted) <= CLUSTER
    assert len(admitted) > CLUSTER


def test_no_acknowledged_message_is_lost_and_none_is_half_there(
    fleet: Fleet, calls: Calls
) -> None:
    sends = [each for each in calls.outcomes if each.interface == "messages"]

    rows = fleet.rows("SELECT id, target, body FROM message")
    assert wrongly_kept(sends, rows, TARGETS) == []
    assert {each.host for each in sends if each.status == 200} == {0, 1, 2}
    assert any(each.is_unknown for each in sends)


def test_ids_are_unique_and_grow_over_all_hosts(calls: Calls) -> None:
    sends = calls.of("messages")

    ids = [id_ for each in sends for id_ in each.ids]
    assert len(ids) == len(set(ids))
    for key in KEYS:
        assert out_of_order([each for each in sends if each.app == key]) == []


def test_each_message_waits_once_for_its_receiver(fleet: Fleet, calls: Calls) -> None:
    assert calls.of("messages")
    assert fleet.rows(
        "SELECT message.id, count(waiting.message_id) FROM message"
        " LEFT JOIN waiting ON waiting.message_id = message.id"
        " GROUP BY message.id HAVING count(waiting.message_id) != 1"
    ) == []  # fmt: skip


def test_quotas_add_up_exactly(fleet: Fleet, calls: Calls) -> None:
    used = dict(
        fleet.rows(
            "SELECT org || '/' || name, sum(used)::int FROM quota_use"
            " JOIN app ON app.id = app_id GROUP BY 1"
        )
    )
    kept = dict(
        fleet.rows(
            "SELECT org || '/' || name, count(*) FROM message"
            " JOIN app ON app.id = app_id GROUP BY 1"
        )
    )

    assert used == kept
    for key in KEYS:
        sends = [
            e for e in calls.outcomes if e.app == key and e.interface == "messages"
        ]
        known = sum(len(each.ids) for each in sends)
        unknown = len(TARGETS) * sum(each.is_unknown for each in sends)
        assert known <= used[key] <= known + unknown


def test_the_quota_is_filled_to_the_last_recipient(fleet: Fleet, calls: Calls) -> None:
    """The table's figure of the day, by whatever hosts are left."""
    acme = fleet.apps[0]
    refusals = {
        each.error for each in calls.of("messages", 429) if each.app == acme.key
    }
    body = {
        "target_type": "users",
        "target": ["bob"],
        "msg": {"type": "txt", "msg": ""},
    }
    wait_until_healthy(fleet.hosts[2])

    error, turn = "", 0
    while error != "resource_limited":
        turn += 1
        host = fleet.hosts[turn % 2 * 2]
        _, _, answer = host.call("POST", f"/{acme.key}/messages", body, acme.token)
        error = answer.get("error", "")
        assert error in ("", "reach_limit", "resource_limited")

    assert "reach_limit" in refusals
    assert fleet.rows(
        "SELECT sum(used)::int FROM quota_use JOIN app ON app.id = app_id"
        " WHERE org = 'acme' GROUP BY day"
    ) == [(QUOTA,)]  # fmt: skip
