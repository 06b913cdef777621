"""One run of Schemathesis against a server of its own, and what came of it."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.contract import shape
from tests.openapi.town import DOOMED, KEY, LISTENER, Town, town
from tests.server.gunicorn import ROOT

PHASES = ("examples", "coverage", "fuzzing", "stateful")
STEPS, SCENARIOS_EACH = 8, 10
"""Calls one upon another's answer; and so many of them for each of *examples*."""
LEFT_OUT = {
    # 503 is told with Retry-After, which is no fault: `no_fault` looks.
    "not_a_server_error",
    # The wire refuses by 400 what only the state forbids, and takes what clients of
    # ten years sent; which input it refuses and how has tests of its own.
    "positive_data_acceptance",
    "negative_data_rejection",
}


@dataclass(frozen=True)
class Report:
    """What the server says it was asked, and what Schemathesis thinks of the answers."""

    status: int
    """0: nothing is wrong."""
    output: str
    by_status: Counter[int]
    documented: frozenset[str]
    """Operations, as METHOD /path/{}."""
    met: frozenset[str]
    """Those that were called."""
    done: frozenset[str]
    """Those that did what they were asked, at least once."""

    @property
    def calls(self) -> int:
        return self.by_status.total()

    def in_words(self) -> str:
        told = ", ".join(f"{n:,} of {s}" for s, n in sorted(self.by_status.items()))
        return (
            f"{self.calls:,} calls of {len(self.met)} of {len(self.documented)}"
            f" operations, {len(self.done)} of which were done: {told}"
        )


def run(
    place: Path,
    examples: int,
    seed: int | None = None,
    phases: Iterable[str] = PHASES,
    *,
    more: Sequence[str] = (),
    spoil: Callable[[Path], None] = lambda _: None,
    quiet: bool = True,
) -> Report:
    """So many *examples* of each operation; without a *seed* always the same ones.

    *more* are Schemathesis' own options; *spoil* may edit the tree that is served.
    """
    with town(place, spoil) as found:
        settings = place / "schemathesis.toml"
        settings.write_text(configuration(found, examples * SCENARIOS_EACH))
        _, _, document = found.server.call("GET", "/openapi.json")
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "--config-file", settings,
                "run", f"http://127.0.0.1:{found.server.port}/openapi.json",
                "--phases", ",".join(phases), "--max-examples", str(examples),
                *(["--generation-deterministic"] if seed is None else ["--seed", str(seed)]),
                *more,
            ],
            cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
            text=True, stdout=subprocess.PIPE if quiet else None,
        )  # fmt: skip
    described = frozenset(
        f"{method.upper()} {shape(path.removeprefix('/{org}/{app}'))}"
        for path, methods in document["paths"].items()
        for method in methods
    )
    return judged(done, (place / "access.log").read_text().splitlines(), described)


def judged(
    done: "subprocess.CompletedProcess[str]",
    log: Iterable[str],
    described: frozenset[str],
) -> Report:
    lines = [json.loads(line) for line in log]
    return Report(
        done.returncode,
        done.stdout or "",
        Counter(line["status"] for line in lines),
        described,
        frozenset(shape(line["operation"]) for line in lines) & described,
        frozenset(shape(line["operation"]) for line in lines if line["status"] < 300)
        & described,
    )


def configuration(found: Town, scenarios: int) -> str:
    """Schemathesis' settings: who calls, and names that are often worth a try."""
    org, app = KEY.split("/")
    people = [*found.users, *DOOMED]
    words: Mapping[str, Sequence[str]] = {
        "people": [*people, ",".join(found.users), "nobody"],
        "groups": found.groups, "rooms": found.rooms, "files": [found.file],
        "doomed": DOOMED, "listener": [LISTENER],
        "words": [*people, *found.groups, *found.rooms, "users", "chat", "group", "txt",
                  found.client_id, found.client_secret, "secret", "password"],
    }  # fmt: skip
    dictionaries = "\n".join(
        f"[dictionaries.{name}]\nvalues = {json.dumps([*each])}"
        for name, each in words.items()
    )
    often = {
        "people": ("username", "owner_username", "contact_username", "usernames",
                   "blocked_username", "oldadmin", "super_admin"),
        "groups": ("group_id",), "rooms": ("room_id",), "files": ("path.uuid",),
    }  # fmt: skip
    parameters = "\n".join(
        f'"{name}" = {{dictionary = "{words}", probability = 0.8}}'
        for words, names in often.items()
        for name in names
    )
    checks = "\n".join(f"{name}.enabled = false" for name in sorted(LEFT_OUT))
    return f"""
hooks = "tests.openapi.hooks"
warnings = false
continue-on-failure = true
max-stream-events = 2

[checks]
{checks}

[auth.openapi.appToken]
bearer = "{found.app_token}"
[auth.openapi.userToken]
bearer = "{found.user_token}"

[generation]
dictionaries.string = {{dictionary = "words", probability = 0.3}}

[phases.coverage]
# Of methods that HTTP has, as it is; of another the wire says 501.
unexpected-methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"]

[phases.stateful]
max-steps = {STEPS}
generation.max-examples = {scenarios}

{dictionaries}

[parameters]
org = "{org}"
app = "{app}"
{parameters}

[[operations]]
include-tag = "Offline messages"
include-path-regex = "/stream"
request-timeout = 0.5
parameters."path.username" = {{dictionary = "listener", probability = 0.9}}

[[operations]]
include-operation-id = "users.delete"
parameters."path.username" = {{dictionary = "doomed", probability = 0.9}}

[[operations]]
include-operation-id = "users.delete_some"
parameters."query.limit" = {{dictionary = "few", probability = 0.9}}

[dictionaries.few]
values = [1, 2]
"""
