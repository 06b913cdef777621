"""A line of the access log to an attempt, or to a complaint."""

import calendar
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

MOST_EXAMPLES = 5
MOST_REMEMBERED = 50_000


class Whose(NamedTuple):
    """Whose call it was and what it called."""

    app: str
    edition: str
    interface: str
    operation: str


class Attempt(NamedTuple):
    """One call: when it was counted, and what the log tells of it."""

    at_us: int
    whose: Whose
    recipients: int
    """How many it took of a daily quota."""
    rule: str | None
    """What refused it then."""


@dataclass
class Faults:
    """What could not be replayed, and why; a few examples of what is wrong."""

    lines: int = 0
    wrong: int = 0
    unbound: int = 0
    """Calls that draw on no app's budget: without a token, or outside the table."""
    examples: list[str] = field(default_factory=list)

    def note(self, where: str, why: str) -> None:
        self.wrong += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{where}: {why}")


class Parser:
    """Reads lines; remembers what they have in common, so as not to keep it twice."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._seconds: dict[str, int] = {}
        self._seen: dict[tuple[Any, ...], Whose] = {}

    def parse(self, lines: Iterable[bytes], path: str, number: int) -> list[Attempt]:
        """The attempts in *lines*, of which the first has this *number* in the file."""
        attempts = []
        faults, seen, at_us, loads = self._faults, self._seen, self._at_us, orjson.loads
        for number, line in enumerate(lines, number):  # noqa: B020 (it goes on)
            if not line or line.isspace():
                continue
            faults.lines += 1
            try:
                entry = loads(line)
                when = at_us(entry["time"])
                get = entry.get
                app, interface = get("app"), get("interface")
                # Without a good token a call never draws on its app's budget.
                if app is None or interface is None or get("caller") is None:
                    faults.unbound += 1
                    continue
                key = (app, get("edition"), interface, get("operation"))
                whose = seen.get(key)
                if whose is None:
                    whose = self._whose(key)
                recipients = get("quota", 0)
                rule = get("rule")
                if type(recipients) is not int or not 0 <= recipients <= 1 << 32:
                    raise _Wrong("quota is no number")
                if rule is not None and type(rule) is not str:
                    raise _Wrong("rule is no text")
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                faults.note(f"{path}:{number}", _reason(error, line))
                continue
            attempts.append(Attempt(when, whose, recipients, rule))
        return attempts

    def _at_us(self, told: Any) -> int:
        """``2026-11-23T06:37:23.123456Z`` in Unix microseconds."""
        second, fraction = told[:19], told[20:26]
        if len(told) != 27 or told[19] != "." or told[26] != "Z":
            raise _Wrong("time has not the form 2026-11-23T06:37:23.123456Z")
        if not (fraction.isascii() and fraction.isdecimal()):
            raise _Wrong("time has no microseconds")
        base = self._seconds.get(second)
        if base is None:
            if len(self._seconds) >= MOST_REMEMBERED:
                self._seconds.clear()
            parsed = time.strptime(second, "%Y-%m-%dT%H:%M:%S")
            base = calendar.timegm(parsed) * 1_000_000
            self._seconds[second] = base
        return base + int(fraction)

    def _whose(self, key: tuple[Any, ...]) -> Whose:
        for name, value in zip(Whose._fields, key, strict=True):
            if type(value) is not str:
                raise _Wrong(f"{name} is no text")
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        app, edition, interface, operation = key
        whose = Whose(app, edition.lower(), interface, operation)
        self._seen[key] = whose
        return whose


class _Wrong(ValueError):
    """What is wrong with a line, in words."""


def _reason(error: Exception, line: bytes) -> str:
    if isinstance(error, _Wrong):
        return str(error)
    if isinstance(error, orjson.JSONDecodeError):
        return "a torn line" if line.startswith(b"{") else "no JSON"
    if isinstance(error, KeyError):
        return "it has no time"
    return "a line of the access log is an object with texts"
