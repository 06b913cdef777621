"""What one call finds: the window, the figures around it, the clock, hostile keys."""

import itertools
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.limiting.rings import Rings, Taken, Want

# Newer Pythons warn of a fork where there are threads, which is what is tried here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

SECOND = 10**9


class Clock:
    def __init__(self, now=1000 * SECOND):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["file", "memory"])
def rings(request, tmp_path, clock):
    rings = Rings(tmp_path / "c" if request.param == "file" else None, clock=clock)
    yield rings
    rings.close()


TEN = Want("users.calls/1", 10, SECOND)


def admitted(rings, want, calls):
    return sum(rings.take([want])[0] for _ in range(calls))


def test_eleventh_call_in_a_second_is_refused(rings, clock):
    assert admitted(rings, TEN, 10) == 10

    clock.now += SECOND // 4
    took, (state,) = rings.take([TEN])

    assert not took
    assert state == Taken(0, SECOND * 3 // 4, SECOND * 3 // 4)


def test_caller_who_waits_as_told_is_admitted(rings, clock):
    for _ in range(10):
        rings.take([TEN])
        clock.now += 7
    _, (state,) = rings.take([TEN])

    clock.now += state.wait_ns - 1
    assert not rings.take([TEN])[0]
    clock.now += 1
    assert rings.take([TEN])[0]
    assert not rings.take([TEN])[0]


def test_state_tells_what_is_left_and_when_more_comes(rings, clock):
    assert rings.peek([TEN]) == [Taken(10, 0, 0)]

    assert rings.take([TEN]) == (True, [Taken(9, SECOND, 0)])
    clock.now += 100
    assert rings.take([TEN]) == (True, [Taken(8, SECOND - 100, 0)])
    clock.now += SECOND - 100
    assert rings.peek([TEN]) == [Taken(9, 100, 0)]


def test_peek_takes_nothing(rings):
    for _ in range(30):
        rings.peek([TEN])

    assert admitted(rings, TEN, 11) == 10


def test_call_refused_by_one_limit_takes_from_none(rings, clock):
    narrow, wide = Want("narrow", 2, SECOND), Want("wide", 100, SECOND)

    for _ in range(5):
        rings.take([narrow, wide])

    assert rings.peek([wide])[0].remaining == 98
    refused, (first, second) = rings.take([wide, narrow])
    assert not refused
    assert (first.remaining, first.wait_ns) == (98, 0)
    assert (second.remaining, second.wait_ns) == (0, SECOND)


def test_nothing_wanted_is_admitted(rings):
    assert rings.take([]) == (True, [])


def test_key_wanted_twice_is_a_mistake(rings):
    with pytest.raises(ValueError, match="wanted twice"):
        rings.take([TEN, TEN._replace(amount=20)])

    rings.take([TEN])
    rings.take([TEN._replace(amount=20)])
    with pytest.raises(ValueError, match="wanted twice"):
        rings.take([TEN, TEN._replace(amount=20)])
    assert rings.peek([TEN])[0].remaining == 8


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
def test_figure_no_ring_can_keep_is_refused(rings, want):
    with pytest.raises(ValueError, match="is to be"):
        rings.take([want])


def test_cost_is_taken_whole_or_not_at_all(rings, clock):
    assert rings.take([TEN], 7) == (True, [Taken(3, SECOND, 0)])
    clock.now += 10
    assert rings.take([TEN], 4) == (False, [Taken(3, SECOND - 10, SECOND - 10)])
    assert rings.take([TEN], 3)[0]
    assert rings.take([TEN], 11) == (False, [Taken(0, SECOND - 10, SECOND)])
    with pytest.raises(ValueError, match="costs at least 1"):
        rings.take([TEN], 0)


def test_edit_of_a_figure_forgives_nothing(rings, clock):
    assert admitted(rings, TEN, 12) == 10

    assert admitted(rings, TEN._replace(amount=15), 20) == 5
    assert admitted(rings, TEN._replace(amount=5), 5) == 0
    clock.now += SECOND
    assert admitted(rings, TEN._replace(amount=5), 20) == 5
    # A window grows: what its seconds saw is counted (20, of which 10 at first).
    assert rings.peek([TEN._replace(amount=60, window_ns=60 * SECOND)])[0][0] == 40


def test_figure_may_outgrow_its_rings_and_shrink_again(rings, clock):
    small = Want("k", 64, SECOND)
    assert admitted(rings, small, 70) == 64

    clock.now += SECOND // 2
    assert admitted(rings, small._replace(amount=600), 700) == 600 - 64
    clock.now += SECOND // 2
    assert admitted(rings, small, 70) == 0
    assert admitted(rings, small._replace(amount=600), 700) == 64
    clock.now += SECOND // 2
    assert admitted(rings, small._replace(amount=5000), 6000) == 5000 - 64
    assert admitted(rings, small._replace(amount=600), 10) == 0
    clock.now += SECOND
    assert admitted(rings, small, 70) == 64


def test_longer_window_counts_calls_a_small_ring_forgot(rings, clock):
    """64 stamps are kept of 90 calls; the other 26 are not forgiven."""
    for _ in range(9):
        assert admitted(rings, TEN, 10) == 10
        clock.now += SECOND

    hour = TEN._replace(amount=1000, window_ns=3600 * SECOND)

    assert rings.peek([hour])[0].remaining == 1000 - 90


@pytest.mark.parametrize("back", [SECOND, 3600 * SECOND, 10**6 * SECOND])
def test_clock_put_back_neither_frees_nor_locks(rings, clock, back):
    assert admitted(rings, TEN, 10) == 10

    clock.now -= back

    refused, (state,) = rings.take([TEN])
    assert not refused
    assert state.wait_ns <= SECOND
    clock.now += state.wait_ns
    assert admitted(rings, TEN, 20) == 10


def test_clock_of_another_core_a_little_behind_is_no_step(rings, clock):
    admitted(rings, TEN, 9)

    clock.now -= 900
    assert admitted(rings, TEN, 5) == 1
    clock.now += SECOND
    assert not rings.take([TEN])[0]
    clock.now += 900
    assert rings.take([TEN])[0]


def test_clock_put_forward_frees_what_is_past(rings, clock):
    admitted(rings, TEN, 10)

    clock.now += 3600 * SECOND

    assert admitted(rings, TEN, 20) == 10


def test_clock_may_begin_at_nothing():
    clock = Clock(0)
    rings = Rings(None, clock=clock)

    assert admitted(rings, TEN._replace(window_ns=86_400 * SECOND), 20) == 10


@pytest.mark.parametrize(
    "key",
    ["", "\0", "a\0b", "../../x", "ü/用户/\U0001f600", "x" * 10**6, "\udcff", "\n"],
)
def test_any_key_is_a_key_of_its_own(rings, key):
    assert admitted(rings, TEN._replace(key=key), 11) == 10
    assert admitted(rings, TEN._replace(key=key + "\0"), 11) == 10
    assert admitted(rings, TEN, 11) == 10


def test_clear_and_reset_forget(rings):
    other = TEN._replace(key="other")
    admitted(rings, TEN, 10)
    admitted(rings, other, 10)

    rings.clear(TEN.key)
    assert admitted(rings, TEN, 1) == 1
    assert admitted(rings, other, 1) == 0
    assert rings.reset() == 2
    assert admitted(rings, other, 11) == 10


def test_threads_share_one_budget(rings):
    barrier, taken = threading.Barrier(8), []

    def call():
        barrier.wait()
        taken.append(admitted(rings, TEN, 50))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 10


def test_two_openings_in_one_process_count_together(tmp_path, clock):
    first, second = Rings(tmp_path, clock=clock), Rings(tmp_path, clock=clock)

    assert admitted(first, TEN, 6) == 6
    assert admitted(second, TEN, 6) == 4
    first.close()
    assert admitted(second, TEN, 6) == 0
    second.close()


def test_counted_stays_counted_over_a_restart(tmp_path, clock):
    first = Rings(tmp_path, clock=clock)
    admitted(first, TEN, 7)
    first.close()

    second = Rings(tmp_path, clock=clock)

    assert admitted(second, TEN, 7) == 3
    second.close()
    with pytest.raises(ValueError, match="closed"):
        second.take([TEN])


def in_a_fork(function):
    """The exit code of a child of ours that calls *function*."""
    child = os.fork()
    if not child:
        try:
            os._exit(function())
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_fork_counts_together(tmp_path, clock):
    rings = Rings(tmp_path, clock=clock)
    admitted(rings, TEN, 3)

    assert in_a_fork(lambda: admitted(rings, TEN, 4)) == 4

    assert admitted(rings, TEN, 20) == 3
    rings.close()


def test_fork_of_counters_in_memory_refuses():
    """They would be counted twice over."""
    rings = Rings(None)
    rings.take([TEN])

    def refused():
        with pytest.raises(RuntimeError, match="give the counters a directory"):
            rings.take([TEN])
        return 7

    assert in_a_fork(refused) == 7


def test_fork_amid_the_calls_of_threads_finds_no_lock_held(tmp_path):
    rings, stop = Rings(tmp_path), threading.Event()
    wide = Want("k", 1000, SECOND)

    def call():
        while not stop.is_set():
            rings.take([wide])

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        codes = [in_a_fork(lambda: len(rings.take([TEN]))) for _ in range(20)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert codes == [2] * 20
    rings.close()


class Model:
    """The rule itself: a list of every call, counted anew each time."""

    def __init__(self):
        self.calls = {}

    def take(self, now, wants, cost, count):
        seen = [
            [s for s in self.calls.get(w.key, []) if s > now - w.window_ns][-w.amount :]
            for w in wants
        ]
        fits = all(len(s) + cost <= w.amount for s, w in zip(seen, wants, strict=True))
        states = []
        for stamps, want in zip(seen, wants, strict=True):
            wait = 0
            if cost > want.amount:
                wait = want.window_ns
            elif len(stamps) + cost > want.amount:
                gone = stamps[len(stamps) + cost - want.amount - 1]
                wait = gone + want.window_ns - now
            if fits and count:
                self.calls.setdefault(want.key, []).extend([now] * cost)
                stamps += [now] * cost
            reset = stamps[0] + want.window_ns - now if stamps else 0
            states.append(Taken(want.amount - len(stamps), reset, wait))
        return fits, states


def wants_of(amounts):
    return st.lists(
        st.builds(
            Want,
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(amounts),
            st.sampled_from([1, 10, 100, 1000]),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda want: want.key,
    )


def agree(steps):
    clock, model = Clock(500), Model()
    rings = Rings(None, clock=clock)
    for pause, wants, cost, count in steps:
        clock.now += pause
        if count:
            found = rings.take(wants, cost)
            assert found == model.take(clock.now, wants, cost, True)
        else:
            found = rings.peek(wants)
            assert found == model.take(clock.now, wants, 1, False)[1]
    rings.close()


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 0, 1, 3, 9, 10, 101]),
            wants_of([1, 2, 3, 40, 63, 64]),
            st.sampled_from([1, 1, 1, 2, 17, 30]),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_every_decision_is_that_of_a_plain_list_of_calls(steps):
    agree(steps)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 9, 101]),
            wants_of([1, 3, 20, 64, 65, 511, 513, 5000]),
            st.sampled_from([1, 2]),
            st.booleans(),
        ),
        max_size=30,  # so that no ring has forgotten anything when it is moved
    )
)
def test_decisions_stay_the_same_while_figures_outgrow_rings(steps):
    agree(steps)


