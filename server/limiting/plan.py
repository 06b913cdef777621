"""What one route takes from the counters, worked out at start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.kinds import SECONDS, Calls, Rate
from server.limiting.counters import Taken, Want

Limits = Sequence[tuple[Calls, Rate]]

_SECOND_NS = 1_000_000_000
# An edit may state any unit, and what was counted within the longest must be known.
_LOOKS_BACK_NS = max(SECONDS.values()) * _SECOND_NS


@dataclass(frozen=True, slots=True)
class Draw:
    """What a call takes of one rate, but for whose call it is.

    The key names the rule and whom it binds, never its figure: an edit of the table
    must find what was counted before it.
    """

    name: str
    per_app: bool
    amount: int
    window_ns: int
    tag: str
    """Which server of a cluster counts it; empty: the app's."""

    def want(self, app_id: int) -> Want:
        whom = str(app_id)
        return Want(
            f"{self.name}/{whom}" if self.per_app else self.name,
            self.amount,
            self.window_ns,
            self.tag or whom,
            _LOOKS_BACK_NS,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The rates that bind a route for apps of one edition."""

    limits: Limits
    draws: Sequence[Draw]
    policy: str
    """The ``RateLimit-Policy`` of every answer."""

    def wants(self, app_id: int) -> list[Want]:
        return [draw.want(app_id) for draw in self.draws]


def last_to_admit(plan: Plan, taken: Sequence[Taken]) -> tuple[Calls, int]:
    """The rate that refuses a call for the longest, and for how many ns."""
    waits = [state.wait_ns for state in taken]
    at = waits.index(max(waits))
    return plan.limits[at][0], waits[at]


def shared_interfaces(declared: Iterable[Calls]) -> frozenset[str]:
    """The interfaces with a rate that all apps draw on together.

    In a cluster, what one call takes must lie on one server. So all counters of such
    an interface lie together, and any others with their app's.
    """
    return frozenset(calls.interface for calls in declared if calls.scope == "cluster")


def plan(limits: Limits, shared: frozenset[str]) -> Plan:
    """What a call takes under *limits*."""
    return Plan(
        limits, [draw(calls, rate, shared) for calls, rate in limits], policy(limits)
    )


def draw(calls: Calls, rate: Rate, shared: frozenset[str]) -> Draw:
    """What one call takes of one rate."""
    return Draw(
        calls.name,
        calls.scope == "app",
        rate.calls,
        rate.seconds * _SECOND_NS,
        calls.interface if calls.interface in shared else "",
    )


def policy(limits: Limits) -> str:
    """The ``RateLimit-Policy`` field: each rule's quota and window in seconds."""
    return ", ".join(
        f'"{calls.name}";q={rate.calls};w={rate.seconds}' for calls, rate in limits
    )
