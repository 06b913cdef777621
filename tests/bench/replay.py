"""How fast a log is replayed: ``python -m tests.bench.replay [LINES]``.

Writes a log of a million calls (the same ones each time, nearly in order, as a server
writes them), runs the command on it as an operator does, and says lines a second and
the most memory it held, then the same for a tenth of the lines.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LINES, APPS, CALLS_PER_SECOND, SEED = 1_000_000, 400, 2_000, 20_261_123
BEGIN = int(datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp() * 1e6)
OPERATIONS = [
    ("messages", "POST /messages", 60),
    ("users", "GET /users/{username}", 20),
    ("users", "POST /users", 5),
    ("groups", "GET /chatgroups", 10),
    ("files", "GET /chatfiles/{uuid}", 5),
]


def lines(count: int) -> Iterator[str]:
    """*count* calls of apps of which some are much busier than others."""
    chance = random.Random(SEED)  # noqa: S311 (repeatable, not secret)
    weights = [weight for *_, weight in OPERATIONS]
    busy = [1 / (1 + n) for n in range(APPS)]
    apps = chance.choices(range(APPS), busy, k=count)
    called = chance.choices(OPERATIONS, weights, k=count)
    at = BEGIN
    pending: list[tuple[float, str]] = []
    for number, (app, (interface, operation, _)) in enumerate(
        zip(apps, called, strict=True)
    ):
        at += int(chance.expovariate(CALLS_PER_SECOND) * 1e6)
        ms = chance.expovariate(1 / 8)
        seconds, micro = divmod(at, 1_000_000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        edition = "enterprise" if app % 3 else "community"
        quota = '"quota":2,' if interface == "messages" else ""
        line = (
            f'{{"time":"{moment}.{micro:06}Z","request_id":"{number:032x}",'
            f'"app":"bench/app{app}","edition":"{edition}","interface":"{interface}",'
            f'"operation":"{operation}","caller":"app","status":200,"ms":{ms:.2f},'
            f'"limits":["{interface}.calls"],{quota}"remote":"127.0.0.1"}}\n'
        )
        pending.append((at + ms * 1000, line))  # it is written when the call ends
        if len(pending) == 1_000 or number == count - 1:
            pending.sort()
            half = len(pending) // 2 if number < count - 1 else len(pending)
            yield "".join(line for _, line in pending[:half])
            del pending[:half]


def measure(count: int, place: Path) -> str:
    """Replay *count* lines against a tighter table."""
    log, table = place / "access.log", place / "limits.md"
    with log.open("w") as file:
        file.writelines(lines(count))
    text = (ROOT / "limits.md").read_text()
    table.write_text(text.replace("limit 30 times", "limit 20 times"))
    begin = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "limits", "replay", str(log), "--table", str(table), "--rows", "3"],
        cwd=ROOT, env=os.environ | {"WEIR_STATE_DIR": str(place / "state")}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(child.returncode)
    took = time.monotonic() - begin
    return (
        f"{count:>9,} lines {log.stat().st_size / 2**20:6.0f} MiB {took:6.1f} s"
        f" {usage.ru_utime + usage.ru_stime:6.1f} s CPU {count / took:9,.0f} lines/s"
        f" {usage.ru_maxrss / 1024:6.0f} MiB at most"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    for part in (count, count // 10):
        with tempfile.TemporaryDirectory() as place:
            print(measure(part, Path(place)), flush=True)


if __name__ == "__main__":
    main()
