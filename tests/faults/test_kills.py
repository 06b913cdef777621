"""Killed at any moment: what was answered is there, once and whole."""

from pathlib import Path

from tests.faults import kills


def test_what_was_answered_survives_any_kill(tmp_path: Path) -> None:
    """The short form of ``python -m tests.faults.kills``."""
    report = kills.run(tmp_path, times=10, seed=4)

    assert report.wrong == []
    assert sum(report.kills.values()) == 10
    assert len(report.kills) == 3
    assert report.acknowledged >= 10
    assert report.unanswered > 0
