"""Whether a soak was good: each claim with the figures it rests on."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.settings import Settings
from tests.bench.soak_book import Seen
from tests.bench.soak_world import FOLDERS_SECONDS, Plan

P99_FACTOR = 1.2
MEMORY_SHARE, MEMORY_MB = 0.05, 4
"""How much a process may grow from warm-up to end by the fitted line; the larger."""
DESCRIPTORS_SHARE, DESCRIPTORS = 0.05, 4
FILES_A_THREAD = 2
"""A connection to SQLite: the database and its log."""
THREADS = Settings(state_dir=Path()).threads + 8
"""Those that answer, and the worker's own: to sweep, to read for streams, and such."""
DISK_SHARE, DISK_MB = 0.05, 8
FILES_SHARE, FILES = 0.10, 20
"""Uploads come by chance."""
MB = 1e6
SLACK_SECONDS = 45
"""What a sweep, or its turn, may take."""


@dataclass(frozen=True)
class Claim:
    """One thing that has to be so."""

    what: str
    holds: bool
    figures: str


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def latencies(seen: Seen, begin: float, end: float) -> array:
    found = array("f")
    for second in range(int(begin), int(end)):
        if second in seen.seconds:
            found.extend(seen.seconds[second].latencies_ms)
    return found


def growth(points: Sequence[tuple[float, float]]) -> float:
    """By how much the fitted line (least squares) rises from the first to the last."""
    if len(points) < 2:
        return 0.0
    mean_t = sum(t for t, _ in points) / len(points)
    mean_v = sum(v for _, v in points) / len(points)
    spread = sum((t - mean_t) ** 2 for t, _ in points)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in points) / spread
    return slope * (points[-1][0] - points[0][0])


def flat(
    what: str,
    points: Sequence[tuple[float, float]],
    share: float,
    least: float,
    unit: str,
) -> Claim:
    """Whether the fitted growth is within the tolerance."""
    mean = sum(v for _, v in points) / max(1, len(points))
    rises, allowed = growth(points), max(least, share * mean)
    told = f"{rises:+.1f} {unit} fitted over the time after warm-up, at most {allowed:.1f}; mean {mean:.1f}"
    return Claim(f"flat: {what}", bool(points) and rises <= allowed, told)


@dataclass(frozen=True)
class Times:
    """In seconds from the load's begin."""

    total: float
    warm: float
    """Left out at the beginning, which has less to keep and to sweep than what follows;
    answers are looked at from the first."""
    window: float
    """As long as what is compared at either end of the rest."""
    sweeps: float
    """From one sweep to the next."""

    @classmethod
    def of(cls, seconds: float, plan: Plan) -> "Times":
        """For so many seconds after the warm-up."""
        return cls(
            plan.warm_seconds + seconds, plan.warm_seconds, seconds / 6, plan.sweep_seconds
        )  # fmt: skip


def claims(
    seen: Seen,
    samples: list[dict],
    plan: Plan,
    times: Times,
    missing: int,
    unsent: int,
    started: int,
) -> list[Claim]:
    """All of them; *started* when the load began, in the samples' own time."""
    late = [each for each in samples if each["at"] - started >= times.warm]
    return [
        *_answers(seen, missing, unsent),
        _speed(seen, times),
        *_processes(late),
        *_kept(late, plan, times),
        *_disk(late, times),
    ]


def _answers(seen: Seen, missing: int, unsent: int) -> list[Claim]:
    refused = seen.statuses[429]
    return [
        Claim("no 5xx", seen.fails == 0, f"{seen.fails} of {seen.calls} answers"),
        Claim("every call is answered", seen.lost + unsent == 0, f"{seen.lost} were not, {unsent} not even sent"),
        Claim(
            "every answer is the right one, each 429 was due, no rate was passed",
            seen.wrong == 0, f"{seen.wrong} were not; {refused} refusals",
        ),
        Claim("most calls are admitted", refused < seen.calls * 0.05, f"{refused / max(1, seen.calls):.2%} refused"),
        Claim("every message came over its stream", missing == 0, f"{missing} did not"),
    ]  # fmt: skip


def _speed(seen: Seen, times: Times) -> Claim:
    first = latencies(seen, times.warm, times.warm + times.window)
    last = latencies(seen, times.total - times.window, times.total)
    before, after = percentile(first, 0.99), percentile(last, 0.99)
    told = f"{before:.1f} ms in the first {times.window:.0f} s after warm-up, {after:.1f} ms in the last: {after / max(before, 1e-9):.2f} x"
    return Claim(
        f"p99 stays within {P99_FACTOR} x",
        bool(first and last) and after <= P99_FACTOR * before,
        told,
    )


