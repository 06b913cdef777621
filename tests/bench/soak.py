"""A server under steady load for long: ``python -m tests.bench.soak --minutes 30``.

gunicorn with four workers, SQLite and files, in a state dir of its own. First the mix of
calls is made as fast as it goes, for its capacity; then at a share of that, at moments
of chance. What the server is like is read each second. Ends with 1 when a claim of
``soak_verdict.py`` does not hold.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from server.settings import Settings
from server.store import database
from tests.bench import soak_mix_files, soak_mix_places, soak_plot, soak_samples  # noqa: F401
from tests.bench.soak_book import Seen
from tests.bench.soak_load import Load
from tests.bench.soak_mix import KINDS, Mix, call, share_of
from tests.bench.soak_rates import Rates
from tests.bench.soak_streams import Device
from tests.bench.soak_verdict import Claim, Times, claims
from tests.bench.soak_world import PEOPLE, Plan, Tenant, populate, remember
from tests.server.gunicorn import Gunicorn, environment, serving

APPS, CONNECTIONS = 120, 48
DEVICES = 6
"""With what lingers of the streams before, fewer than one process may hold."""
WORKERS = 4
WARM_SECONDS, CAPACITY_SECONDS = 8, 20
SETUP_SECONDS = 150
"""About how long all that takes before the load begins."""
BURST_EVERY, BURST = 20, 14
"""Now and then an app calls more often than it may."""


class Soak:
    """One server, its load, and what was seen."""

    def __init__(self, server: Gunicorn, tenants: list[Tenant], plan: Plan) -> None:
        self.server, self.tenants, self.plan = server, tenants, plan
        self.seen = Seen(Rates({each.path: each.edition for each in tenants}))
        self.load = Load(server.port, CONNECTIONS, self.seen)
        self.mix = Mix(tenants, plan)
        self.devices: list[Device] = []
        self._burst_at = time.monotonic() + BURST_EVERY
        self._sweep_at = time.monotonic()
        self._sweeps: list[subprocess.Popen[bytes]] = []

    def settle(self, tree: Path) -> None:
        """Groups and rooms for the apps, and streams for some."""
        self._tree = tree
        for tenant in self.tenants:
            for field, path, key, held in (
                ("groupname", "/chatgroups", "groupid", tenant.groups),
                ("name", "/chatrooms", "id", tenant.rooms),
            ):
                body = {field: "lounge", "desc": "d", "description": "d", "public": True,
                        "owner": PEOPLE[0], "members": soak_mix_places.MEMBERS}  # fmt: skip
                for _ in range(2):
                    status, _, told = self.server.call(
                        "POST", tenant.path + path, body, tenant.token
                    )
                    assert status == 200, told
                    held.append(told["data"][key])  # type: ignore[index]
        for tenant in self.tenants[:DEVICES]:
            self.devices.append(
                Device(self.server.port, tenant, self.load, self.seen, self.mix)
            )

    def capacity(self, told: Callable[[float], None]) -> float:
        """Calls a second, each connection as fast as it is answered."""
        self.load.flat_out(self.mix, WARM_SECONDS, lambda: told(0))
        self.load.drain()
        self.seen.anew()
        began = time.monotonic()
        self.load.flat_out(
            self.mix, CAPACITY_SECONDS, lambda: told(time.monotonic() - began)
        )
        calls, took = self.seen.calls, time.monotonic() - began
        self.load.drain()
        return calls / took

    def export_hours(self) -> None:
        """Files of the hour that is over soon."""
        for tenant in self.tenants:
            path = f"/chatmessages/{self.plan.hour(1)}"
            self.mix.exported[tenant.path] = time.monotonic()
            self.load.add(call(tenant, "history", "GET", path, name="export"))
        self.load.drain()

    def tick(self) -> None:
        now = time.monotonic()
        for device in self.devices:
            device.tick(now)
        if now >= self._burst_at:
            self._burst_at = now + BURST_EVERY
            tenant = self.mix.chance.choice(self.tenants[::2])
            for _ in range(BURST):
                self.load.add(
                    call(tenant, "groups", "GET", "/chatgroups?limit=20", name="burst")
                )
        if self.plan.kept_seconds < 300 and now >= self._sweep_at:
            self._sweep_at = now + self.plan.kept_seconds
            self._sweep()

    def _sweep(self) -> None:
        """As an operator's cron may: the server itself sweeps every five minutes."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "retention", "sweep"]
        where = environment(self.server.state_dir, 0, bind="127.0.0.1:1")
        self._sweeps.append(
            subprocess.Popen(
                command, cwd=self._tree, env=where, stdout=subprocess.DEVNULL
            )
        )

    def end(self) -> int:
        """Close everything; how many messages did not come over a stream."""
        self.load.drain()
        self.load.listen(2)
        missing = sum(device.missing for device in self.devices)
        for device in self.devices:
            device.close()
        self.load.close()
        for each in self._sweeps:
            each.wait(60)
        return missing


