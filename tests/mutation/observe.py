"""One mutant: copied, compiled, served, and probed over HTTP."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server import clock as machine
from server.settings import Settings
from server.store import apps, database, tokens
from server.store.database import Statement
from tests import probes
from tests.conftest import make_tenant
from tests.mutation import subjects
from tests.mutation.clock import FILE, SharedClock
from tests.mutation.figures import Mutant, Value
from tests.mutation.over_http import Exchange, OverHttp, told
from tests.mutation.subjects import Subject
from tests.probes.base import CALLS, PROBES, NotRefused
from tests.server.gunicorn import serving

HERE = Path(__file__).parent
SERVED = [HERE / name for name in ("__init__.py", "clock.py", "served.py")]
DAY_SECONDS = 86_400
FREE = 1000
"""What a rule that binds nobody of an edition is tried with."""


@dataclass(frozen=True)
class Seen:
    """That the new figure binds: *by* which experiment, and its calls."""

    value: Value
    by: str
    calls: str


@dataclass
class Outcome:
    """What was seen of a mutant; it is well when *wrong* is empty."""

    name: str
    place: str
    was: str
    became: str
    observed: dict[str, Seen] = field(default_factory=dict)
    """By edition."""
    unmoved: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0


def copy(tree: Path, to: Path) -> Path:
    """What a server needs of *tree*, and what gunicorn is to serve there."""
    # Compiled bytes of rules would hide a change made within their second.
    ignored = shutil.ignore_patterns(".*", "var", "*.egg-info", "tests", "rules")
    shutil.copytree(tree, to, ignore=ignored)
    rules = shutil.ignore_patterns("__pycache__")
    shutil.copytree(tree / "server/rules", to / "server/rules", ignore=rules)
    (to / "tests/mutation").mkdir(parents=True)
    for path in SERVED:
        shutil.copy2(path, to / "tests/mutation")
    return to


def observe(mutant: Mutant, tree: Path) -> Outcome:
    """Change a copy of *tree* by *mutant*, and look at all that could have moved."""
    began = time.monotonic()
    figure = mutant.figure
    place = f"limits.md:{figure.line}:{figure.column}"
    outcome = Outcome(mutant.name, place, figure.words, mutant.words)
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        copied = copy(tree, Path(scratch) / "tree")
        document = copied / "limits.md"
        document.write_text(mutant.document(document.read_text()))
        compiled = subprocess.run(
            [sys.executable, "-m", "codegen"],
            cwd=copied, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if compiled.returncode:
            outcome.wrong.append(f"it does not compile: {compiled.stderr}")
        else:
            try:
                with _served(copied) as stage:
                    _probe(stage, mutant, outcome)
            except Exception as wrong:  # it is one mutant's failure, not the run's
                outcome.wrong.append(f"it cannot be served: {_account(wrong, [])}")
    outcome.seconds = time.monotonic() - began
    return outcome


def _probe(stage: "_Stage", mutant: Mutant, outcome: Outcome) -> None:
    for subject in subjects.moved(mutant):
        wrong = stage.find(subject)
        if wrong:
            outcome.wrong.append(f"{subject} is not {subject.value}: {wrong}")
        else:
            seen = Seen(subject.value, _experiment(subject.rule), told(stage.trace))
            outcome.observed[subject.edition] = seen
    for subject in subjects.unmoved(mutant.figure):
        wrong = stage.find(subject)
        if wrong:
            outcome.wrong.append(f"{subject} was not changed, and differs: {wrong}")
        else:
            outcome.unmoved += 1


def _experiment(rule: str) -> str:
    """What the probe does, in a sentence."""
    if rule in CALLS:
        return "So many pass, one more is refused, a window later the next passes."
    words = PROBES[rule].__doc__ or "So much passes, one more is refused."
    return words.split("\n")[0]


class _Stage:
    """A server with its clock and its database, at which one subject a time is tried."""

    def __init__(self, server: OverHttp, clock: SharedClock) -> None:
        self._server, self._clock = server, clock

    @property
    def trace(self) -> list[Exchange]:
        """The calls of the latest probe."""
        return self._server.trace

    def find(self, subject: Subject) -> str:
        """What was found instead of the subject's value; nothing if it was that."""
        Statement("DELETE FROM app").run()
        self._clock.forward(DAY_SECONDS)
        self._server.trace.clear()
        tenant = make_tenant(self._server, "acme/chat", subject.edition)
        try:
            if subject.rule in CALLS:
                calls, seconds = subject.value
                probes.rate(tenant, self._clock, subject.rule, calls, seconds)
            elif subject.value is None:
                return _finds_nothing(subject.rule, tenant)
            else:
                PROBES[subject.rule](tenant, subject.value)
        except Exception as wrong:
            return _account(wrong, self.trace)
        return ""


def _finds_nothing(rule: str, tenant: object) -> str:
    try:
        PROBES[rule](tenant, FREE)
    except NotRefused:
        return ""
    return "it binds an edition for which nothing is stated"


def _account(wrong: Exception, trace: list[Exchange]) -> str:
    """The line of the probe that does not hold, and the calls that led there."""
    frames = traceback.extract_tb(wrong.__traceback__)
    probed = [each for each in frames if "probes" in Path(each.filename).parts]
    where = (probed or frames)[-1]
    said = str(wrong).split("\n")[0][:300]
    line = f"{Path(where.filename).name}:{where.lineno} {where.line}"
    return f"{line} ({type(wrong).__name__} {said}), after {told(trace[-5:])}"


@contextmanager
def _served(tree: Path) -> Iterator[_Stage]:
    """The copy's server, and this process beside it: in its database, by its clock."""
    state_dir = tree.parent / "state"
    state_dir.mkdir(mode=0o700)
    clock = SharedClock.begin(state_dir / FILE)
    settings = Settings(state_dir=state_dir, synchronous="NORMAL")
    # Probes look at the document that refusals cite.
    was_in, was_by = Path.cwd(), machine.time
    os.chdir(tree)
    machine.time = clock
    try:
        with serving(
            state_dir, tree=tree, application="tests.mutation.served:app",
            workers="1", synchronous="NORMAL", log_level="warning",
        ) as gunicorn:  # fmt: skip
            database.connect(settings)
            tokens.forget()
            apps.forget()
            server = OverHttp(gunicorn.port)
            yield _Stage(server, clock)
            server.close()
    finally:
        database.disconnect()
        machine.time = was_by
        os.chdir(was_in)
