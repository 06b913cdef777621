"""What a call costs as the database grows: ``python -m tests.bench.scale [PERCENT ...]``.

The same app is made at 1 %, 10 % and 100 % of a million users, ten thousand groups (one
of five thousand members) and five million messages, and the same operations are timed
on each: as calls, from the WSGI request to the last byte of the answer, and straight at
the store, where a few microseconds more of one lookup can be seen. Median and p99, and
each median at the largest size beside that at the smallest.

``--build DIR`` makes the databases and measures nothing; ``--made DIR`` measures copies
of what was made there. So what takes long need not have the machine for itself.
"""

import argparse
import io
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from rich.progress import Progress

from server import cursors, limiting
from server.app import create_app
from server.kinds import Kept, Membership, Quota, Stated
from server.settings import Settings
from server.store import (
    apps,
    database,
    friends,
    history,
    messages,
    muc_members,
    mucs,
    offline,
    tokens,
    users,
)
from server.store.muc_entry import Caps
from tests.bench import population
from tests.bench.population import HOUR_MS, SEED, name

NO_CAP = Membership("none")
CAPS = Caps(joined=NO_CAP, members=NO_CAP)
WEEK = Kept("week", Stated(7 * 86_400, "7 days", "bench"))
TRIES = 300

MADE_AT = "made-at"
"""Beside a database: the population's NOW_MS when it was made."""

Times = dict[str, list[float]]
Operation = Callable[[int], object]
Request = Callable[[int], tuple[str, str, str, str]]
"""The n-th call: method, path below the app, query, body."""


def calls(size: population.Size) -> dict[str, tuple[int, Request]]:
    """Each operation as callers use it, and how often it is tried."""
    chance = random.Random(SEED + 2)  # noqa: S311 (repeatable, not secret)
    large = population.group_id(0)

    def someone() -> str:
        return name(chance.randint(1, size.users))

    def send(kind: str, target: object) -> tuple[str, str, str, str]:
        body = f'{{"target_type":"{kind}","target":["{target}"],"msg":{{"type":"txt","msg":"x"}}}}'
        return "POST", "/messages", "", body

    def join(n: int) -> tuple[str, str, str, str]:
        group = population.group_id(1 + n % (size.groups - 1))
        return "POST", f"/chatgroups/{group}/users/called{n}", "", ""

    def page(_: int) -> tuple[str, str, str, str]:
        cursor = cursors.encode("users", chance.randint(0, size.users - 101))
        return "GET", "/users", f"limit=100&cursor={cursor}", ""

    return {
        "register a user": (
            TRIES,
            lambda n: (
                "POST",
                "/users",
                "",
                f'{{"username":"called{n}","password":"x"}}',
            ),
        ),
        "read a user": (TRIES, lambda _: ("GET", f"/users/{someone()}", "", "")),
        "friend list": (
            TRIES,
            lambda _: ("GET", f"/users/{someone()}/contacts/users", "", ""),
        ),
        "join a group": (TRIES, join),
        "send to a user": (TRIES, lambda _: send("users", someone())),
        "send to 5,000 members": (30, lambda _: send("chatgroups", large)),
        "offline count": (
            TRIES,
            lambda _: ("GET", f"/users/{someone()}/offline_msg_count", "", ""),
        ),
        "list 100 users": (TRIES, page),
    }


class Caller:
    """An app token's calls, straight into the WSGI application."""

    def __init__(self, app: Flask, tenant: apps.App) -> None:
        self._app = app
        self._root = f"/{tenant.org}/{tenant.name}"
        counters = limiting._limiter.counters
        assert counters is not None
        self._rings = counters._reach()
        self._token = tokens.issue(tenant.id, None, None, tenant.token_key)

    def timed(self, request: tuple[str, str, str, str]) -> float:
        """Microseconds that one call took; its rate is not in its way."""
        method, path, query, body = request
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": self._root + path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body.encode()),
        }
        said: list[str] = []
        self._rings.reset()
        began = time.perf_counter()
        answer = self._app.wsgi_app(environ, lambda status, _: said.append(status))
        content = b"".join(answer)
        took = (time.perf_counter() - began) * 1e6
        if said != ["200 OK"]:
            message = f"{method} {path}: {said} {content!r}"
            raise RuntimeError(message)
        return took


