"""How the server of a soak is, each second: read by a process beside the load."""

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
EVERY_SECONDS = 1.0
ROWS_EVERY = 15
"""Samples from one look into the database to the next."""
PAGE_KB = os.sysconf("SC_PAGESIZE") // 1024
WORK = 200_000
"""Turns of a loop: the same piece of work each second, some two milliseconds, which
tells the speed of the machine apart from the server's."""
OLDEST = {
    "waiting": "SELECT min(message_id) >> 20 FROM waiting",
    "event": "SELECT min(id) >> 20 FROM event",
    "message": "SELECT min(id) >> 20 FROM message",
    "file": "SELECT min(created) FROM file",
}
"""When the oldest of each was made, Unix ms."""


@contextmanager
def sampling(master: int, state_dir: Path, to: Path) -> Iterator[None]:
    """Write a line of JSON a second until the block ends."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.soak_samples",
        str(master),
        str(state_dir),
    ]
    with to.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out)
    try:
        while not to.stat().st_size:  # one that has just started would miss the begin
            if process.poll() is not None:
                sys.exit("the samples cannot be read")
            time.sleep(0.05)
        yield
        if process.poll() is not None:
            sys.exit("the samples could not be read to the end")
    finally:
        process.kill()
        process.wait()


def run(master: int, state_dir: Path) -> None:
    due = time.monotonic()
    for turn in itertools.count():
        told = sample(master, state_dir)
        if turn % ROWS_EVERY == 0:
            told["rows"] = rows(state_dir / "weir.db")
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        due += EVERY_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))


def read(path: Path) -> list[dict]:
    whole = path.read_text().rpartition("\n")[0]  # the last line may be half written
    return [json.loads(line) for line in whole.splitlines()]


def sample(master: int, state_dir: Path) -> dict:
    uploads, history = _files(state_dir / "files")
    return {
        "at": time.monotonic(),
        "unix": time.time(),
        "work_ms": work(),
        "stolen_s": stolen(),
        "processes": {name: process(pid) for name, pid in family(master)},
        "db": size(state_dir / "weir.db"),
        "wal": size(state_dir / "weir.db-wal"),
        "counters": sum(size(each) for each in (state_dir / "counters").rglob("*")),
        "uploads": uploads,
        "history": history,
    }


def work() -> float:
    """How many ms of a core a fixed piece of work takes now."""
    began = time.thread_time()
    for _ in range(WORK):
        pass
    return (time.thread_time() - began) * 1000


def stolen() -> float:
    """Seconds that the machine's host has given others since it started, of all cores."""
    of_all = Path("/proc/stat").read_text().partition("\n")[0].split()
    return int(of_all[8]) / os.sysconf("SC_CLK_TCK")


def family(master: int) -> list[tuple[str, int]]:
    """The master, its workers, and what they have started, each with a name."""
    found = [("master", master)]
    for worker in sorted(children(master)):
        found.append((f"worker {worker}", worker))
        found += [(f"images {each}", each) for each in children(worker)]
    return found


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [
            int(n) for task in tasks for n in (task / "children").read_text().split()
        ]
    except OSError:  # it has just ended
        return []


def process(pid: int) -> list[int]:
    """Resident memory in kB, open descriptors, how many of those are sockets; threads."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        found = [_what(each) for each in Path(f"/proc/{pid}/fd").iterdir()]
        threads = sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return [0, 0, 0, 0]
    sockets = sum(what.startswith("socket:") for what in found)
    return [pages * PAGE_KB, len(found), sockets, threads]


def _what(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed since it was listed
        return ""


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _files(folder: Path) -> tuple[list[float], list[float]]:
    """Of uploads and of history files: how many, their bytes, the oldest.

    The oldest by when it was written, of history by when its hour ended; Unix time.
    """
    now = time.time()
    uploads, history = [0, 0, now], [0, 0, now]
    for place, _, names in os.walk(folder):
        of_history = "/history" in place
        told = history if of_history else uploads
        for name in names:
            try:
                found = Path(place, name).stat()
            except OSError:
                continue
            told[0] += 1
            told[1] += found.st_size
            made = found.st_mtime
            if of_history:
                made = int(name.removesuffix(".gz").partition("-")[2]) / 1000
            told[2] = min(told[2], made)
    return uploads, history


def rows(path: Path) -> dict[str, list[float]]:
    """How many of each are kept, and how old the oldest is, in seconds."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        found = {}
        for table, oldest in OLDEST.items():
            (made,) = connection.execute(oldest).fetchone()
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 (our own names)
            found[table] = [count, time.time() - made / 1000 if made else 0]
    connection.close()
    return found


if __name__ == "__main__":
    run(int(sys.argv[1]), Path(sys.argv[2]))
