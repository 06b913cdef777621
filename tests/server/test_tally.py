"""Numbers of many processes: nothing lost with one that dies, nothing that grows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.tally import Shape, Tally

ROOT = Path(__file__).parent.parent.parent
CELLS = Shape(per_column=8)

ANOTHER = """
import sys
from pathlib import Path
from server.tally import Shape, Tally
tally = Tally(Path(sys.argv[1]), ["a", "b"], Shape(per_column=8))
cells = memoryview(tally.pages).cast("q")
cells[tally.places["a"]] += int(sys.argv[2])
print(tally.places, flush=True)
sys.stdin.read()
"""

BY_GREENLETS = """
from gevent import monkey, sleep
monkey.patch_all()
sleep(0)
import sys
from pathlib import Path
from server.tally import Shape, Tally
for name in ("one", "another"):
    Tally(Path(sys.argv[1]) / name, ["a"], Shape(per_column=8))
"""


@contextmanager
def another_process(path: Path, adds: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that adds to "a", and then runs until it is killed."""
    command = [sys.executable, "-c", ANOTHER, str(path), str(adds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline()
        yield process
        process.kill()


def sum_of(tally: Tally, name: str) -> int:
    return sum(slot.cast("q")[tally.places[name]] for slot in tally.every())


def add(tally: Tally, name: str, amount: int) -> None:
    memoryview(tally.pages).cast("q")[tally.places[name]] += amount


def test_the_sum_is_over_all_processes_the_dead_too(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "t", ["a", "b"], CELLS)
    add(tally, "a", 1)

    with another_process(tmp_path / "t", 10), another_process(tmp_path / "t", 100):
        assert sum_of(tally, "a") == 111
        assert len(tally.living()) == 3

    assert sum_of(tally, "a") == 111
    assert len(tally.living()) == 1


def test_as_many_slots_as_processes_ran_at_once(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "t", ["a", "b"], CELLS)
    with another_process(tmp_path / "t", 1):
        size = (tmp_path / "t").stat().st_size

    for _ in range(5):
        with another_process(tmp_path / "t", 1):
            pass

    assert (tmp_path / "t").stat().st_size == size
    assert sum_of(tally, "a") == 6


def test_names_keep_their_places_while_others_come_and_go(tmp_path: Path) -> None:
    before = Tally(tmp_path / "t", ["a", "b"], CELLS)
    add(before, "a", 3)
    places = before.places
    before.close()

    after = Tally(tmp_path / "t", ["c", "b", "a"], CELLS)

    assert {name: after.places[name] for name in places} == places
    assert sum_of(after, "a") == 3
    assert sum_of(after, "c") == 0


def test_a_file_without_room_for_the_names_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small = Tally(tmp_path / "t", ["a"], CELLS)
    add(small, "a", 3)
    small.close()

    large = Tally(tmp_path / "t", [f"n{n}" for n in range(100)] + ["a"], CELLS)

    assert sum_of(large, "a") == 0
    assert len(set(large.places.values())) == 101
    assert "no room for the rules" in caplog.text


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"not ours" * 4096, b"WEIRtly1"[::-1] + b"\xff" * 100_000],
    ids=["empty", "short", "another's", "absurd"],
)
def test_a_file_that_is_not_ours_is_begun_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "t").write_bytes(content)

    tally = Tally(tmp_path / "t", ["a"], CELLS)
    add(tally, "a", 1)

    assert sum_of(tally, "a") == 1
    assert "begun anew" in caplog.text


def test_a_file_that_is_cut_within_a_slot_is_made_whole(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "t", ["a"], CELLS)
    add(tally, "a", 1)
    tally.close()
    os.truncate(tmp_path / "t", (tmp_path / "t").stat().st_size - 100)

    again = Tally(tmp_path / "t", ["a"], CELLS)
    add(again, "a", 1)

    assert sum_of(again, "a") in (1, 2)


def test_without_a_place_for_the_file_a_process_counts_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tally = Tally(tmp_path / "nowhere" / "t", ["a"], CELLS)
    add(tally, "a", 2)

    assert sum_of(tally, "a") == 2
    assert len(tally.living()) == 1
    assert "counts by itself" in caplog.text


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    Tally(tmp_path / "t", ["a"], CELLS)

    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_greenlet_opens_one_file_after_another(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BY_GREENLETS, str(tmp_path)]

    subprocess.run(command, cwd=ROOT, check=True, timeout=30)

    assert {path.name for path in tmp_path.iterdir()} == {"one", "another"}
