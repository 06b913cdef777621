"""The files themselves: torn, from another boot, full, growing, moved to."""

import logging
import resource
import stat
from pathlib import Path
from random import Random

import pytest

from server.limiting import ringshelf
from server.limiting.ringfile import BOOT, HEADER, OFFSET, RingFile
from server.limiting.rings import CountersFull, Rings, Want
from server.limiting.ringslot import RING

NOW = 1000 * 10**9
SECOND = 10**9
TEN = Want("users.calls/1", 10, SECOND)


def open_at(directory, now=NOW):
    return Rings(directory, clock=lambda: now)


def admitted(rings, want, calls):
    return sum(rings.take([want])[0] for _ in range(calls))


def count(directory, want, calls, now=NOW):
    rings = open_at(directory, now)
    taken = admitted(rings, want, calls)
    rings.close()
    return taken


def test_files_are_the_owners_alone(tmp_path):
    directory = tmp_path / "state" / "counters"

    count(directory, TEN, 1)

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {path.name for path in directory.iterdir()} == {"rings-64", "rings.lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {
        0o600
    }


def tear(path, how):
    size = path.stat().st_size
    whole = bytearray(path.read_bytes())
    path.write_bytes(
        {
            "empty": lambda: b"",
            "one byte": lambda: b"W",
            "shorter": lambda: whole[: size // 2],
            "longer": lambda: whole + b"\0",
            "zeroed": lambda: bytes(size),
            "garbage": lambda: Random(1).randbytes(size),  # noqa: S311 (repeatable, not secret)
            "other secret": lambda: whole[:32] + bytes([whole[32] ^ 1]) + whole[33:],
            "other geometry": lambda: whole[:24] + b"\2" + whole[25:],
            "text": lambda: b"not a file of rings\n" * 5000,
        }[how]()
    )


TEARS = ["empty", "one byte", "shorter", "longer", "zeroed", "garbage", "text"]
TEARS += ["other secret", "other geometry"]


@pytest.mark.parametrize("how", TEARS)
def test_torn_file_is_told_of_and_replaced(tmp_path, caplog, how):
    count(tmp_path, TEN, 10)
    tear(tmp_path / "rings-64", how)

    with caplog.at_level(logging.ERROR, logger="weir.counters"):
        assert count(tmp_path, TEN, 20) == 10

    (record,) = caplog.records
    assert str(tmp_path / "rings-64") in record.getMessage()
    assert "torn" in record.getMessage()
    assert (tmp_path / "rings-64.torn").exists()


@pytest.mark.parametrize("how", ["zeroed", "garbage"])
def test_file_torn_under_running_processes_is_left_by_all(tmp_path, how):
    """Whoever has the torn file open counts in the new one at once."""
    first, second = open_at(tmp_path), open_at(tmp_path)
    assert admitted(first, TEN, 5) + admitted(second, TEN, 5) == 10
    path = tmp_path / "rings-64"
    with path.open("r+b") as file:  # in place: the same file, as they have it open
        size = path.stat().st_size
        file.write(Random(1).randbytes(size) if how == "garbage" else bytes(size))  # noqa: S311 (repeatable, not secret)

    assert admitted(first, TEN, 7) + admitted(second, TEN, 7) == 10
    first.close()
    second.close()


@pytest.mark.parametrize("seed", range(20))
def test_damaged_rings_lock_for_a_window_at_most(tmp_path, seed):
    """The header is whole; words of the slots are not."""
    turn = Random(seed)  # noqa: S311 (repeatable, not secret)
    count(tmp_path, TEN, 8)
    file = RingFile.open(tmp_path / "rings-64", 64)
    (slot,) = file.used()
    places = [
        slot.at + 2,
        slot.at + 3,
        *turn.sample(range(slot.ring, slot.ring + 64), 30),
    ]
    for at in places:
        file.words[at] = turn.choice(
            [turn.getrandbits(63), -turn.getrandbits(63), 0, -1, (1 << 63) - 1]
        )
    other = slot.at + (RING + 64) * (1 if slot.at == HEADER else -1)
    for at in range(other, other + RING + 64):
        file.words[at] = turn.getrandbits(63)
    file.close()

    rings = open_at(tmp_path)
    for want in (TEN, TEN._replace(amount=64), TEN._replace(amount=600)):
        _, (state,) = rings.take([want])
        assert 0 <= state.remaining <= want.amount
        assert 0 <= state.wait_ns <= SECOND
        assert 0 <= state.reset_ns <= SECOND
    rings.close()
    assert count(tmp_path, TEN, 20, NOW + SECOND) == 10


def test_reboot_keeps_what_was_counted(tmp_path, monkeypatch):
    """The boot clock begins anew; the wall clock tells how long it was off."""
    wall = [4_950 * SECOND]
    monkeypatch.setattr(ringshelf.time, "time_ns", lambda: wall[0])
    minute = TEN._replace(window_ns=60 * SECOND)
    assert count(tmp_path, minute._replace(key="past"), 4, NOW - 50 * SECOND) == 4
    wall[0] += 50 * SECOND
    assert count(tmp_path, minute, 4, NOW) == 4

    monkeypatch.setattr(ringshelf, "boot_id", lambda: 17)
    wall[0] += 30 * SECOND

    booted = 3 * SECOND
    rings = open_at(tmp_path, booted)
    assert rings.peek([minute]) == [(6, 30 * SECOND, 0)]
    assert rings.peek([minute._replace(key="past")])[0].remaining == 10
    assert admitted(rings, minute, 20) == 6
    rings.close()
    assert count(tmp_path, minute, 20, booted + 30 * SECOND) == 4


@pytest.mark.parametrize("step", [-(10**6) * SECOND, 10**6 * SECOND])
def test_reboot_with_a_wrong_wall_clock_locks_for_a_window_at_most(
    tmp_path, monkeypatch, step
):
    wall = [5_000_000 * SECOND]
    monkeypatch.setattr(ringshelf.time, "time_ns", lambda: wall[0])
    count(tmp_path, TEN, 10)
    monkeypatch.setattr(ringshelf, "boot_id", lambda: 17)
    wall[0] += step

    rings = open_at(tmp_path, 5)

    assert rings.peek([TEN])[0].wait_ns == (SECOND if step < 0 else 0)
    rings.close()


def test_reboot_with_a_damaged_offset_locks_for_a_window_at_most(tmp_path):
    for offset in ((1 << 63) - 1, -(1 << 63)):
        count(tmp_path, TEN, 10)
        file = RingFile.open(tmp_path / "rings-64", 64)
        file.words[BOOT] ^= 1
        file.words[OFFSET] = offset
        file.close()

        rings = open_at(tmp_path)
        assert rings.peek([TEN])[0].wait_ns in (0, SECOND)
        rings.close()


def test_more_keys_than_room_forgive_none(tmp_path):
    rings = open_at(tmp_path)
    wants = [Want(f"k{i}", 2, SECOND) for i in range(5000)]

    assert [rings.take([want])[0] for want in wants * 3] == [True] * 10_000 + [
        False
    ] * 5000

    assert (tmp_path / "rings-64").stat().st_size > 5000 * 8 * 64
    rings.close()


def test_idle_keys_give_their_room_to_others(tmp_path):
    now = [NOW]
    rings = Rings(tmp_path, clock=lambda: now[0])
    for i in range(5000):
        now[0] += SECOND // 100  # some hundred are not idle
        assert rings.take([Want(f"k{i}", 1, SECOND)])[0]

    assert (tmp_path / "rings-64").stat().st_size < 3000 * 8 * 64
    rings.close()


def test_keys_of_one_call_that_fight_for_the_last_place_make_room(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ringshelf, "first_slots", lambda _: 2)
    rings = open_at(tmp_path)
    wants = [Want(f"k{i}", 1, SECOND) for i in range(7)]

    assert rings.take(wants)[0]

    assert [rings.take([want])[0] for want in wants] == [False] * 7
    rings.close()


@pytest.fixture
def no_more_disk():
    """Files of ours may not grow beyond 2 MB (a full disk, for one process)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_more_disk")
def test_full_disk_refuses_new_keys_and_keeps_the_old_exact(tmp_path):
    rings = open_at(tmp_path)
    wants = [Want(f"k{i}", 1, SECOND) for i in range(50_000)]
    kept = 0
    with pytest.raises(CountersFull):  # noqa: PT012  (which call meets it is chance)
        for want in wants:
            rings.take([want])
            kept += 1

    assert kept > 500
    assert not any(rings.take([want])[0] for want in wants[:kept])
    assert {path.name for path in tmp_path.iterdir()} == {"rings-64", "rings.lock"}
    assert issubclass(CountersFull, OSError)
    rings.close()
    assert count(tmp_path, wants[-1], 2, NOW + SECOND) == 1


@pytest.mark.usefixtures("no_more_disk")
def test_full_disk_refuses_a_first_file(tmp_path):
    rings = open_at(tmp_path)

    for _ in range(2):
        with pytest.raises(CountersFull):
            rings.take([Want("k", 1 << 20, SECOND)])
    assert admitted(rings, TEN, 11) == 10
    rings.close()


def test_directory_that_cannot_be_made_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        Rings(tmp_path / "file" / "counters")


def test_files_of_others_are_let_be(tmp_path):
    for name in ("rings-65", "rings-", "rings-x", "rings-64.bak", f"rings-{64 * 8**9}"):
        (tmp_path / name).write_text("mine")

    assert count(tmp_path, TEN, 11) == 10

    assert sum(path.read_bytes() == b"mine" for path in tmp_path.iterdir()) == 5


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_left_behind(tmp_path):
    before = descriptors()

    rings = open_at(tmp_path)
    for i in range(3000):
        rings.take([Want(f"k{i}", 1 + i % 100, SECOND)])
    assert descriptors() == before + 5  # of each of two files two, and the lock
    rings.close()

    assert descriptors() == before


def test_rings_that_nobody_closes_are_closed_with_the_next_opening(tmp_path):
    before = descriptors()

    for i in range(20):
        assert admitted(open_at(tmp_path / str(i % 2)), TEN, 1) == 1

    assert descriptors() <= before + 6
    open_at(tmp_path).close()
    assert descriptors() == before
