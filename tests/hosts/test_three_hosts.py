"""Three hosts, one PostgreSQL, one Redis: a host is killed under load, one is cut off."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.hosts import networks
from tests.hosts.fleet import TARGETS, Fleet, fleet
from tests.hosts.judging import figures, most_in_a_second, out_of_order, wrongly_kept
from tests.hosts.load import Caller, Calls
from tests.server.gunicorn import wait_until_healthy
from tests.trees import copy_of_the_tree, recompile

HOSTS, CALLERS = 3, 4
KEYS = {"acme/one": "community"} | dict.fromkeys(
    ("globex/one", "globex/two", "globex/three"), "enterprise"
)
RATES = {"community": 10, "enterprise": 30}
CLUSTER, QUOTA = 40, 150
"""Of a table that is edited for this: a test cannot use up the real figures."""


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    place = tmp_path_factory.mktemp("hosts")
    tree = copy_of_the_tree(place)
    recompile(tree, "limited to 300 times/second", f"limited to {CLUSTER} times/second")
    recompile(tree, "edition is 20,000 messages", f"edition is {QUOTA} messages")
    with networks.network() as network, fleet(place, network, KEYS, tree) as three:
        for _ in range(HOSTS):
            three.add()
        yield three


@pytest.fixture(scope="module")
def calls(three: Fleet) -> Calls:
    """Everything that callers were told while hosts came to harm."""
    calls = Calls(TARGETS)
    callers = [
        Caller(calls, host, server.place, three.apps, 100 * host + n)
        for host, server in enumerate(three.hosts)
        for n in range(CALLERS)
    ]

    for caller in callers:
        caller.start()
    calls.wait_for_more(20, list(KEYS), (0, 1, 2))

    for pid in three.pids(1):
        os.kill(pid, signal.SIGKILL)
    calls.wait_for_more(20, list(KEYS), (0, 2))

    cut_off = three.pids(2)
    three.network.cut(2, cut_off)
    calls.wait_for_more(40, list(KEYS), (0,))

    three.network.join(2, cut_off)
    calls.wait_for_more(10, list(KEYS), (0, 2))
    calls.stop.set()
    for caller in callers:
        caller.join()
    print("", *figures(calls.outcomes), sep="\n")  # shown by pytest -s
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
    three: Fleet, calls: Calls
) -> None:
    sends = [each for each in calls.outcomes if each.interface == "messages"]

    rows = three.rows("SELECT id, target, body FROM message")
    assert wrongly_kept(sends, rows, TARGETS) == []
    assert {each.host for each in sends if each.status == 200} == {0, 1, 2}
    assert any(each.is_unknown for each in sends)


def test_ids_are_unique_and_grow_over_all_hosts(calls: Calls) -> None:
    sends = calls.of("messages")

    ids = [id_ for each in sends for id_ in each.ids]
    assert len(ids) == len(set(ids))
    for key in KEYS:
        assert out_of_order([each for each in sends if each.app == key]) == []


def test_each_message_waits_once_for_its_receiver(three: Fleet, calls: Calls) -> None:
    assert calls.of("messages")
    assert three.rows(
        "SELECT message.id, count(waiting.message_id) FROM message"
        " LEFT JOIN waiting ON waiting.message_id = message.id"
        " GROUP BY message.id HAVING count(waiting.message_id) != 1"
    ) == []  # fmt: skip


def test_quotas_add_up_exactly(three: Fleet, calls: Calls) -> None:
    used = dict(
        three.rows(
            "SELECT org || '/' || name, sum(used)::int FROM quota_use"
            " JOIN app ON app.id = app_id GROUP BY 1"
        )
    )
    kept = dict(
        three.rows(
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


def test_the_quota_is_filled_to_the_last_recipient(three: Fleet, calls: Calls) -> None:
    """The table's figure of the day, by whatever hosts are left."""
    acme = three.apps[0]
    refusals = {
        each.error for each in calls.of("messages", 429) if each.app == acme.key
    }
    body = {
        "target_type": "users",
        "target": ["bob"],
        "msg": {"type": "txt", "msg": ""},
    }
    wait_until_healthy(three.hosts[2])

    error, turn = "", 0
    while error != "resource_limited":
        turn += 1
        host = three.hosts[turn % 2 * 2]
        _, _, answer = host.call("POST", f"/{acme.key}/messages", body, acme.token)
        error = answer.get("error", "")
        assert error in ("", "reach_limit", "resource_limited")

    assert "reach_limit" in refusals
    assert three.rows(
        "SELECT sum(used)::int FROM quota_use JOIN app ON app.id = app_id"
        " WHERE org = 'acme' GROUP BY day"
    ) == [(QUOTA,)]  # fmt: skip
