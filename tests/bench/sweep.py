"""What callers wait while the sweep removes: ``python -m tests.bench.sweep``.

The soak's mix at one rate on four workers, each time beside a sweep of the same many
rows: as it is, and on copies whose batches are larger or that do not rest.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from server.settings import Settings
from server.store import database
from server.store.messages import first_id
from tests.bench import soak_report
from tests.bench.soak_book import Seen
from tests.bench.soak_run import Soak
from tests.bench.soak_verdict import latencies, percentile
from tests.bench.soak_world import (
    BATCH,
    MESSAGE,
    PEOPLE,
    Plan,
    Tenant,
    populate,
    remember,
)
from tests.server.gunicorn import Gunicorn, serving
from tests.trees import edit

APPS, WORKERS = 120, 4
LONG_AGO_SECONDS = 30 * 86_400
CALM, FIRST, AFTER = 10, 70, 60
"""Seconds of the load that are warm-up, when the sweep begins after the start of the
server, and what is looked at from then on."""
STREAMS_END = 32
"""Seconds until the server knows that streams are over: two heartbeats."""
EDITS = {
    "as it is": {},
    "no rests": {"_RESTS = 1": "_RESTS = 0"},
    "no rests, 2,000 rows": {"_RESTS = 1": "_RESTS = 0", "_BATCH = 200": "_BATCH = 2_000"},
    "no sweep": {"seconds=20": "seconds=2_000"},
}  # fmt: skip
REMOVED = re.compile(r"retention: removed")


def grown_old(tenants: list[Tenant], rows: int) -> None:
    """So many messages, entries of queues, and events, all due to be swept."""
    at = int((time.time() - LONG_AGO_SECONDS) * 1000)
    people: dict[int, list[int]] = {}
    for id_, app_id in database.database.execute_sql("SELECT id, app_id FROM user"):
        people.setdefault(app_id, []).append(id_)
    owned = [(each.id, people[each.id]) for each in tenants]

    def made() -> Iterator[tuple[int, int, int]]:
        for n in range(rows):
            app_id, users = owned[n % len(owned)]
            yield first_id(at + n), app_id, users[n * 7 % len(users)]

    each = made()
    while batch := list(islice(each, BATCH)):
        with database.writing(database.INSTALLATION):
            connection = database.database.connection()
            connection.executemany(
                "INSERT INTO message (id, app_id, chat_type, sender, target, timestamp,"
                " body, online_only, sync_device) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
                [(id_, app, "chat", PEOPLE[0], PEOPLE[1], id_ >> 20, MESSAGE) for id_, app, _ in batch],
            )  # fmt: skip
            connection.executemany(
                "INSERT INTO waiting (user_id, message_id) VALUES (?, ?)",
                [(user, id_) for id_, _, user in batch],
            )
            connection.executemany(
                "INSERT INTO event (user_id, id, kind, passing) VALUES (?, ?, 'message', 1)",
                [(user, id_) for id_, _, user in batch],
            )
    database.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def one(
    options: argparse.Namespace, edits: dict[str, str], place: Path
) -> tuple[Seen, float, float]:
    """What was seen, and from when to when, in seconds of it, the sweep took."""
    state_dir = place / "state"
    settings = Settings(state_dir=state_dir, synchronous="NORMAL")
    tenants = populate(settings, APPS)
    database.connect(settings)
    grown_old(tenants, options.rows)
    database.disconnect()
    plan = Plan.of(1800, 60)
    tree = plan.tree(place)
    for old, new in {"seconds=20": f"seconds={FIRST}", **edits}.items():
        edit(tree / "server" / "retention.py", old, new)
    begun = time.monotonic()
    with serving(
        state_dir, tree=tree, workers=str(WORKERS), time_zone=plan.zone,
        access_log=str(place / "access.log"),
    ) as server:  # fmt: skip
        it = Soak(server, tenants, plan)
        it.settle(tree)
        database.connect(settings)
        remember(tenants, plan, 1, lambda _: None)
        it.export_hours()
        it.load.listen(STREAMS_END)
        it.seen.anew()
        ends = _Ends(server, it.seen)
        seconds = max(1.0, begun + FIRST + AFTER - time.monotonic())
        it.load.at_rate(it.mix, options.rate, seconds, lambda: (it.tick(), ends.look()))
        it.end()
    for example in it.seen.examples:
        print("not as it should be:", example)
    if it.seen.fails:
        print(*soak_report.complaints(server.log), sep="\n")
    return it.seen, begun + FIRST - it.seen.began, ends.at


class _Ends:
    """When the sweep tells of what it has removed, looked for each half second."""

    def __init__(self, server: Gunicorn, seen: Seen) -> None:
        self._server, self._seen = server, seen
        self._next = 0.0
        self.at = 0.0

    def look(self) -> None:
        now = time.monotonic()
        if not self.at and now >= self._next:
            self._next = now + 0.5
            if REMOVED.search(self._server.log):
                self.at = now - self._seen.began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=60_000, help="Of each of three.")
    parser.add_argument("--rate", type=float, default=500, help="Calls a second.")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(EDITS), choices=EDITS)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table(
        title=f"{options.rows:,} messages, entries and events swept beside {options.rate:g} calls/s"
    )
    for heading in ("sweep", "took s", "before: p50", "p99 ms", "during: p50", "p99 ms",
                    "worst ms", f"{AFTER} s from its begin: p99 ms", "5xx"):  # fmt: skip
        table.add_column(heading, justify="right")
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("sweeps", total=options.rounds * len(options.only))
        for _ in range(options.rounds):
            for name in options.only:
                with tempfile.TemporaryDirectory(prefix="sweep-") as place:
                    seen, begin, end = one(options, EDITS[name], Path(place))
                before = latencies(seen, CALM, begin)
                during = latencies(seen, begin, max(end, begin + 10))
                after = latencies(seen, begin, begin + AFTER)
                table.add_row(
                    name, f"{end - begin:.0f}" if end else "-",
                    f"{percentile(before, 0.5):.1f}", f"{percentile(before, 0.99):.1f}",
                    f"{percentile(during, 0.5):.1f}", f"{percentile(during, 0.99):.1f}",
                    f"{max(during, default=0):.0f}", f"{percentile(after, 0.99):.1f}",
                    str(seen.fails),
                )  # fmt: skip
                progress.advance(task)
    console.print(table)


if __name__ == "__main__":
    main()