def test_long_run_wraps_the_ring_many_times(rings, clock):
    model = Model()
    want = Want("k", 50, 1000)
    for pause in itertools.islice(itertools.cycle([1, 7, 30, 0, 0, 250]), 3000):
        clock.now += pause
        model.calls["k"] = model.calls.get("k", [])[-64:]
        assert rings.take([want]) == model.take(clock.now, [want], 1, True)


def test_the_times_told_are_as_far_apart_as_the_stamps(rings, clock, monkeypatch):
    wall = [1_700_000_000 * SECOND]
    monkeypatch.setattr("server.limiting.rings.now_ns", lambda: wall[0])
    _, first = rings.take([TEN])
    clock.now += 12_345
    wall[0] += 12_345 + 900  # the two clocks are not read at the very same moment

    _, second = rings.take([TEN])

    assert first.at_ns == 1_700_000_000 * SECOND
    assert second.at_ns - first.at_ns == 12_345


def test_a_clock_that_was_set_is_followed(rings, clock, monkeypatch):
    wall = [1_700_000_000 * SECOND]
    monkeypatch.setattr("server.limiting.rings.now_ns", lambda: wall[0])
    rings.take([TEN])
    clock.now += 2 * SECOND
    wall[0] -= 3600 * SECOND

    _, later = rings.take([TEN, Want("cluster", 5, SECOND)])

    assert later.at_ns == wall[0]
