"""The short form of ``python -m tests.faults``: each fault a few times, under load."""

from pathlib import Path

import pytest

from tests.faults.__main__ import FAULTS, play

SECONDS = {"hup": 20.0, "clock": 8.0}


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_acknowledged_is_kept_and_it_recovers(
    tmp_path: Path, name: str
) -> None:
    report = play(name, tmp_path, SECONDS.get(name, 0.0), seed=4)

    assert report.wrong == []
    assert report.bugs == 0
    assert report.acknowledged >= 12
    assert sum(report.done.values()) >= 2
