"""The soak would tell what is not as it should be: its judgements, tried on made-up runs."""

from array import array

import pytest

from tests.bench import soak_plot, soak_verdict
from tests.bench.soak_book import Seen
from tests.bench.soak_load import Call
from tests.bench.soak_rates import Rates
from tests.bench.soak_verdict import Times
from tests.bench.soak_world import Plan

APP = "/soak/app"
PLAN = Plan(300, 70, "+00:00", 0)
TIMES = Times.of(1800, PLAN)


@pytest.fixture
def rates() -> Rates:
    """Ten calls a second of each interface."""
    return Rates({APP: "community"})


def call(rates: Rates, sent: float, now: float) -> bool:
    rates.sent(APP, "users")
    return rates.admitted(APP, "users", sent, now)


def test_ten_a_second_are_admitted_and_the_next_is_due_to_be_refused(
    rates: Rates,
) -> None:
    assert all(call(rates, n / 100, n / 100 + 0.005) for n in range(10))

    rates.sent(APP, "users")
    assert rates.refused(APP, "users", 0.2)


def test_an_eleventh_that_is_admitted_within_the_second_is_wrong(rates: Rates) -> None:
    for n in range(10):
        call(rates, n / 100, n / 100 + 0.005)

    assert not call(rates, 0.5, 0.9)


def test_an_eleventh_whose_window_nobody_can_know_is_right(rates: Rates) -> None:
    for n in range(10):
        call(rates, n / 100, n / 100 + 0.005)

    assert call(rates, 0.5, 1.0)


def test_a_refusal_that_was_not_due_is_wrong(rates: Rates) -> None:
    for n in range(9):
        call(rates, n / 100, n / 100 + 0.005)

    rates.sent(APP, "users")
    assert not rates.refused(APP, "users", 0.2)
    for n in range(10):
        call(rates, n / 100, n / 100 + 0.005)
    rates.sent(APP, "users")
    assert not rates.refused(APP, "users", 1.2)


def test_answers_are_written_down_as_what_they_are(rates: Rates) -> None:
    seen = Seen(rates)
    for status in (200, 404, 503, 429):
        made = Call("kind", b"", APP, "users", sent=1.0)
        seen.sent(made)
        seen.done(made, status, b"", seen.began + 1)

    assert (seen.calls, seen.fails, seen.wrong) == (4, 1, 2)
    assert [each.partition(":")[2][1:4] for each in seen.examples] == [
        "404",
        "503",
        "429",
    ]


def samples(
    memory_mb: float = 0, descriptors: float = 0, database: float = 0, age: float = 0,
    uploads: float = 0, sockets: float = 0, threads: float = 0,
) -> list[dict]:  # fmt: skip
    """Warm-up and half an hour; each figure is by how much it grows in half an hour,
    age what is too old."""
    found = []
    for t in range(2400):
        part = t / 1800
        old = 380 + age
        callers = 20 + sockets * part
        busy = 18 + threads * part
        opened = 10 + 2 * busy + descriptors * part + callers
        found.append(
            {
                "at": float(t), "unix": 1e9 + t, "work_ms": 2.0, "stolen_s": 0.0, "db": 1e8 + database * part, "wal": 4e6, "counters": 1e6,
                "processes": {"worker 1": [int((80 + memory_mb * part) * 1024), opened, callers, busy]},
                "uploads": [1000 + t % 300 + uploads * part, 1e6, 1e9 + t - old], "history": [10, 1e6, 1e9 + t - 60],
                "rows": {name: [10, old] for name in ("waiting", "event", "file", "message")},
            }
        )  # fmt: skip
    return found


def seen(rates: Rates, last_ms: float = 10, lost: int = 0) -> Seen:
    made = Seen(rates, lost=lost)
    for second in range(2400):
        slow = second > 2100
        made.seconds[second].calls = 100
        made.seconds[second].latencies_ms = array(
            "f", [last_ms if slow else 10.0] * 100
        )
    return made


def failed(
    rates: Rates,
    *,
    last_ms: float = 10,
    lost: int = 0,
    missing: int = 0,
    **grown: float,
) -> list[str]:
    claims = soak_verdict.claims(
        seen(rates, last_ms, lost), samples(**grown), PLAN, TIMES, missing, 0, 0
    )
    return [each.what for each in claims if not each.holds]


def test_threads_that_were_not_needed_before_are_no_leak(rates: Rates) -> None:
    assert failed(rates, threads=4) == []


def test_a_run_that_is_good_is_told_so(rates: Rates) -> None:
    assert failed(rates, last_ms=11.9, memory_mb=3, descriptors=2, database=1e6) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"last_ms": 12.5}, ["p99 stays within 1.2 x"]),
        ({"lost": 1}, ["every call is answered"]),
        ({"missing": 1}, ["every message came over its stream"]),
        ({"memory_mb": 12}, ["flat: memory of worker 1"]),
        ({"descriptors": 12}, ["flat: own descriptors of worker 1"]),
        ({"threads": 12}, ["threads of worker 1"]),
        ({"sockets": 12}, ["flat: sockets of all workers"]),
        ({"database": 4e7}, ["flat: database"]),
        ({"uploads": 400}, ["flat: files of uploads"]),
        (
            {"age": 200},
            [
                "offline queues within their retention",
                "events within their retention",
                "rows of uploads within their retention",
                "files of uploads within their retention",
            ],
        ),
    ],
)  # fmt: skip
def test_a_run_that_is_not_is_told_for_what(
    rates: Rates, bad: dict, told: list[str]
) -> None:
    assert failed(rates, **bad) == told


def test_each_second_is_a_row_of_the_curve(rates: Rates) -> None:
    made = samples()
    made[7]["processes"]["worker 2"] = [100 * 1024, 50, 20, 10]

    found = soak_plot.rows(seen(rates), made, 0)

    assert len(found) == 2400
    assert set(found[7]) == set(soak_plot.COLUMNS)
    assert (found[7]["rss_mb"], found[7]["largest_mb"]) == (180, 100)
    assert (found[6]["descriptors"], found[7]["descriptors"]) == (66, 116)
