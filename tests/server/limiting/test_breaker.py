"""One call a second tries a lost place; the others are told at once."""

import pytest

from server.limiting.breaker import Breaker, OutOfReach


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def test_nothing_lost_lets_every_call_pass(breaker: Breaker) -> None:
    assert [breaker.enter("a") for _ in range(3)] == [False] * 3
    assert not breaker.open


def test_lost_place_is_tried_by_one_call_a_second(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.failed("a", "timeout")

    with pytest.raises(OutOfReach, match="timeout"):
        breaker.enter("a")
    clock.now += 1
    assert breaker.enter("a")
    with pytest.raises(OutOfReach, match="timeout"):
        breaker.enter("a")
    clock.now += 1
    assert breaker.enter("a")
    assert breaker.open


def test_failed_try_puts_the_next_off(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("a", "timeout")
    clock.now += 1
    breaker.enter("a")
    clock.now += 0.25
    breaker.failed("a", "refused")

    clock.now += 0.75
    with pytest.raises(OutOfReach, match="refused"):
        breaker.enter("a")
    clock.now += 0.25
    assert breaker.enter("a")


def test_place_that_answers_is_open_to_all(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("a", "timeout")
    clock.now += 1
    breaker.enter("a")

    breaker.answered("a", {"a"})

    assert not breaker.enter("a")
    assert not breaker.open


def test_places_are_lost_each_by_itself(breaker: Breaker, clock: Clock) -> None:
    breaker.failed("a", "timeout")
    breaker.failed("b", "timeout")

    assert not breaker.enter("c")
    clock.now += 1
    assert breaker.enter("a")
    breaker.answered("a", {"a", "b", "c"})
    assert breaker.open
    assert breaker.enter("b")


def test_place_that_is_gone_is_not_lost_for_ever(
    breaker: Breaker, clock: Clock
) -> None:
    """A cluster's server whose slots another one took over: nobody asks it again."""
    breaker.failed("a", "timeout")
    breaker.failed("b", "timeout")
    clock.now += 1
    breaker.enter("a")

    breaker.answered("a", {"c"})

    assert not breaker.open
