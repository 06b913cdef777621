"""What one call finds, wherever it is counted: in a host's rings, in Redis or Valkey.

The window, the figures around it, the clock, hostile keys.
"""

import itertools
import threading

import pytest
from hypothesis import given, settings

from server.limiting.rings import Rings, Taken, Want
from server.redis_urls import read
from tests.server.limiting.model import (
    GROWING_FIGURES,
    MICROSECOND,
    NEAR_FIGURES,
    SECOND,
    TEN,
    Clock,
    Model,
    admitted,
    agree,
)
from tests.services.windows import StillWindows


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["file", "memory", "redis", "valkey"])
def windows(request, tmp_path, clock):
    if request.param in ("redis", "valkey"):
        server = request.getfixturevalue(f"shared_{request.param}")
        server.client().flushall()
        windows = StillWindows(read(server.url), clock)
    else:
        windows = Rings(tmp_path if request.param == "file" else None, clock=clock)
    yield windows
    windows.close()


def test_eleventh_call_in_a_second_is_refused(windows, clock):
    assert admitted(windows, TEN, 10) == 10

    clock.now += SECOND // 4
    took, (state,) = windows.take([TEN])

    assert not took
    assert state == Taken(0, SECOND * 3 // 4, SECOND * 3 // 4)


def test_caller_who_waits_as_told_is_admitted(windows, clock):
    for _ in range(10):
        windows.take([TEN])
        clock.now += 7 * MICROSECOND
    _, (state,) = windows.take([TEN])

    clock.now += state.wait_ns - MICROSECOND
    assert not windows.take([TEN])[0]
    clock.now += MICROSECOND
    assert windows.take([TEN])[0]
    assert not windows.take([TEN])[0]


def test_state_tells_what_is_left_and_when_more_comes(windows, clock):
    assert windows.peek([TEN]) == [Taken(10, 0, 0)]

    assert windows.take([TEN]) == (True, [Taken(9, SECOND, 0)])
    clock.now += 100 * MICROSECOND
    assert windows.take([TEN]) == (True, [Taken(8, SECOND - 100 * MICROSECOND, 0)])
    clock.now += SECOND - 100 * MICROSECOND
    assert windows.peek([TEN]) == [Taken(9, 100 * MICROSECOND, 0)]


def test_peek_takes_nothing(windows):
    for _ in range(30):
        windows.peek([TEN])

    assert admitted(windows, TEN, 11) == 10


def test_call_refused_by_one_limit_takes_from_none(windows, clock):
    narrow, wide = Want("narrow", 2, SECOND), Want("wide", 100, SECOND)

    for _ in range(5):
        windows.take([narrow, wide])

    assert windows.peek([wide])[0].remaining == 98
    refused, (first, second) = windows.take([wide, narrow])
    assert not refused
    assert (first.remaining, first.wait_ns) == (98, 0)
    assert (second.remaining, second.wait_ns) == (0, SECOND)


def test_nothing_wanted_is_admitted(windows):
    assert windows.take([]) == (True, [])


def test_key_wanted_twice_is_a_mistake(windows):
    with pytest.raises(ValueError, match="wanted twice"):
        windows.take([TEN, TEN._replace(amount=20)])

    windows.take([TEN])
    windows.take([TEN._replace(amount=20)])
    with pytest.raises(ValueError, match="wanted twice"):
        windows.take([TEN, TEN._replace(amount=20)])
    assert windows.peek([TEN])[0].remaining == 8


@pytest.mark.parametrize(
    "want",
    [
        Want("k", 0, SECOND),
        Want("k", -1, SECOND),
        Want("k", (1 << 24) + 1, SECOND),
        Want("k", 1, 0),
        Want("k", 1, 1 << 62),
    ],
)
def test_figure_out_of_range_is_refused(windows, want):
    with pytest.raises(ValueError, match="is to be"):
        windows.take([want])


def test_cost_is_taken_whole_or_not_at_all(windows, clock):
    assert windows.take([TEN], 7) == (True, [Taken(3, SECOND, 0)])
    clock.now += 10 * MICROSECOND
    assert windows.take([TEN], 4) == (
        False,
        [Taken(3, SECOND - 10 * MICROSECOND, SECOND - 10 * MICROSECOND)],
    )
    assert windows.take([TEN], 3)[0]
    assert windows.take([TEN], 11) == (
        False,
        [Taken(0, SECOND - 10 * MICROSECOND, SECOND)],
    )
    with pytest.raises(ValueError, match="costs at least 1"):
        windows.take([TEN], 0)


def test_edit_of_a_figure_forgives_nothing(windows, clock):
    assert admitted(windows, TEN, 12) == 10

    assert admitted(windows, TEN._replace(amount=15), 20) == 5
    assert admitted(windows, TEN._replace(amount=5), 5) == 0
    clock.now += SECOND
    assert admitted(windows, TEN._replace(amount=5), 20) == 5
    # A window grows: what its seconds saw is counted (20, of which 10 at first).
    assert windows.peek([TEN._replace(amount=60, window_ns=60 * SECOND)])[0][0] == 40


def test_figure_may_outgrow_its_memory_and_shrink_again(windows, clock):
    small = Want("k", 64, SECOND)
    assert admitted(windows, small, 70) == 64

    clock.now += SECOND // 2
    assert admitted(windows, small._replace(amount=600), 700) == 600 - 64
    clock.now += SECOND // 2
    assert admitted(windows, small, 70) == 0
    assert admitted(windows, small._replace(amount=600), 700) == 64
    clock.now += SECOND // 2
    assert admitted(windows, small._replace(amount=5000), 6000) == 5000 - 64
    assert admitted(windows, small._replace(amount=600), 10) == 0
    clock.now += SECOND
    assert admitted(windows, small, 70) == 64


def test_longer_window_counts_calls_were_no_longer_known(windows, clock):
    """64 stamps are kept of 90 calls; the other 26 are not forgiven."""
    for _ in range(9):
        assert admitted(windows, TEN, 10) == 10
        clock.now += SECOND

    hour = TEN._replace(amount=1000, window_ns=3600 * SECOND)

    assert windows.peek([hour])[0].remaining == 1000 - 90


@pytest.mark.parametrize("back", [SECOND, 3600 * SECOND, 10**6 * SECOND])
def test_clock_put_back_neither_frees_nor_locks(windows, clock, back):
    assert admitted(windows, TEN, 10) == 10

    clock.now -= back

    refused, (state,) = windows.take([TEN])
    assert not refused
    assert state.wait_ns <= SECOND
    clock.now += state.wait_ns
    assert admitted(windows, TEN, 20) == 10


def test_clock_of_another_core_a_little_behind_is_no_step(windows, clock):
    admitted(windows, TEN, 9)

    clock.now -= 900 * MICROSECOND
    assert admitted(windows, TEN, 5) == 1
    clock.now += SECOND
    assert not windows.take([TEN])[0]
    clock.now += 900 * MICROSECOND
    assert windows.take([TEN])[0]


def test_clock_put_forward_frees_what_is_past(windows, clock):
    admitted(windows, TEN, 10)

    clock.now += 3600 * SECOND

    assert admitted(windows, TEN, 20) == 10


@pytest.mark.parametrize(
    "key",
    ["", "\0", "a\0b", "../../x", "ü/用户/\U0001f600", "x" * 10**6, "\udcff", "\n"],
)
def test_any_key_is_a_key_of_its_own(windows, key):
    assert admitted(windows, TEN._replace(key=key), 11) == 10
    assert admitted(windows, TEN._replace(key=key + "\0"), 11) == 10
    assert admitted(windows, TEN, 11) == 10


def test_clear_and_reset_forget(windows):
    other = TEN._replace(key="other")
    admitted(windows, TEN, 10)
    admitted(windows, other, 10)

    windows.clear(TEN.key)
    assert admitted(windows, TEN, 1) == 1
    assert admitted(windows, other, 1) == 0
    assert windows.reset() == 2
    assert admitted(windows, other, 11) == 10


def test_threads_share_one_budget(windows):
    barrier, taken = threading.Barrier(8), []

    def call():
        barrier.wait()
        taken.append(admitted(windows, TEN, 50))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 10


def test_long_run_forgets_what_no_figure_asks_for(windows, clock):
    model = Model()
    want = Want("k", 50, 1000 * MICROSECOND)
    for pause in itertools.islice(itertools.cycle([1, 7, 30, 0, 0, 250]), 3000):
        clock.now += pause * MICROSECOND
        model.calls["k"] = model.calls.get("k", [])[-64:]
        assert windows.take([want]) == model.take(clock.now, [want], 1, True)


@settings(deadline=None, max_examples=60)
@given(NEAR_FIGURES)
def test_every_decision_in_redis_is_that_of_a_plain_list_of_calls(shared_redis, steps):
    shared_redis.client().flushall()
    clock = Clock(500 * MICROSECOND)
    windows = StillWindows(read(shared_redis.url), clock)
    agree(windows, clock, steps, MICROSECOND)
    windows.close()


@settings(deadline=None, max_examples=60)
@given(GROWING_FIGURES)
def test_decisions_in_redis_stay_the_same_while_figures_grow(shared_redis, steps):
    shared_redis.client().flushall()
    clock = Clock(500 * MICROSECOND)
    windows = StillWindows(read(shared_redis.url), clock)
    agree(windows, clock, steps, MICROSECOND)
    windows.close()
