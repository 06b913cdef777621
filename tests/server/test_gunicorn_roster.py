"""Who may stop: a worker whose successors serve, or that has none to wait for."""

import pytest

from server.gunicorn_roster import Roster

WORKERS = 2


@pytest.fixture
def roster() -> Roster:
    """Workers 5 and 6 serve."""
    roster = Roster(WORKERS)
    for age in (5, 6):
        roster.begin(age)
        roster.publish(age, connections=age)
    return roster


def test_all_may_stop_when_nobody_is_to_follow(roster: Roster) -> None:
    assert roster.replaced(5, WORKERS)
    assert roster.replaced(6, WORKERS)


def test_nobody_stops_until_as_many_serve_as_are_wanted(roster: Roster) -> None:
    roster.begin(7)
    roster.begin(8)
    assert not roster.replaced(5, WORKERS)
    assert not roster.replaced(6, WORKERS)

    roster.publish(7, connections=0)
    assert roster.replaced(5, WORKERS)  # by 6 and 7
    assert not roster.replaced(6, WORKERS)

    roster.publish(8, connections=0)
    assert roster.replaced(6, WORKERS)


def test_one_that_is_reloaded_while_it_starts_waits_for_its_own_successors(
    roster: Roster,
) -> None:
    for age in (7, 8, 9, 10):
        roster.begin(age)
    roster.publish(7, connections=0)
    roster.publish(8, connections=0)

    assert roster.replaced(5, WORKERS)
    assert not roster.replaced(8, WORKERS)


def test_a_successor_that_dies_is_not_waited_for(roster: Roster) -> None:
    roster.begin(7)

    roster.end(7)

    assert roster.replaced(6, WORKERS)


def test_ages_come_around_and_each_counts_what_serves(roster: Roster) -> None:
    many = 64 * WORKERS + 5  # the place that 5 had
    roster.end(5)
    roster.begin(many)
    roster.publish(many, connections=1)

    assert sorted(roster.serving()) == [2, 7]