def soak(
    options: argparse.Namespace, console: Console, progress: Progress, place: Path
) -> bool:
    seconds = options.minutes * 60
    state_dir = place / "state"
    setting_up = progress.add_task("making apps", total=None)
    tenants = populate(Settings(state_dir=state_dir, synchronous="NORMAL"), APPS)
    plan = Plan.of(seconds, SETUP_SECONDS)
    times = Times.of(seconds, plan)
    tree = plan.tree(place)
    tell_terms(console, options, plan)
    with serving(
        state_dir, tree=tree, workers=str(WORKERS), time_zone=plan.zone,
        access_log=str(place / "access.log"),
    ) as server:  # fmt: skip
        it = Soak(server, tenants, plan)
        it.settle(tree)
        progress.update(setting_up, description="capacity", total=CAPACITY_SECONDS)
        capacity = it.capacity(lambda done: progress.update(setting_up, completed=done))
        rate = capacity * options.share
        console.print(
            f"capacity {capacity:,.0f} calls/s ({CONNECTIONS} connections,"
            f" {CAPACITY_SECONDS} s); the load is {options.share:.0%} of it, {rate:,.0f} calls/s"
        )
        progress.update(setting_up, description="hours before", total=1)
        database.connect(Settings(state_dir=state_dir))
        made = remember(
            tenants,
            plan,
            rate * share_of("messages"),
            lambda done: progress.update(setting_up, completed=done),
        )
        console.print(f"{made:,} messages of the hours before, as dense as the load's")
        it.export_hours()
        progress.remove_task(setting_up)
        with soak_samples.sampling(server.process.pid, state_dir, place / "samples"):
            it.seen.anew()
            started = time.monotonic()
            loading = progress.add_task("soak", total=seconds)

            def tick() -> None:
                it.tick()
                progress.update(loading, completed=time.monotonic() - started)

            it.load.at_rate(it.mix, rate, seconds, tick)
        missing = it.end()
        samples = soak_samples.read(place / "samples")
        found = claims(
            it.seen, samples, plan, times, missing, it.load.refused_to_send, started
        )
        log = server.log
    report(options, console, it, samples, started, times, log)
    return tell_verdict(console, found)


def tell_terms(console: Console, options: argparse.Namespace, plan: Plan) -> None:
    console.print(
        f"{options.minutes:g} minutes, {WORKERS} workers, {len(os.sched_getaffinity(0))} cores,"
        f" {APPS} apps on both editions, {len(KINDS)} kinds of calls, {DEVICES} streams; {plan}"
    )


def report(
    options: argparse.Namespace,
    console: Console,
    it: Soak,
    samples: list[dict],
    started: float,
    times: Times,
    log: str,
) -> None:
    found = soak_plot.rows(it.seen, samples, started)
    options.out.mkdir(parents=True, exist_ok=True)
    soak_plot.write_csv(options.out / "soak.csv", found)
    title = f"Weir, {options.minutes:g} minutes at {options.share:.0%} of capacity"
    soak_plot.write_plot(options.out / "soak.png", found, title)
    soak_plot.show_table(console, it.seen, found, times)
    kinds = Table(title="Calls by kind")
    for heading in ("kind", "calls") * 4:
        kinds.add_column(heading)
    cells = [
        cell
        for name, count in sorted(it.seen.kinds.items())
        for cell in (name, f"{count:,}")
    ]
    for n in range(0, len(cells), 8):
        kinds.add_row(*cells[n : n + 8])
    console.print(kinds)
    console.print(
        f"answers by status: {dict(sorted(it.seen.statuses.items()))}; streams opened {sum(each.opened for each in it.devices)} times"
    )
    for line in log.splitlines():
        if any(
            word in line
            for word in ("ERROR", "CRITICAL", "Traceback", '"level":"error"')
        ):
            console.print(f"server's log: {line[:500]}", markup=False)
    for example in it.seen.examples:
        console.print(f"not as it should be: {example}", markup=False)
    console.print(f"written: {options.out / 'soak.csv'}, {options.out / 'soak.png'}")


def tell_verdict(console: Console, found: list[Claim]) -> bool:
    table = Table(title="Verdict")
    for heading in ("", "claim", "figures"):
        table.add_column(heading)
    for each in found:
        table.add_row("holds" if each.holds else "FAILS", each.what, each.figures)
    console.print(table)
    failed = [each.what for each in found if not each.holds]
    console.print(
        f"{len(found) - len(failed)} of {len(found)} claims hold"
        + "".join(f"\n  not: {what}" for what in failed)
    )
    return not failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.7, help="Of the capacity.")
    parser.add_argument(
        "--out", type=Path, default=Path("soak"), help="Where CSV and plot go."
    )
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as place,
        Progress(console=Console(stderr=True)) as progress,
    ):
        good = soak(options, console, progress, Path(place))
    sys.exit(not good)


if __name__ == "__main__":
    main()
