"""What windows in Redis do beside the rule: keys, expiry, memory, whose clock, errors."""

import os
import subprocess
import threading

import pytest

from server.limiting.breaker import OutOfReach
from server.limiting.redis_windows import RedisWindows
from server.limiting.rings import Want
from server.redis_urls import read
from tests.server.gunicorn import free_port
from tests.server.limiting.model import SECOND, TEN, Clock, admitted
from tests.services.redis import (
    RedisServer,
    cluster_server,
    redis_cluster,
    redis_server,
    wait_for,
    watched_by_sentinels,
)
from tests.services.windows import ASKS_THE_TIME, StillWindows, patient

DAY = 86_400 * SECOND


@pytest.fixture
def server(shared_redis):
    shared_redis.client().flushall()
    shared_redis.client().script_flush()
    shared_redis.client().config_resetstat()
    return shared_redis


@pytest.fixture
def windows(server):
    windows = patient(RedisWindows(read(server.url)))
    yield windows
    windows.close()


def test_a_call_is_one_round_trip_whatever_the_number_of_limits(server, windows):
    wants = [TEN._replace(key=f"k{i}") for i in range(20)]
    windows.take(wants)  # connected, and the script is known

    for _ in range(10):
        windows.take(wants)
        windows.peek(wants)

    told = server.client().info("commandstats")
    assert told["cmdstat_evalsha"]["calls"] == 21
    assert told["cmdstat_eval"]["calls"] == 1


def test_keys_name_rules_and_no_figures(server, windows):
    windows.take([TEN, Want("files.cluster_downloads", 300, SECOND, "files")])

    assert set(server.client().keys()) == {
        b"weir:users.calls/1", b"weir:files.cluster_downloads",
    }  # fmt: skip


def test_the_time_is_the_servers(server, windows):
    """No clock of ours goes into a call; and the script asks for no other."""
    assert RedisWindows.script.text.count(ASKS_THE_TIME) == 1
    assert windows._arguments([TEN], 1, take=True) == [1, 1, 10, 10**6, 10**6]


def test_every_key_expires(server, windows):
    """After its window, or when an edit to any unit has no more use for it."""
    windows.take([TEN, TEN._replace(key="edited", looks_back_ns=DAY)])

    client = server.client()
    assert 1000 <= client.pttl("weir:users.calls/1") <= 1126
    assert DAY // 10**6 <= client.pttl("weir:edited") <= DAY // 10**6 * 9 // 8 + 1
    wait_for(lambda: client.dbsize() == 1)
    assert windows.peek([TEN])[0].remaining == 10


