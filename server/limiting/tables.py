"""What a table states of rates and quotas, as the compiler tells it.

The compiler and the server never import each other, so a table that is not compiled
in (a proposed one) is read by running ``python -m codegen explain``.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from server.kinds import SECONDS, Calls, Quota, Rate, Stated

ROOT = Path(__file__).parents[2]
SECONDS_TO_COMPILE = 60
EDITION = "edition"
"""In place of a rule: the table does not state the app's edition, so it is closed."""
_OF_APP = "/{org}/{app}"
_CONVERTER = re.compile(r"<(?:[^<>:]*:)?([^<>:]*)>")
_UNITS = {seconds: unit for unit, seconds in SECONDS.items()}


class Unusable(Exception):
    """The table cannot be used; the text is the compiler's own."""


@dataclass(frozen=True)
class Table:
    """The rates and quotas of one table.

    *rates* are kept by operation, in the order they are stated, *calls* by interface,
    for operations that no handler has any more.
    """

    editions: tuple[str, ...]
    rates: Mapping[str, tuple[Calls, ...]]
    calls: Mapping[str, tuple[Calls, ...]]
    quotas: Mapping[str, tuple[Quota, ...]]
    other_kinds: tuple[str, ...] = ()
    """What else it states, which no count of calls can tell of."""
    digest: str = ""
    """Differs where anything the table says differs."""

    def binding(self, interface: str, operation: str) -> tuple[Calls, ...] | None:
        """The rates that bind an operation; None: the table has no such interface."""
        bound = self.rates.get(spelled(operation))
        return self.calls.get(interface) if bound is None else bound


def spelled(operation: str) -> str:
    """An operation as every table spells it: ``GET /users/{username}``."""
    method, _, path = _CONVERTER.sub(r"{\1}", operation).partition(" ")
    return f"{'GET' if method == 'HEAD' else method} {path.removeprefix(_OF_APP)}"


def compile_table(table: Path) -> Table:
    """Compile a table file against the handlers of this server.

    Raises:
        Unusable: it does not compile, or cannot be read.
    """
    command = [sys.executable, "-m", "codegen", "explain", "--format", "json"]
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the table is no option)
            [*command, f"--table={_named(table)}"],
            cwd=ROOT,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS_TO_COMPILE,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise Unusable(str(error)) from error
    if done.returncode:
        raise Unusable(done.stderr.strip() or f"codegen ended with {done.returncode}")
    digest = hashlib.sha256(done.stdout.encode()).hexdigest()
    return replace(of_explained(json.loads(done.stdout)), digest=digest)


def _named(table: Path) -> str:
    """As short as complaints can name it from where the compiler runs."""
    path = table.absolute()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def of_explained(explained: Mapping[str, Any]) -> Table:
    """A table out of what ``codegen explain --format json`` prints."""
    editions = tuple(explained["editions"])
    rates: dict[str, tuple[Calls, ...]] = {}
    calls: dict[str, tuple[Calls, ...]] = {}
    quotas: dict[str, tuple[Quota, ...]] = {}
    others: dict[str, None] = {}
    for interface in explained["interfaces"]:
        stated = interface["rules"]
        for name, same in _by_name(stated, "calls").items():
            made = _calls(name, same)
            for operation in dict.fromkeys(o for r in same for o in r["enforced_by"]):
                key = spelled(operation)
                rates[key] = (*rates.get(key, ()), made)
            if made.scope == "app":
                calls[interface["name"]] = (*calls.get(interface["name"], ()), made)
        quotas[interface["name"]] = tuple(
            _quota(name, same) for name, same in _by_name(stated, "quota").items()
        )
        others |= dict.fromkeys(
            rule["kind"] for rule in stated if rule["kind"] not in ("calls", "quota")
        )
    return Table(editions, rates, calls, quotas, tuple(others))


def _by_name(rules: Iterable[Any], kind: str) -> dict[str, list[Any]]:
    """The rules of a kind; what an edition states by itself comes after the rest."""
    found: dict[str, list[Any]] = {}
    for rule in sorted(rules, key=lambda rule: rule["edition"] is not None):
        if rule["kind"] == kind:
            found.setdefault(rule["name"], []).append(rule)
    return found


def _calls(name: str, same: list[Any]) -> Calls:
    rates = {
        edition: Rate(
            rate["calls"],
            _UNITS[rate["seconds"]],
            rule["places"][edition]["words"],
            f"line {rule['places'][edition]['line']}",
        )
        for rule in same
        for edition, rate in rule["rates"].items()
    }
    return Calls(name, same[0]["scope"], rates)


def _quota(name: str, same: list[Any]) -> Quota:
    stated = {
        rule["edition"]: Stated(rule["per_day"], rule["words"], f"line {rule['line']}")
        for rule in same
    }
    return Quota(name, stated.pop(None, None), stated)