def operations(app_id: int, size: population.Size) -> dict[str, tuple[int, Operation]]:
    """Each operation, how often it is tried, and what it does the n-th time."""
    chance = random.Random(SEED + 1)  # noqa: S311 (repeatable, not secret)
    app = made_app()
    large = population.group_id(0)

    def someone() -> str:
        return name(chance.randint(1, size.users))

    def send(kind: str, target: str) -> object:
        new = messages.Outgoing(kind, [target], "admin", '{"msg":"x","type":"txt"}')
        return messages.keep(app_id, new, at_most=Quota("none"))

    def register(n: int) -> object:
        new = users.NewUser(f"new{n}", None)
        return users.add(app_id, [new], at_most=NO_CAP)

    def join(n: int) -> object:
        group = population.group_id(1 + n % (size.groups - 1))
        return muc_members.add(app_id, "group", group, [f"new{n}"], caps=CAPS)

    def export(_: int) -> object:
        begins = population.NOW_MS - population.BUSY_HOUR * HOUR_MS
        return history.make(app, history.Hour(begins, begins + HOUR_MS))

    return {
        "register a user": (TRIES, register),
        "find a user": (TRIES, lambda _: users.find(app_id, someone())),
        "friend list": (TRIES, lambda _: friends.names(app_id, someone())),
        "join a group": (TRIES, join),
        "send to a user": (TRIES, lambda _: send("users", someone())),
        "send to 5,000 members": (30, lambda _: send("chatgroups", str(large))),
        "offline count": (TRIES, lambda _: offline.count(app_id, someone(), kept=WEEK)),
        "list 100 users": (
            TRIES,
            lambda _: users.page(app_id, chance.randint(0, size.users - 101), 100),
        ),
        "page of a large group": (
            TRIES,
            lambda _: muc_members.page(
                mucs.held(app_id, "group", large), number=1, size=100, newest=False
            ),
        ),
        "export an hour": (1, export),
    }


def whole(size: population.Size) -> int:
    """How many rows there are to make, for the bar."""
    return size.users * 3 + size.groups * 11 + size.large_group + size.messages * 6 // 5


def served(place: Path) -> Flask:
    return create_app(
        Settings(state_dir=place, synchronous="NORMAL", counters_url="memory://")
    )


def made_app() -> apps.App:
    app = apps.find("bench", "scale")
    assert app is not None
    return app


def build(percent: int, place: Path, shown: Progress) -> None:
    """Make the database of this size, and note when it was made: ids tell the time."""
    size = population.share(percent)
    served(place)
    apps.create("bench", "scale", "enterprise")
    task = shown.add_task(f"{percent} %", total=whole(size))

    def progress(what: str, count: int) -> None:
        shown.update(task, advance=count, description=f"{percent} %: {what}")

    population.populate(made_app().id, size, progress)
    (place / MADE_AT).write_text(str(population.NOW_MS))
    shown.update(task, completed=whole(size), description=f"{percent} %")
    database.disconnect()


def measure(percent: int, place: Path, shown: Progress) -> dict[str, Times]:
    """Microseconds of each try of each operation, on the database made there.

    By where it was timed, then by operation.
    """
    size = population.share(percent)
    population.NOW_MS = int((place / MADE_AT).read_text())
    application, app = served(place), made_app()
    task = shown.add_task(f"{percent} %", total=None)
    warm(app.id)
    found: dict[str, Times] = {"at the store": {}, "calls": {}}
    for label, (tries, operation) in operations(app.id, size).items():
        shown.update(task, description=f"{percent} %: {label}")
        found["at the store"][label] = [timed(operation, n) for n in range(tries)]
    caller = Caller(application, app)
    for label, (tries, request) in calls(size).items():
        shown.update(task, description=f"{percent} %: {label}")
        found["calls"][label] = [caller.timed(request(n)) for n in range(tries)]
    shown.update(task, total=1, completed=1, description=f"{percent} %")
    on_disk = sum(each.stat().st_size for each in place.glob("weir.db*"))
    shown.console.print(
        f"{percent} %: {size.users:,} users, {size.messages:,} messages,"
        f" {on_disk / 1e9:.2f} GB; at most"
        f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB so far"
    )
    database.disconnect()
    return found


def warm(app_id: int) -> None:
    """Have every statement prepared, and the pages above the leaves in the cache."""
    for n in range(1, 200):
        users.find(app_id, name(n))
        friends.names(app_id, name(n))
        offline.count(app_id, name(n), kept=WEEK)


def timed(operation: Operation, n: int) -> float:
    began = time.perf_counter()
    operation(n)
    return (time.perf_counter() - began) * 1e6


def report(where: str, found: dict[int, Times]) -> None:
    percents = list(found)
    print(
        f"{where + ', median / p99, µs':<30}"
        + "".join(f"{percent:>14} %" for percent in percents)
        + "   growth"
    )
    for label, first in found[percents[0]].items():
        cells = ""
        for percent in percents:
            tries = sorted(found[percent][label])
            p99 = tries[min(len(tries) - 1, int(0.99 * len(tries)))]
            cells += f"{statistics.median(tries):8.0f} /{p99:7.0f}"
        last = found[percents[-1]][label]
        growth = statistics.median(last) / statistics.median(first)
        print(f"{label:<30}{cells} {growth:8.2f}")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("percent", nargs="*", type=int, default=[1, 10, 100])
    parser.add_argument("--build", type=Path, metavar="DIR")
    parser.add_argument("--made", type=Path, metavar="DIR")
    asked = parser.parse_args()
    found: dict[int, dict[str, Times]] = {}
    with Progress() as shown:
        for percent in asked.percent:
            if asked.build:
                build(percent, asked.build / str(percent), shown)
                continue
            with tempfile.TemporaryDirectory() as temporary:
                place = Path(temporary) / "state"
                if asked.made:
                    shutil.copytree(asked.made / str(percent), place)
                else:
                    build(percent, place, shown)
                found[percent] = measure(percent, place, shown)
    for where in ("calls", "at the store") if found else ():
        report(where, {percent: each[where] for percent, each in found.items()})


if __name__ == "__main__":
    main()
