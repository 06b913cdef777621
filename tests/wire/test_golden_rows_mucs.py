"""Every failure row of groups and chat rooms has its pair, and every refusal is a row."""

from pathlib import Path

from tests.wire.golden_rows_mucs import ROWS

PLACE = Path(__file__).parent / "golden"


def refused(path: Path) -> list[str]:
    """What stands above each request of a scenario that is refused."""
    above, titles = "", []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("# "):
            above = line[2:]
        elif not line:
            above = ""
        elif line.startswith("< ") and line[2:].isdecimal() and line != "< 200":
            titles.append(above)
    return titles


def test_every_failure_row_has_its_pair_and_every_refusal_is_a_row() -> None:
    shown = [
        (title, path.stem)
        for kind in ("groups", "chatrooms")
        for path in sorted(PLACE.glob(f"{kind}-*.http"))
        for title in refused(path)
    ]

    assert sorted(shown) == sorted(ROWS.items())