def _processes(warm: list[dict]) -> list[Claim]:
    names = {name for each in warm for name in each["processes"]}
    lasting = sorted(n for n in names if all(n in each["processes"] for each in warm))
    gone = sorted(
        name for name in names if name.startswith("worker") and name not in lasting
    )
    found = [
        Claim(
            "the same workers from begin to end",
            not gone,
            ", ".join(gone) or ", ".join(lasting),
        )
    ]
    for name in lasting:
        points = [(each["at"], each["processes"][name][0] / 1024) for each in warm]
        found.append(flat(f"memory of {name}", points, MEMORY_SHARE, MEMORY_MB, "MB"))
    # A worker makes a thread when all it has are busy, up to so many: one with few
    # callers, who choose when to connect anew and whom they reach, makes some late. So
    # what threads and callers hold is left out here, and looked at by itself.
    for name in lasting:
        beside = [(each["at"], _of_its_own(each["processes"][name])) for each in warm]
        found.append(_open(f"own descriptors of {name}", beside))
        most = max((each["processes"][name][3] for each in warm), default=0)
        told = f"at most {most:.0f}, of {THREADS} allowed"
        found.append(Claim(f"threads of {name}", most <= THREADS, told))
    workers = [name for name in lasting if name.startswith("worker")]
    sockets = [
        (each["at"], sum(each["processes"][name][2] for name in workers))
        for each in warm
    ]
    return [*found, _open("sockets of all workers", sockets)]


def _of_its_own(process: Sequence[int]) -> int:
    """Descriptors beside sockets and the threads' connections to the database."""
    _, descriptors, sockets, threads = process
    return descriptors - sockets - FILES_A_THREAD * threads


def _open(what: str, points: Sequence[tuple[float, float]]) -> Claim:
    return flat(what, points, DESCRIPTORS_SHARE, DESCRIPTORS, "open")


def _kept(late: list[dict], plan: Plan, times: Times) -> list[Claim]:
    """Nothing is older than the table and one turn of the sweep allow."""
    slack = times.sweeps + SLACK_SECONDS
    allowed = {
        "waiting": plan.kept_seconds, "event": plan.kept_seconds, "file": plan.kept_seconds,
        "message": plan.message_seconds,
    }  # fmt: skip
    words = {
        "waiting": "offline queues",
        "event": "events",
        "file": "rows of uploads",
        "message": "messages",
    }
    rows = [each["rows"] for each in late if "rows" in each]
    found = []
    for table, seconds in allowed.items():
        oldest = max((each[table][1] for each in rows), default=-1.0)
        most = max((each[table][0] for each in rows), default=0)
        told = f"the oldest was {oldest:.0f} s old, at most {seconds} s and {slack:.0f} s until it is swept; at most {most:,.0f}"
        found.append(
            Claim(
                f"{words[table]} within their retention",
                most > 0 and 0 <= oldest <= seconds + slack,
                told,
            )
        )
    for name, seconds, late_by in (
        ("uploads", plan.kept_seconds, slack),
        ("history", plan.history_minutes * 60, FOLDERS_SECONDS + SLACK_SECONDS),
    ):
        oldest = max((each["unix"] - each[name][2] for each in late), default=-1.0)
        most = max((each[name][0] for each in late), default=0)
        told = f"the oldest was {oldest:.0f} s old, at most {seconds} s and {late_by:.0f} s; at most {most:,.0f} files"
        found.append(
            Claim(
                f"files of {name} within their retention",
                most > 0 and 0 <= oldest <= seconds + late_by,
                told,
            )
        )
    return found


def _disk(late: list[dict], times: Times) -> list[Claim]:
    """Of what goes all at once in a sweep, only the most between two sweeps is told."""
    read: dict[str, Callable[[dict], float]] = {
        "database": lambda each: each["db"] / MB,
        "write-ahead log": lambda each: each["wal"] / MB,
        "counters": lambda each: each["counters"] / MB,
    }
    found = [
        flat(name, [(each["at"], of(each)) for each in late], DISK_SHARE, DISK_MB, "MB")
        for name, of in read.items()
    ]
    uploads = peaks([(each["at"], each["uploads"][0]) for each in late], times.sweeps)
    return [*found, flat("files of uploads", uploads, FILES_SHARE, FILES, "files")]


def peaks(
    points: Sequence[tuple[float, float]], seconds: float
) -> list[tuple[float, float]]:
    """The most in each whole stretch of so many seconds."""
    found: dict[int, float] = {}
    for t, value in points:
        n = int((t - points[0][0]) / seconds)
        found[n] = max(found.get(n, 0), value)
    whole = int((points[-1][0] - points[0][0] + 1.5) / seconds) if points else 0
    return [(n * seconds, value) for n, value in sorted(found.items()) if n < whole]