def test_no_key_expires_while_it_counts(server):
    clock = Clock()
    windows = StillWindows(read(server.url), clock)
    client = server.client()

    for _ in range(40):
        windows.take([TEN])
        # As if the server's clock had moved as ours does.
        left = client.pttl("weir:users.calls/1")
        clock.now += DAY // 20
        client.pexpire("weir:users.calls/1", left - DAY // 20 // 10**6)
        assert left >= DAY // 10**6


def test_longer_window_is_kept_for_as_long(server, windows):
    """Even if the call that first asks for it is refused."""
    client = server.client()
    one = Want("k", 1, SECOND)
    windows.take([one])

    assert not windows.take([one._replace(window_ns=60 * SECOND)])[0]

    assert client.pttl("weir:k") >= 59_000


@pytest.mark.parametrize(
    ("amount", "calls", "bytes_at_most"),
    [(1, 2000, 2_300), (10, 3000, 2_300), (100, 3000, 3_000), (5000, 40_000, 100_000)],
)
def test_memory_of_a_key_is_bounded(server, amount, calls, bytes_at_most):
    """By 8 bytes for each call of the figure, at least 64, and room to grow."""
    clock = Clock()
    windows = StillWindows(read(server.url), clock)
    want = Want("k", amount, SECOND)
    at_once = max(1, amount // 10)

    for _ in range(calls // at_once):
        clock.now += SECOND
        windows.take([want], at_once)

    assert server.client().memory_usage("weir:k", samples=0) <= bytes_at_most
    assert windows.peek([want._replace(window_ns=DAY, amount=calls * 2)])[0][0] == (
        calls * 2 - calls // at_once * at_once
    )


def test_a_million_a_second_is_counted_to_the_last(server):
    clock = Clock()
    windows = StillWindows(read(server.url), clock)
    million = Want("k", 1_000_000, SECOND)

    assert windows.take([million], 600_000)[0]
    clock.now += SECOND // 2
    assert windows.take([million], 399_999)[0]
    assert not windows.take([million], 2)[0]
    assert windows.take([million])[0]
    refused, (state,) = windows.take([million])
    assert (refused, state.remaining, state.wait_ns) == (False, 0, SECOND // 2)
    clock.now += SECOND // 2
    assert windows.peek([million])[0].remaining == 600_000
    assert server.client().memory_usage("weir:k", samples=0) < 20_000_000


def test_a_server_that_forgot_the_script_is_told_again(server, windows):
    windows.take([TEN])
    server.client().script_flush()

    assert windows.take([TEN])[1][0].remaining == 8


def test_a_key_of_somebody_else_is_not_overwritten(server, windows):
    client = server.client()
    for value in ("hello", "x" * 5000, "12345678" * 4):
        client.set("weir:users.calls/1", value)
        windows._breaker.answered("", set())

        with pytest.raises(OutOfReach, match="is no counter"):
            windows.take([TEN])
        assert client.get("weir:users.calls/1") == value.encode()
    client.delete("weir:users.calls/1")
    client.lpush("weir:users.calls/1", "x")
    windows._breaker.answered("", set())
    with pytest.raises(OutOfReach, match="WRONGTYPE"):
        windows.take([TEN])


def test_threads_have_connections_of_their_own_and_no_more(server, windows):
    barrier = threading.Barrier(8)
    before = server.client().info("clients")["connected_clients"]

    def call():
        barrier.wait()
        for _ in range(50):
            windows.take([TEN])

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert server.client().info("clients")["connected_clients"] <= before + 8


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_has_connections_of_its_own(server, windows):
    assert admitted(windows, TEN, 3) == 3
    child = os.fork()
    if not child:
        try:
            os._exit(admitted(windows, TEN, 4))
        except BaseException:
            os._exit(99)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4

    assert admitted(windows, TEN._replace(amount=20), 1) == 1


ANOTHER = [TEN._replace(key="another")]


def answers(windows, wants=ANOTHER):
    """Whether a call is admitted, or why that cannot be said."""
    try:
        return windows.take(wants)[0]
    except OutOfReach as error:
        return str(error)


def test_every_error_of_the_server_is_a_loss_and_passes(tmp_path):
    with redis_server(tmp_path) as server:
        client = server.client()
        windows = RedisWindows(read(server.url))
        assert answers(windows) is True
        for wrong, right, words in (
            (
                lambda: client.config_set("maxmemory", "1"),
                lambda: client.config_set("maxmemory", "0"),
                "maxmemory",
            ),
            (
                lambda: client.replicaof("127.0.0.1", server.port),
                lambda: client.replicaof("NO", "ONE"),
                "read only replica",
            ),
            (
                lambda: client.config_set("requirepass", "secret"),
                lambda: client.config_set("requirepass", ""),
                "Authentication required",
            ),
            (server.pause, server.resume, "Timeout"),
        ):
            if words == "Authentication required":
                windows.close()  # who is logged in stays so
            wrong()
            assert words in answers(windows)
            assert windows.lost
            right()
            wait_for(lambda: answers(windows) in (True, False))
            assert not windows.lost


def test_a_server_that_went_is_met_again_when_it_is_back(tmp_path):
    with redis_server(
        tmp_path, "--appendonly", "yes", "--appendfsync", "always"
    ) as server:
        windows = RedisWindows(read(server.url))
        hour = TEN._replace(window_ns=3600 * SECOND, looks_back_ns=DAY)
        assert admitted(windows, hour, 7) == 7

        server.kill()
        with pytest.raises(OutOfReach, match=r"refused|closed"):
            windows.take([hour])
        server.start()

        wait_for(lambda: answers(windows) in (True, False))
        assert windows.peek([hour])[0].remaining == 3


def test_while_one_call_tries_the_others_do_not_wait(tmp_path):
    with redis_server(tmp_path) as server:
        windows = RedisWindows(read(server.url))
        windows.take([TEN])
        before = server.client().info("stats")["total_connections_received"]
        server.pause()
        for _ in range(60):
            answers(windows)
        server.resume()

        # Each that was sent there would have made a connection.
        wait_for(lambda: answers(windows) in (True, False))
        after = server.client().info("stats")["total_connections_received"]
        assert after - before < 20


def test_a_name_that_leads_to_another_server_is_followed(tmp_path):
    """As one does after a failover without Sentinel: the old server is a replica now."""
    name = tmp_path / "redis"
    options = [("--unixsocket", str(tmp_path / each)) for each in ("old", "new")]
    with (
        redis_server(tmp_path, *options[0]) as old,
        redis_server(tmp_path, *options[1]) as new,
    ):
        name.symlink_to(tmp_path / "old")
        windows = RedisWindows(read(f"redis+unix://{name}"))
        assert answers(windows) is True
        old.client().replicaof("127.0.0.1", new.port)
        name.unlink()
        name.symlink_to(tmp_path / "new")

        assert "read only replica" in answers(windows)
        wait_for(lambda: answers(windows) is True)
        assert new.client().exists("weir:another")


def test_wrong_password_is_a_loss_and_is_not_told(tmp_path):
    with redis_server(tmp_path) as server:
        server.client().config_set("requirepass", "right")
        url = server.url.replace("redis://", "redis://:{}@")
        assert answers(RedisWindows(read(url.format("right")))) is True

        told = answers(RedisWindows(read(url.format("wr0ng"))))

        assert "invalid username-password" in told
        assert "wr0ng" not in told


def test_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    server = RedisServer(tmp_path / "redis")
    server.options = (
        "--port", "0", "--tls-port", str(server.port), "--tls-auth-clients", "no",
        "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
    )  # fmt: skip
    server.start(ready=False)
    try:
        url = f"rediss://127.0.0.1:{server.port}?ssl_ca_certs={certificate}"
        trusting = RedisWindows(read(url))
        wait_for(lambda: answers(trusting) is True)

        distrusting = RedisWindows(read(f"rediss://127.0.0.1:{server.port}"))
        assert "certificate verify failed" in answers(distrusting)
    finally:
        server.kill()


def test_a_unix_socket(tmp_path):
    path = tmp_path / "s"
    with redis_server(tmp_path, "--unixsocket", str(path)):
        assert answers(RedisWindows(read(f"redis+unix://{path}"))) is True


def test_sentinels_lead_to_the_new_master(tmp_path):
    with watched_by_sentinels(tmp_path) as watched:
        windows = RedisWindows(read(watched.url))
        hour = TEN._replace(window_ns=3600 * SECOND, looks_back_ns=DAY)
        assert admitted(windows, hour, 4) == 4
        assert watched.servers[0].client().wait(1, 10_000) == 1  # the replica has them

        watched.servers[0].kill()

        wait_for(lambda: answers(windows) in (True, False))
        assert watched.master() == watched.servers[1].port
        # What was counted before stays counted after.
        assert windows.peek([hour])[0].remaining == 6


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def app_of(tag):
    return [
        Want(f"{rule}/{tag}", 3, 60 * SECOND, str(tag), DAY)
        for rule in ("users.calls", "groups.calls")
    ]


def test_a_cluster_counts_each_app_on_one_server_and_all_on_several(cluster):
    windows = patient(RedisWindows(read(cluster.url)))

    for tag in range(30):
        assert [windows.take(app_of(tag))[0] for _ in range(4)] == [True] * 3 + [False]

    keys = [set(each.client().keys()) for each in cluster.servers]
    assert all(keys)
    for tag in range(30):
        (holder,) = [
            found
            for found in keys
            if f"weir:{{{tag}}}users.calls/{tag}".encode() in found
        ]
        assert f"weir:{{{tag}}}groups.calls/{tag}".encode() in holder
    every = [want for tag in range(30) for want in app_of(tag)]
    assert {state.remaining for state in windows.peek(every)} == {0}
    assert windows.peek([app_of(99)[0], every[5]])[0].remaining == 3
    assert windows.reset() == 60
    windows.close()


def test_a_cluster_takes_nothing_together_that_lies_apart(cluster):
    windows = RedisWindows(read(cluster.url))

    with pytest.raises(ValueError, match="one tag"):
        windows.take([*app_of(1), *app_of(2)])
    windows.close()


def test_in_a_cluster_only_what_the_lost_server_had_is_lost(cluster):
    windows = RedisWindows(read(cluster.url))
    for tag in range(30):
        windows.take(app_of(tag))
    gone = cluster.servers[1]
    places = {
        tag: windows._servers.place(windows._name(app_of(tag)[0])) for tag in range(30)
    }
    away = {tag for tag, place in places.items() if place == gone.place}
    assert 0 < len(away) < 30

    gone.pause()
    told = {tag: answers(windows, app_of(tag)) for tag in range(30)}
    gone.resume()

    assert {tag for tag in told if told[tag] is not True} == away
    assert all(gone.place in told[tag] for tag in away)
    assert windows.lost
    wait_for(lambda: answers(windows, app_of(min(away))) in (True, False))
    assert not windows.lost
    windows.reset()
    windows.close()


def test_a_cluster_whose_slots_have_moved_is_followed(cluster):
    windows = patient(RedisWindows(read(cluster.url)))
    windows.take(app_of(7))
    name = windows._name(app_of(7)[0])
    slot = cluster.servers[0].client().cluster("keyslot", name)
    by_place = {each.place: each for each in cluster.servers}
    giver = by_place[windows._servers.place(name)]
    taker = next(each for each in cluster.servers if each is not giver)
    move(slot, giver, taker)

    assert [windows.take(app_of(7))[0] for _ in range(3)] == [True, True, False]

    assert windows._servers.place(name) == taker.place
    assert not windows.lost
    move(slot, taker, giver)
    windows.reset()
    windows.close()


def move(slot, giver, taker):
    source, target = giver.client(), taker.client()
    ids = {
        each: each.execute_command("CLUSTER MYID").decode() for each in (source, target)
    }
    target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
    source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
    for key in source.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000):
        source.migrate("127.0.0.1", taker.port, key, 0, 5000)
    for each in (target, source):
        each.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])


def test_a_clusters_new_master_is_found(tmp_path):
    with (
        redis_cluster(tmp_path) as cluster,
        cluster_server(tmp_path / "replica") as replica,
    ):
        windows = RedisWindows(read(cluster.url))
        hour = [app_of(7)[0]._replace(amount=10, window_ns=3600 * SECOND)]
        assert admitted(windows, hour[0], 4) == 4
        place = windows._servers.place(windows._name(hour[0]))
        master = next(each for each in cluster.servers if each.place == place)
        add_replica(replica, master)

        master.kill()
        wait_for(lambda: replica.client().info()["role"] == "master")

        wait_for(lambda: answers(windows, hour) is True)
        assert windows.peek(hour)[0].remaining == 5
        assert windows._servers.place(windows._name(hour[0])) == replica.place
        wait_for(lambda: answers(windows, hour) in (True, False) and not windows.lost)


def add_replica(replica, master):
    client = replica.client()
    bus = int(master.options[master.options.index("--cluster-port") + 1])
    client.execute_command("CLUSTER MEET", "127.0.0.1", master.port, bus)
    of = master.client().execute_command("CLUSTER MYID").decode()
    wait_for(lambda: client.execute_command("CLUSTER REPLICATE", of))
    wait_for(lambda: client.info()["master_link_status"] == "up")
    # The others vote for it only when they know it.
    wait_for(lambda: client.cluster("info")["cluster_known_nodes"] == "4")
    assert master.client().wait(1, 10_000) == 1


def test_a_cluster_that_is_away_at_first_is_met_later(tmp_path):
    server = RedisServer(tmp_path)
    windows = RedisWindows(read(f"redis+cluster://{server.place}"))
    assert "annot" in answers(windows) or "refused" in answers(windows)
    server.options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    server.start()
    try:
        server.client().execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        wait_for(lambda: answers(windows) in (True, False))
        assert not windows.lost
    finally:
        server.kill()
        windows.close()
