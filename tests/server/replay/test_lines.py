"""Access logs as they are found: rotated, compressed, torn, and out of order."""

import gzip
import random
from pathlib import Path

import pytest

from server.replay import logfile, parsing
from server.replay.lines import Faults, Ordered, in_order
from tests.server.replay.logs import MIDNIGHT, line, write

MINUTE = Ordered(60_000_000)


def times(*paths: Path, ordered: Ordered = MINUTE) -> tuple[list[int], Faults]:
    """When the calls were made, from the beginning of the day, as they come out."""
    faults = Faults()
    found = [
        attempt.at_us - MIDNIGHT
        for attempts in in_order(paths, faults, ordered)
        for attempt in attempts
    ]
    return found, faults


def test_files_may_be_named_in_any_order(tmp_path: Path) -> None:
    paths = [
        write(
            tmp_path / f"{n}.log", *(line(MIDNIGHT + n * 1000 + k) for k in range(100))
        )
        for n in range(5)
    ]
    paths[2].write_bytes(gzip.compress(paths[2].read_bytes()))
    random.Random(1).shuffle(paths)  # noqa: S311 (repeatable, not secret)

    found, faults = times(*paths)

    assert found == [n * 1000 + k for n in range(5) for k in range(100)]
    assert (faults.lines, faults.wrong) == (500, 0)


def test_files_of_two_hosts_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PIECE_BYTES", 4000)
    second = 1_000_000
    one = write(tmp_path / "a", *(line(MIDNIGHT + 2 * k * second) for k in range(500)))
    two = write(
        tmp_path / "b", *(line(MIDNIGHT + (2 * k + 1) * second) for k in range(500))
    )

    found, _ = times(one, two)

    assert found == [k * second for k in range(1000)]


def test_lines_are_written_when_calls_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PIECE_BYTES", 1000)
    chance = random.Random(2)  # noqa: S311 (repeatable, not secret)
    begun = [k * 50_000 for k in range(3000)]
    ended = sorted(begun, key=lambda at: at + chance.randrange(59_000_000))

    found, _ = times(write(tmp_path / "log", *(line(MIDNIGHT + at) for at in ended)))

    assert ended != begun
    assert found == begun


def test_no_more_is_held_than_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PIECE_BYTES", 1000)
    log = write(tmp_path / "log", *(line(MIDNIGHT + k) for k in range(3000)))

    batches = [len(b) for b in in_order([log], Faults(), Ordered(60_000_000, 100))]

    assert sum(batches) == 3000
    assert max(batches) <= 200 + 8


def test_wrong_lines_are_counted_and_told(tmp_path: Path) -> None:
    good = line(MIDNIGHT)
    wrong = [
        b"not json\n",
        b"[1]\n",
        b'"text"\n',
        b"7\n",
        b"\x00\x00\x00\n",
        b"\xff\xfe\n",
        good[:50] + b"\n",
        line(MIDNIGHT).replace(b"2026-11-23", b"2026-13-23"),
        line(MIDNIGHT).replace(b".000000Z", b"Z"),
        line(MIDNIGHT).replace(b".000000Z", b".00 000Z"),
        line(MIDNIGHT).replace(b".000000Z", b".000000+"),
        line(MIDNIGHT, time=5),
        line(MIDNIGHT, app=["x"]),
        line(MIDNIGHT, edition=None),
        line(MIDNIGHT, quota="3"),
        line(MIDNIGHT, quota=-1),
        line(MIDNIGHT, quota=True),
        line(MIDNIGHT, rule=3),
        b"{}\n",
    ]

    found, faults = times(write(tmp_path / "log", *wrong, b"\n \n", good))

    assert found == [0]
    assert faults.wrong == len(wrong)
    assert faults.lines == len(wrong) + 1
    assert faults.examples[0] == f"{tmp_path}/log:1: no JSON"
    assert len(faults.examples) == parsing.MOST_EXAMPLES


def test_calls_that_draw_on_no_budget_are_counted_apart(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        line(MIDNIGHT, app=None),
        line(MIDNIGHT, interface=None),
        line(MIDNIGHT, caller=None),
        b'{"time":"2026-11-23T00:00:00.000000Z","status":404}\n',
    )

    found, faults = times(log)

    assert found == []
    assert (faults.unbound, faults.wrong) == (4, 0)


def test_the_last_line_may_be_half_written(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", line(MIDNIGHT), line(MIDNIGHT + 1)[:-1])
    torn = write(tmp_path / "torn", line(MIDNIGHT), line(MIDNIGHT + 1)[:40])

    assert times(whole)[0] == [0, 1]
    found, faults = times(torn)
    assert found == [0]
    assert faults.examples == [f"{torn}:2: a torn line"]


def test_of_a_torn_archive_what_is_left_is_read(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 (repeatable, not secret)
    lines = [line(MIDNIGHT + k, request_id=f"{chance.random()}") for k in range(2000)]
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress(b"".join(lines))[:-2000])

    found, faults = times(log)

    assert found == list(range(len(found)))
    assert 1000 < len(found) < 2000
    assert any("cannot be read to its end" in each for each in faults.examples)


def test_a_line_without_end_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PIECE_BYTES", 1000)
    monkeypatch.setattr(logfile, "LONGEST_LINE", 5000)
    log = write(
        tmp_path / "log", line(MIDNIGHT), b"x" * 50_000 + b"\n", line(MIDNIGHT + 1)
    )

    found, faults = times(log)

    assert found == [0, 1]
    assert faults.examples == [f"{log}:2: too long for a line"]


def test_a_line_of_the_far_future_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PIECE_BYTES", 1000)
    lines = [line(MIDNIGHT + k * 1000) for k in range(200)]
    year = 365 * 86_400_000_000
    lines.insert(50, line(MIDNIGHT + year))

    found, _ = times(write(tmp_path / "log", *lines))

    assert found == [*(k * 1000 for k in range(200)), year]


def test_an_empty_file_is_no_trouble(tmp_path: Path) -> None:
    assert times(write(tmp_path / "log"))[0] == []
