"""Locks of open files, over processes and their threads."""

import os
import subprocess
import sys
import time
from pathlib import Path

from server.locks import lock, try_lock, unlock

# Holds its own file in one thread and wants the other's in another.
CROSSED = """
import os, sys, threading
from server.locks import lock, unlock
own, other = (os.open(path, os.O_RDWR) for path in sys.argv[1:])
lock(own)
print("held", flush=True)
sys.stdin.readline()
wants = threading.Thread(target=lambda: (lock(other), print("got", flush=True)))
wants.start()
print("waits", flush=True)
sys.stdin.readline()
unlock(own)
wants.join()
"""


def test_threads_that_wait_crosswise_are_no_deadlock(tmp_path: Path) -> None:
    """The kernel takes them for one where locks are the process's."""
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        path.touch()
    both = [
        subprocess.Popen(
            [sys.executable, "-c", CROSSED, *map(str, order)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=os.environ | {"PYTHONPATH": "."},
        )
        for order in (paths, paths[::-1])
    ]  # fmt: skip

    def step(expected: str) -> None:
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == expected

    def go_on() -> None:
        for process in both:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()

    step("held")
    go_on()
    step("waits")
    ends = time.monotonic() + 20
    while sum(map(waiters, paths)) < 2:
        assert time.monotonic() < ends, "one of them does not wait"
    go_on()
    step("got")

    for process in both:
        _, said = process.communicate(timeout=10)
        assert (process.returncode, said) == (0, "")


def waiters(path: Path) -> int:
    """How many wait for a lock of the file, as the kernel tells."""
    number = f":{path.stat().st_ino} "
    locks = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and number in line for line in locks)


def test_a_range_is_locked_by_one_open_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    ours, theirs = (os.open(path, os.O_RDWR) for _ in range(2))

    lock(ours, 5, 1)

    assert not try_lock(theirs, 5, 1)
    assert not try_lock(theirs)
    assert try_lock(theirs, 6, 1)
    unlock(ours, 5, 1)
    assert try_lock(theirs, 5, 1)
    os.close(ours)
    os.close(theirs)
