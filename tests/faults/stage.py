"""Where a fault is played: a server under load, and what has to hold afterwards.

Many callers send messages, upload and read as fast as they are answered, and write down
what they were told. When all is over, what is kept is compared with that: nothing that
was answered 200 may be missing, nothing may be there twice or by halves.
"""

import atexit
import functools
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from server.settings import Settings
from tests import databases
from tests.faults.judging import wrongs
from tests.hosts.fleet import TARGETS, populate
from tests.hosts.load import App, Caller, Calls
from tests.server.gunicorn import ROOT, Gunicorn, serving
from tests.trees import copy_of_the_tree, recompile

KEY = "globex/one"
SENDERS = 12
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Report:
    """What was done, and what came of it."""

    name: str
    done: Counter[str]
    statuses: Counter[int]
    """How many calls were answered so; 0: not at all."""
    acknowledged: int
    """Sends answered 200, of two messages each."""
    wrong: Sequence[str]

    def lines(self) -> list[tuple[str, str]]:
        """For people, a fact a line."""
        told = ", ".join(
            f"{number:,} {'without' if status == 0 else status}"
            for status, number in sorted(self.statuses.items())
        )
        return [
            ("fault", ", ".join(f"{n:,} {what}" for what, n in self.done.items())),
            ("answers", told),
            ("acknowledged", f"{self.acknowledged:,} sends of two messages"),
            ("5xx but 503", f"{self.bugs:,}"),
            ("missing, twice or otherwise wrong", f"{len(self.wrong):,}"),
        ]

    @property
    def bugs(self) -> int:
        """Answers that say that we are wrong."""
        return sum(
            n for status, n in self.statuses.items() if status >= 500 and status != 503
        )


@dataclass
class Stage:
    """The server, the callers, and how long the play is to last."""

    name: str
    place: Path
    seconds: float
    chance: random.Random
    told: Callable[[float], object]
    """Told how much of it is over, from 0 to 1."""
    began: float = 0.0
    calls: Calls = field(init=False)
    app: App = field(init=False)
    server: Gunicorn = field(init=False)
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def state(self) -> Path:
        return self.place / "state"

    def turns(self) -> Iterator[int]:
        """Again and again until the time is over, twice at least."""
        self.began, turn = time.monotonic(), 0
        while turn < 2 or time.monotonic() < self.began + self.seconds:
            yield turn
            turn += 1
            over = (time.monotonic() - self.began) / (self.seconds or 1)
            self.told(min(1.0, over))

    def did(self, what: str) -> None:
        self.done[what] += 1

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def answered(self, status: int, count: int = 1) -> None:
        """Until so many more calls are answered so."""
        start = len(self.calls.outcomes)
        self.until(
            lambda: (
                sum(e.status == status for e in self.calls.outcomes[start:]) >= count
            ),
            f"{count} answers {status}",
        )

    def until(self, holds: Callable[[], object], what: str) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            last = Counter(each.status for each in self.calls.outcomes[-200:])
            assert time.monotonic() < ends, (
                f"no {what}: {last}\n{self.server.log[-4000:]}"
            )
            time.sleep(0.02)

    def quiet(self, seconds: float) -> None:
        """Let the fault last."""
        time.sleep(seconds)

    def pause_until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))

    def server_time(self) -> int:
        """What the server's clock says, in Unix ms."""
        told = self.server.call("GET", f"/{self.app.key}/limits", token=self.app.token)
        return int(told[2]["timestamp"])

    def go_on(self, count: int = SENDERS) -> None:
        """Until so many more calls are admitted: it serves."""
        self.calls.wait_for_more(count, [KEY], [0])

    def report(self) -> Report:
        """Stop the callers and the server, and compare."""
        self.calls.stop.set()
        log = self.server.log
        self._stack.close()
        for line in ("Traceback", "a bug met"):
            self.require(line not in log, f"{line} in the log:\n{log[-4000:]}")
        statuses = Counter(each.status for each in self.calls.outcomes)
        settings = Settings(
            state_dir=self.state, database_url=self.settings.get("database_url", "")
        )
        found = wrongs(self.calls, lambda query: rows_of(settings, query))
        return Report(
            self.name, self.done, statuses, len(self.calls.of("messages")),
            [*self.wrong, *found],
        )  # fmt: skip


def rows_of(settings: Settings, query: str) -> list[tuple[object, ...]]:
    """What a query finds in the database of a server that is gone."""
    if settings.database_url.startswith("postgresql:"):
        with psycopg.connect(settings.database_url) as connection:
            return connection.execute(query.encode()).fetchall()
    return databases.rows_of_file(settings.state_dir, query)


@functools.cache
def _hasty_tree() -> Path:
    """A copy whose apps may send as fast as they like; one for all plays."""
    place = Path(tempfile.mkdtemp(prefix="weir-faults-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    tree = copy_of_the_tree(place)
    recompile(tree, "call limit 30 times/second", "call limit 10,000 times/second")
    return tree


@contextmanager
def served(
    stage: Stage,
    *,
    rates: bool = False,
    senders: int = SENDERS,
    within: Sequence[str] = (),
    conf: str = "server/gunicorn_conf.py",
    application: str = "wsgi:app",
    interfaces: Sequence[str] = ("messages",),
    rest: float = 0.0,
    **settings: str,
) -> Iterator[Stage]:
    """Serve and call. Without *rates* an app may send as fast as it likes; each caller
    pauses for *rest* seconds after a call."""
    stage.settings = settings
    tree = ROOT
    if not rates:
        tree = _hasty_tree()
    url = settings.get("database_url", "")
    (stage.app,) = populate(
        Settings(state_dir=stage.state, database_url=url), {KEY: "enterprise"}
    )
    stage.calls = Calls(TARGETS, interfaces=interfaces, rest=rest)
    with stage._stack as stack:
        options = {"workers": "2", "access_log": "off", "guard_calls": "100000"}
        stage.server = stack.enter_context(
            serving(
                stage.state, tree=tree, within=within, conf=conf,
                application=application, **(options | settings),
            )
        )  # fmt: skip
        callers = [
            Caller(stage.calls, 0, stage.server.place, [stage.app], n)
            for n in range(senders)
        ]
        stack.callback(lambda: [caller.join() for caller in callers])
        stack.callback(stage.calls.stop.set)
        for caller in callers:
            caller.start()
        stage.go_on()
        yield stage
