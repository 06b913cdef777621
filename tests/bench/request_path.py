"""What each step of a send costs: ``python -m tests.bench.request_path``.

Every stage runs under the same gunicorn configuration at the same time, and is loaded
in turn, round by round, so that a change of the machine's mood meets all of them. CPU
is what the workers used, by the kernel's account; the load generator is not in it.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from server.app import create_app
from server.settings import Settings
from server.store import apps, database, tokens
from tests.bench import load

ROOT = Path(__file__).parent.parent.parent
STAGES = ("bare", "auth", "limit", "validation", "send NORMAL", "send FULL")
APPS = 1_000  # enough that no app meets its rate, with the figures as they are
ROUNDS, SECONDS, CONNECTIONS = 5, 3.0, 8
BODY = (
    b'{"target_type":"users","target":["ada"],"from":"linus",'
    b'"msg":{"type":"txt","msg":"lunch at noon?"},"ext":{"mood":"hungry"}}'
)
TICKS = os.sysconf("SC_CLK_TCK")


def populate(settings: Settings) -> list[bytes]:
    """A thousand apps on the first edition; a send as each of them."""
    create_app(settings)
    requests = []
    with database.writing_apps():
        for n in range(APPS):
            apps._insert("bench", f"app{n}", "community")
    for app in apps.every():
        token = tokens.issue(app.id, None, None, app.token_key)
        path = f"/{app.org}/{app.name}/messages"
        requests.append(load.request("POST", path, token, BODY))
    database.disconnect()
    return requests


@contextmanager
def serving(stage: str, state_dir: Path) -> Iterator[tuple[int, int]]:
    """A gunicorn of the stage: its port and the pid of its master."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kind, _, synchronous = stage.partition(" ")
    environ = os.environ | {
        "WEIR_STATE_DIR": str(state_dir),
        "WEIR_BIND": f"127.0.0.1:{port}",
        "WEIR_SYNCHRONOUS": synchronous or "NORMAL",
        "BENCH_STAGE": kind,
        "WEIR_LOG_LEVEL": "warning",
    }
    # Of its own, since the stages share a state dir.
    pid_file = str(state_dir / f"{port}.pid")
    command = [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py"]
    command += ["--pid", pid_file, "tests.bench.stages:app"]
    server = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        wait_for(port)
        yield port, server.pid
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            time.sleep(1.5)  # the workers import the application
            return
    raise TimeoutError(f"nothing answers on port {port}")


def cpu_seconds(master: int) -> float:
    """What the workers of a gunicorn have used so far."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    used = 0
    for pid in children:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def main() -> None:
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        settings = Settings(state_dir=Path(place))
        requests = populate(settings)
        servers = {
            stage: stack.enter_context(serving(stage, Path(place))) for stage in STAGES
        }
        cpu: dict[str, list[float]] = {stage: [] for stage in STAGES}
        rate: dict[str, list[float]] = {stage: [] for stage in STAGES}
        p99: dict[str, list[float]] = {stage: [] for stage in STAGES}
        sent = 0
        for round_ in range(ROUNDS + 1):  # the first one warms up
            for stage, (port, master) in servers.items():
                before = cpu_seconds(master)
                shift = sent
                result = load.run(
                    port, CONNECTIONS, SECONDS if round_ else 1.0,
                    lambda n, shift=shift: requests[(shift + n) % APPS],
                )  # fmt: skip
                sent += result.calls
                used = cpu_seconds(master) - before
                if set(result.statuses) != {200}:
                    sys.exit(f"{stage}: answers were {result.statuses}")
                if round_:
                    cpu[stage].append(used / result.calls * 1e6)
                    rate[stage].append(result.per_second)
                    p99[stage].append(result.percentile(0.99) / 1000)
                print(f"\rround {round_}/{ROUNDS} {stage:<12}", end="", file=sys.stderr)
    print(file=sys.stderr)
    report(cpu, rate, p99)


def report(
    cpu: dict[str, list[float]],
    rate: dict[str, list[float]],
    p99: dict[str, list[float]],
) -> None:
    middle = statistics.median
    print(
        f"{'stage':<12} {'CPU µs':>8} {'step µs':>8} {'calls/s':>8} {'of bare':>8} {'p99 ms':>7}"
    )
    previous = None
    for stage in STAGES:
        used = middle(cpu[stage])
        step = "" if previous is None else f"{used - previous:.0f}"
        of_bare = middle(a / b for a, b in zip(rate[stage], rate["bare"], strict=True))
        print(
            f"{stage:<12} {used:8.0f} {step:>8} {middle(rate[stage]):8.0f}"
            f" {of_bare:8.2f} {middle(p99[stage]):7.1f}"
        )
        if stage != "send NORMAL":
            previous = used
    print(f"{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:.0f} s, medians;"
          f" {os.cpu_count()} cores, the load generator on one of them")  # fmt: skip


if __name__ == "__main__":
    main()
