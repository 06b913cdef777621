"""Processes that call one app at one moment, each through the whole of the server.

Each process is a server's worker without its socket: the app as it is, on the database
of all. A race is told in calls; what may come of it is what comes of the same calls one
after the other, in some order.
"""

import itertools
import json
import random
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.settings import Settings
from tests import databases

Call = tuple[str, str, object]
"""Method, path within the app, and JSON."""

LATEST_SECONDS = 0.004
"""How much later than the others a racer begins, at most."""

# A line in, a line out: a call and its answer, or a sweep and what it removed.
RACER = """
import dataclasses, io, json, os, sys, time
from server import retention
from server.app import create_app
from server.settings import Settings
retention._ORPHAN_AGE_MS = 10_000  # an upload under way is younger here, too
client = create_app(Settings.from_env(os.environ)).test_client()
print("ready", flush=True)
for line in sys.stdin:
    told = json.loads(line)
    time.sleep(told["after"])
    if told["method"] == "SWEEP":
        print(json.dumps([200, dataclasses.asdict(retention.sweep())]), flush=True)
        continue
    head = {"Authorization": "Bearer " + told["token"]}
    sent = {"json": told["body"]}
    if told["method"] == "UPLOAD":
        told["method"] = "POST"
        sent = {"data": {"file": (io.BytesIO(told["body"].encode()), "a.txt")}}
    answer = client.open(
        told["path"], method=told["method"], headers=head, buffered=True, **sent
    )
    body = answer.get_json() if answer.is_json else answer.get_data(as_text=True)
    print(json.dumps([answer.status_code, body]), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What a racer was told."""

    status: int
    body: Any

    @property
    def told(self) -> str:
        """Done, of how many of a list, or the error: the same whenever it is tried."""
        if self.status != 200:
            return f"{self.status} {self.body['error']}"
        return f"done {len(self.body.get('entities', ()))}"


@dataclass
class Racers:
    """Some processes, and the app they call."""

    key: str
    token: str
    processes: list[subprocess.Popen[str]]
    chance: random.Random
    fresh: Iterator[int] = field(default_factory=itertools.count)

    def call(self, method: str, path: str, body: object = None, by: int = 0) -> Any:
        """One call that has to be done; its answer."""
        (answer,) = self._all({by: (method, path, body)}, delays=(0,))
        assert answer.status == 200, (method, path, body, answer)
        return answer.body

    def try_(self, calls: Iterable[Call]) -> list[Answer]:
        """One after the other, each by another racer."""
        turns = itertools.cycle(range(len(self.processes)))
        return [
            self._all({by: call}, delays=(0,))[0]
            for by, call in zip(turns, calls, strict=False)
        ]

    def race(self, calls: Sequence[Call]) -> list[Answer]:
        """All at once, each by a racer of its own, none of them always first."""
        racers = self.chance.sample(range(len(self.processes)), len(calls))
        delays = [self.chance.uniform(0, LATEST_SECONDS) for _ in calls]
        return self._all(dict(zip(racers, calls, strict=True)), delays)

    def _all(self, calls: Mapping[int, Call], delays: Sequence[float]) -> list[Answer]:
        for (racer, (method, path, body)), after in zip(
            calls.items(), delays, strict=True
        ):
            path = f"/{self.key}{path}"
            line = {"method": method, "path": path, "body": body, "after": after}
            line["token"] = self.token
            stdin = self.processes[racer].stdin
            assert stdin is not None
            stdin.write(json.dumps(line) + "\n")
            stdin.flush()
        return [self._answer(racer) for racer in calls]

    def _answer(self, racer: int) -> Answer:
        stdout = self.processes[racer].stdout
        assert stdout is not None
        return Answer(*json.loads(stdout.readline()))

    def names(self, count: int) -> list[str]:
        """New users, without the cost of a password."""
        names = [f"u{next(self.fresh)}" for _ in range(count)]
        for name in names:
            grant = {"grant_type": "inherit", "username": name, "autoCreateUser": True}
            self.call("POST", "/token", grant)
        return names


@dataclass(frozen=True)
class Race:
    """Calls at once, and what is to be seen afterwards."""

    calls: Sequence[Call]
    seen: Callable[[], Hashable]
    """The state, without what differs from race to race."""


def judge(racers: Racers, prepared: Callable[[], Race], times: int) -> set[Hashable]:
    """Run races, and hold each against the same calls in every order; all outcomes.

    An outcome is what each call was told and what is seen afterwards.
    """
    count = len(prepared().calls)
    serial: set[Hashable] = set()
    for order in itertools.permutations(range(count)):
        race = prepared()
        answers = racers.try_(race.calls[n] for n in order)
        told = dict(zip(order, (each.told for each in answers), strict=True))
        serial.add((*(told[n] for n in range(count)), race.seen()))
    met: set[Hashable] = set()
    for _ in range(times):
        race = prepared()
        outcome = (*(each.told for each in racers.race(race.calls)), race.seen())
        assert outcome in serial, f"{outcome} is none of {serial}"
        met.add(outcome)
    return met


@contextmanager
def racers(
    tree: Path, settings: Settings, key: str, token: str, count: int = 4, seed: int = 1
) -> Iterator[Racers]:
    environment = databases.environment(settings)
    environment |= {"WEIR_COUNTERS_URL": "memory://", "WEIR_GUARD_CALLS": "100000"}
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-c", RACER], cwd=tree, env=environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield Racers(key, token, started, random.Random(seed))  # noqa: S311 (repeatable)
