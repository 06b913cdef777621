"""What the rings of one host do beside the rule: files, forks, nanoseconds."""

import os
import threading

import pytest
from hypothesis import given, settings

from server.limiting.rings import Rings, Want
from tests.server.limiting.model import (
    GROWING_FIGURES,
    NEAR_FIGURES,
    SECOND,
    TEN,
    Clock,
    admitted,
    agree,
)

# Newer Pythons warn of a fork where there are threads, which is what is tried here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["file", "memory"])
def rings(request, tmp_path, clock):
    rings = Rings(tmp_path / "c" if request.param == "file" else None, clock=clock)
    yield rings
    rings.close()


def test_clock_may_begin_at_nothing():
    clock = Clock(0)
    rings = Rings(None, clock=clock)

    assert admitted(rings, TEN._replace(window_ns=86_400 * SECOND), 20) == 10


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


@settings(deadline=None, max_examples=150)
@given(NEAR_FIGURES)
def test_every_decision_is_that_of_a_plain_list_of_calls(steps):
    clock = Clock(500)
    rings = Rings(None, clock=clock)
    agree(rings, clock, steps)
    rings.close()


@settings(deadline=None, max_examples=100)
@given(GROWING_FIGURES)
def test_decisions_stay_the_same_while_figures_outgrow_rings(steps):
    clock = Clock(500)
    rings = Rings(None, clock=clock)
    agree(rings, clock, steps)
    rings.close()


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
