"""Killed at every single store: what was begun is finished or was never there.

A child process does one thing with a mapping that kills it (SIGKILL) in place of
its n-th store, for every n there is; the parent then counts what is left.
"""

import itertools
import os
import signal
from functools import partial

import pytest

from server.limiting import ringfile
from server.limiting.rings import Rings, Want

# Newer Pythons warn of a fork where there are threads, which is what is tried here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

NOW = 1000 * 10**9
SECOND = 10**9
K5, K64, K600 = (Want("k", amount, SECOND) for amount in (5, 64, 600))


class Deadly:
    """Words in a mapping, until the n-th store."""

    left = 1 << 60

    def __init__(self, words):
        self.words = words

    def __getitem__(self, at):
        return self.words[at]

    def __setitem__(self, at, value):
        Deadly.left -= 1
        if Deadly.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.words[at] = value

    def __len__(self):
        return len(self.words)

    def release(self):
        self.words.release()


def killed_at_store(number, directory, act):
    """Whether a child that does *act* came to a store of that number."""
    child = os.fork()
    if not child:
        plain = ringfile.RingFile.__init__

        def deadly(self, *args):
            plain(self, *args)
            self.words = Deadly(self.words)

        try:
            ringfile.RingFile.__init__ = deadly
            Deadly.left = number
            act(Rings(directory, clock=lambda: NOW))
            os._exit(0)
        except BaseException:
            os._exit(99)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def left(rings, want):
    """How many are admitted; then, a window later, that all of them are."""
    return sum(rings.take([want])[0] for _ in range(want.amount + 1))


def prepare(directory, counted, extra_keys=0):
    rings = Rings(directory, clock=lambda: NOW - 10)
    for _ in range(counted):
        assert rings.take([K5])[0]
    for i in range(extra_keys):
        rings.take([Want(f"x{i}", 1, SECOND)])
    rings.close()


def prepare_full(directory, counted, at=NOW):
    """The ring is full: of calls past, and of as many as *counted* at this instant."""
    for now, calls in ((NOW - 2 * SECOND, 64), (at, counted)):
        rings = Rings(directory, clock=lambda now=now: now)
        for _ in range(calls):
            assert rings.take([K64])[0]
        rings.close()


def take(want, cost, rings):
    rings.take([want], cost)


def take_two(rings):
    rings.take([Want("other", 600, SECOND), K5])


def grow(rings):
    """Just so many new keys that the file doubles, once."""
    for i in range(5):
        rings.take([Want(f"y{i}", 1, SECOND)])


@pytest.mark.parametrize(
    ("act", "counted", "want", "cost"),
    [
        (partial(take, K5, 1), 0, K5, 1),  # the file, the slot and the call are new
        (partial(take, K5, 1), 3, K5, 1),
        (partial(take, K5, 3), 2, K5, 3),
        (partial(take, K64, 1), 0, K64, 1),
        (partial(take, K64, 3), 10, K64, 3),
        (take_two, 3, K5, 1),
        (partial(take, K600, 1), 3, K600, 1),  # the ring moves to another file
        (grow, 3, K5, 0),
    ],
    ids=[
        "first call",
        "later call",
        "cost 3",
        "full ring",
        "full ring, cost 3",
        "two keys",
        "move",
        "growth",
    ],
)
def test_kill_at_any_store(tmp_path, monkeypatch, act, counted, want, cost):
    monkeypatch.setattr("server.limiting.ringshelf.first_slots", lambda _: 16)
    for number in itertools.count():
        directory = tmp_path / str(number)
        if want is K64:
            prepare_full(directory, counted)
        else:
            prepare(directory, counted, extra_keys=12)

        killed = killed_at_store(number, directory, act)

        rings = Rings(directory, clock=lambda: NOW)
        remaining = left(rings, want)
        rings.close()
        # Nothing counted is forgiven, and nothing more than the call is lost.
        assert want.amount - counted - cost <= remaining <= want.amount - counted
        later = Rings(directory, clock=lambda: NOW + SECOND)
        assert left(later, want) == want.amount
        later.close()
        if not killed:
            assert remaining == want.amount - counted - cost
            break
    assert number >= 2


def test_other_processes_go_on_with_a_file_whose_rebuilder_was_killed(
    tmp_path, monkeypatch
):
    """They have the old file open, in which nobody may count any more."""
    monkeypatch.setattr("server.limiting.ringshelf.first_slots", lambda _: 16)
    for number in itertools.count():
        directory = tmp_path / str(number)
        prepare(directory, 3, extra_keys=12)
        others = [Rings(directory, clock=lambda: NOW) for _ in range(2)]
        assert all(rings.peek([K5])[0].remaining == 2 for rings in others)

        killed = killed_at_store(number, directory, grow)

        everyone = [Rings(directory, clock=lambda: NOW), *others]
        taken = [rings.take([K5])[0] for rings in everyone * 2]
        assert taken == [True] * 2 + [False] * 4
        for rings in everyone:
            rings.close()
        if not killed:
            break


@pytest.mark.parametrize("at", [NOW, NOW - 10])
@pytest.mark.parametrize("cost", [1, 3])
def test_ring_of_a_killed_call_moves_with_what_was_counted(tmp_path, cost, at):
    for number in itertools.count():
        directory = tmp_path / str(number)
        prepare_full(directory, 10, at)

        killed = killed_at_store(number, directory, partial(take, K64, cost))

        rings = Rings(directory, clock=lambda: NOW)
        assert 600 - 10 - cost <= rings.peek([K600])[0].remaining <= 600 - 10
        rings.close()
        if not killed:
            break
