"""Our windows behind the interface of the `limits` library."""

import time

import pytest
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, storage_from_string
from limits.strategies import STRATEGIES, MovingWindowRateLimiter

from server.limiting.counters import ExactWindow, Rings, RingStorage, Want
from tests.server.gunicorn import free_port

TEN = RateLimitItemPerMinute(10)


@pytest.fixture(params=["file", "memory", "redis"])
def storage(request, tmp_path):
    path = tmp_path / "with space"
    uri = f"rings://{path}" if request.param == "file" else "rings://"
    if request.param == "redis":
        server = request.getfixturevalue("shared_redis")
        server.client().flushall()
        uri = f"exact+{server.url}"
    storage = storage_from_string(uri.replace(" ", "%20"))
    yield storage
    storage.windows.close()


@pytest.fixture
def strategy(storage):
    return STRATEGIES["exact-window"](storage)


def test_uri_names_a_directory(tmp_path):
    storage = storage_from_string(f"rings://{tmp_path}/a%20b")

    assert isinstance(storage, RingStorage)
    assert storage.check()
    assert (tmp_path / "a b").is_dir()
    storage.windows.close()


@pytest.mark.parametrize("uri", ["rings://host/dir", "rings:///d?x=1", "rings:///d#x"])
def test_uri_of_another_host_or_with_more_to_it_is_a_mistake(uri):
    with pytest.raises(ValueError, match="absolute"):
        storage_from_string(uri)


def test_strategy_admits_ten_a_minute(strategy):
    assert isinstance(strategy, ExactWindow)

    assert sum(strategy.hit(TEN, "users.calls", "17") for _ in range(20)) == 10

    assert not strategy.test(TEN, "users.calls", "17")
    assert strategy.test(TEN, "users.calls", "18")
    assert strategy.hit(TEN, "groups.calls", "17")


def test_edit_of_the_figures_forgives_nothing(strategy):
    """The library's own key for a limit holds its figures."""
    for _ in range(10):
        strategy.hit(TEN, "users.calls", "17")

    twenty, hourly = RateLimitItemPerMinute(20), parse("500/hour")

    assert strategy.get_window_stats(twenty, "users.calls", "17").remaining == 10
    assert strategy.get_window_stats(hourly, "users.calls", "17").remaining == 490
    strategy.clear(twenty, "users.calls", "17")
    assert strategy.get_window_stats(TEN, "users.calls", "17").remaining == 10


def test_cost_is_taken_whole_or_not_at_all(strategy):
    assert strategy.hit(TEN, "k", cost=8)
    assert strategy.test(TEN, "k", cost=2)
    assert not strategy.test(TEN, "k", cost=3)
    assert not strategy.hit(TEN, "k", cost=3)
    assert strategy.hit(TEN, "k", cost=2)
    assert not strategy.test(TEN, "k", cost=1)


def test_stats_tell_when_the_oldest_call_leaves(strategy):
    empty = strategy.get_window_stats(TEN, "k")
    assert empty.remaining == 10
    assert abs(empty.reset_time - time.time()) < 5

    strategy.hit(TEN, "k")

    stats = strategy.get_window_stats(TEN, "k")
    assert stats.remaining == 9
    assert abs(stats.reset_time - time.time() - 60) < 5


def test_several_limits_are_taken_together(strategy):
    narrow, wide = Want("LIMITER/n", 1, 60 * 10**9), Want("LIMITER/w", 5, 60 * 10**9)

    assert [strategy.take([narrow, wide])[0] for _ in range(3)] == [True, False, False]

    assert [state.remaining for state in strategy.peek([narrow, wide])] == [0, 4]
    # One counter, whichever way it is asked for.
    assert strategy.get_window_stats(RateLimitItemPerMinute(5), "w").remaining == 4


def test_moving_window_of_the_library_works_alike(storage):
    ours, theirs = (
        MovingWindowRateLimiter(kept) for kept in (storage, MemoryStorage())
    )
    five = RateLimitItemPerMinute(5)

    for cost in (2, 4, 1, 2, 1):
        assert ours.test(five, "k", cost=cost) == theirs.test(five, "k", cost=cost)
        assert ours.hit(five, "k", cost=cost) == theirs.hit(five, "k", cost=cost)
        mine, other = (each.get_window_stats(five, "k") for each in (ours, theirs))
        assert mine.remaining == other.remaining
        assert abs(mine.reset_time - other.reset_time) < 5

    ours.clear(five, "k")
    assert ours.get_window_stats(five, "k").remaining == 5


def test_reset_forgets_every_key(storage, strategy):
    strategy.hit(TEN, "a")
    strategy.hit(TEN, "b")

    assert storage.reset() == 2

    assert strategy.get_window_stats(TEN, "a").remaining == 10


def test_what_windows_cannot_do_is_said(storage):
    for ask in (
        lambda: storage.incr("k", 1),
        lambda: storage.get("k"),
        lambda: storage.get_expiry("k"),
        lambda: STRATEGIES["fixed-window"](storage).hit(TEN, "k"),
        lambda: STRATEGIES["exact-window"](MemoryStorage()),
    ):
        with pytest.raises(NotImplementedError, match=r"exact-window"):
            ask()


def test_trouble_with_the_files_is_a_storage_error_where_wanted(tmp_path):
    """The rings raise OSError; the library may wrap it."""
    storage = storage_from_string(f"rings://{tmp_path}/c", wrap_exceptions=True)
    (tmp_path / "c" / "rings-64").mkdir()

    assert not storage.check()
    with pytest.raises(StorageError):
        storage.acquire_entry("k", 5, 60)
    with pytest.raises(OSError, match="rings-64"):
        storage.windows.take([Want("k", 5, 10**9)])
    storage.windows.close()


def test_trouble_with_the_servers_is_a_storage_error_where_wanted():
    url = f"exact+redis://127.0.0.1:{free_port()}"

    storage = storage_from_string(url, wrap_exceptions=True)

    assert not storage.check()
    with pytest.raises(StorageError):
        storage.acquire_entry("k", 5, 60)
    storage.windows.close()


def test_the_librarys_own_scheme_stays_the_librarys(shared_redis):
    """Its windows are counted by the clients' clocks; nobody is to take ours for them."""
    assert type(storage_from_string(shared_redis.url)) is RedisStorage
    with pytest.raises(ValueError, match="is needed"):
        storage_from_string("exact+redis://")


def test_counted_by_the_strategy_is_counted_for_other_processes(tmp_path):
    storage = storage_from_string(f"rings://{tmp_path}")
    strategy = ExactWindow(storage)
    strategy.hit(RateLimitItemPerSecond(50, 60), "users.calls", "17")

    other = Rings(tmp_path)

    (state,) = other.peek([Want("LIMITER/users.calls/17", 50, 60 * 10**9)])
    assert state.remaining == 49
    other.close()
    storage.windows.close()
