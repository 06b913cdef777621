"""What the soak saw of its calls, second by second."""

import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.bench.soak_load import Call
from tests.bench.soak_rates import Rates

MOST_EXAMPLES = 20
SERVER_FAILS = 500
REFUSED = 429


@dataclass
class Second:
    """The calls that were answered in one second."""

    calls: int = 0
    refused: int = 0
    fails: int = 0
    events: int = 0
    latencies_ms: array = field(default_factory=lambda: array("f"))


@dataclass
class Seen:
    """A book of calls (`Load` writes it), from *began* on, monotonic."""

    rates: Rates
    began: float = field(default_factory=time.monotonic)
    seconds: dict[int, Second] = field(default_factory=lambda: defaultdict(Second))
    statuses: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    paced_ms: array = field(default_factory=lambda: array("f"))
    fails: int = 0
    """Answers of 500 and above."""
    lost: int = 0
    """Calls without an answer."""
    wrong: int = 0
    """Answers that should have been others."""
    examples: list[str] = field(default_factory=list)

    def anew(self) -> None:
        """As if nothing was seen; what was admitted stays so."""
        self.__init__(self.rates)  # type: ignore[misc]

    @property
    def now(self) -> Second:
        return self.seconds[int(time.monotonic() - self.began)]

    @property
    def calls(self) -> int:
        return sum(each.calls for each in self.seconds.values())

    def sent(self, call: Call) -> None:
        if call.interface:
            self.rates.sent(call.app, call.interface)

    def failed(self, call: Call, why: str) -> None:
        self.lost += 1
        self._tell(call, why)
        if call.interface:
            self.rates.forgotten(call.app, call.interface)

    def done(self, call: Call, status: int, body: bytes, now: float) -> None:
        second = self.seconds[int(now - self.began)]
        second.calls += 1
        self.statuses[status] += 1
        self.kinds[call.kind] += 1
        took = (now - call.due) * 1000
        (self.paced_ms if call.paced else second.latencies_ms).append(took)
        counted = self._counted(call, status, now)
        if status >= SERVER_FAILS:
            self.fails += 1
            second.fails += 1
            self._tell(call, f"{status} {body[:300]!r}")
        elif status == REFUSED:
            second.refused += 1
            if counted is not None:
                self._wrong(call, counted)
        elif counted is not None:
            self._wrong(call, counted)
        elif status not in call.expected:
            self._wrong(call, f"{status} {body[:300]!r}")
        elif call.answered is not None:
            why = call.answered(status, body)
            if why is not None:
                self._wrong(call, why)

    def _counted(self, call: Call, status: int, now: float) -> str | None:
        """What is wrong with how it was counted."""
        if not call.interface:
            return "429, but no rate binds it" if status == REFUSED else None
        if status == REFUSED:
            if self.rates.refused(call.app, call.interface, call.sent):
                return None
            return f"429 of {call.app}, which was not due"
        if self.rates.admitted(call.app, call.interface, call.sent, now):
            return None
        return f"{call.app} was admitted beyond its rate"

    def _wrong(self, call: Call, why: str) -> None:
        self.wrong += 1
        self._tell(call, why)

    def _tell(self, call: Call, why: str) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{call.kind}: {why}")
