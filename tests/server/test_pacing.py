"""Bytes leave no faster than the table says, and never take all threads."""

import io
from collections.abc import Sequence

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from server import downloads, pacing
from server.settings import Settings
from tests import facts
from tests.conftest import SECOND_NS, Clock, Tenant, still
from tests.server.api.test_files import kept

RATE = facts.BOUNDS["files.download_bandwidth"][1]


def paced(
    clock: Clock, length: int, rate: int, slow: Sequence[float] = ()
) -> list[tuple[int, int]]:
    """When each piece left, in ns, and how many bytes had by then.

    *slow*: how long the receiver took over each of the first pieces, in seconds.
    """
    left, sent, began = [], 0, clock.boot_ns
    pauses = iter(slow)
    for chunk in pacing.chunks(io.BytesIO(bytes(length)).read, length, rate):
        sent += len(chunk)
        left.append((clock.boot_ns - began, sent))
        clock.forward(next(pauses, 0))
    return left


@given(
    length=st.integers(0, 3_000_000),
    rate=st.integers(1, 2_000_000).filter(lambda rate: rate > 10_000 or rate < 20),
    slow=st.lists(st.floats(0, 5), max_size=5),
)
def test_in_no_time_more_than_its_worth_and_a_seconds(
    length: int, rate: int, slow: list[float]
) -> None:
    """Between any two pieces, not only from the beginning."""
    clock = Clock()
    length = min(length, rate * 30)
    with pytest.MonkeyPatch.context() as patch:
        still(patch, clock)
        left = [(0, 0), *paced(clock, length, rate, slow)]

    assert left[-1][1] == length
    for n, (before_ns, before) in enumerate(left):
        for after_ns, after in left[n:]:
            assert (after - before) * SECOND_NS <= rate * (
                after_ns - before_ns + SECOND_NS
            )


def test_it_is_not_slower_than_the_table_says(clock: Clock) -> None:
    left = paced(clock, RATE * 11, RATE)

    assert left[-1][0] == pytest.approx(10 * SECOND_NS, abs=1000)


def test_what_has_no_rate_is_sent_as_fast_as_it_is_taken(clock: Clock) -> None:
    pieces = pacing.chunks(io.BytesIO(bytes(1_000_000)).read, 1_000_000, None)

    assert sum(map(len, pieces)) == 1_000_000
    assert clock.boot_ns == Clock().boot_ns


def test_a_file_shorter_than_its_row_ends_the_answer(clock: Clock) -> None:
    assert b"".join(pacing.chunks(io.BytesIO(b"abc").read, 10, None)) == b"abc"


@pytest.mark.parametrize(
    ("threads", "count"), [(1, 1), (2, 1), (4, 3), (16, 12), (17, 12)]
)
def test_three_quarters_of_the_threads_may_be_downloading(
    threads: int, count: int
) -> None:
    slots = pacing.slots_of(threads)

    taken = [slots.take() for _ in range(count + 1)]

    assert [slot is not None for slot in taken] == [True] * count + [False]
    taken[0].give_back()
    taken[0].give_back()
    assert slots.take() is not None
    assert slots.take() is None


def test_a_download_beyond_them_is_told_to_come_again(
    app: Flask, globex: Tenant, settings: Settings, clock: Clock
) -> None:
    uuid = kept(globex, b"x" * 10)["uuid"]
    path = f"/chatfiles/{uuid}"
    under_way = [globex.get(path) for _ in range(12)]

    refused = globex.get(path)
    other_call = globex.get("/users/nobody")

    assert [answer.status_code for answer in under_way] == [200] * 12
    assert refused.status_code == 503
    assert refused.json["error"] == "service_unavailable"
    assert int(refused.headers["Retry-After"]) >= 1
    assert other_call.status_code == 404
    under_way[0].close()
    again = globex.get(path)
    assert again.status_code == 200
    for answer in [*under_way, again]:
        answer.close()


def test_what_is_not_sent_holds_no_thread(globex: Tenant, clock: Clock) -> None:
    """Ranges of nothing, lost bytes, and answers to HEAD."""
    uuid = kept(globex, b"x" * 10)["uuid"]
    path = f"/chatfiles/{uuid}"
    for _ in range(9):
        globex.get(path, headers={"Range": "bytes=10-"}, buffered=True)
        globex.call("HEAD", path, buffered=True)
    clock.forward(1)
    answers = [globex.get(path) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        answer.close()


def test_nginx_sends_where_it_is_told_to(
    globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_x_accel", "/internal-files/")
    uuid = kept(globex, b"x" * 10)["uuid"]

    answer = globex.get(f"/chatfiles/{uuid}")

    assert answer.status_code == 200
    assert answer.data == b""
    assert (
        answer.headers["X-Accel-Redirect"] == f"/internal-files/files/{uuid[:2]}/{uuid}"
    )
    assert answer.headers["X-Accel-Limit-Rate"] == str(RATE)
    assert answer.content_type == "application/octet-stream"
