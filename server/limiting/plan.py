"""What one route takes from the counters, worked out at start."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.kinds import Calls, Rate
from server.limiting.counters import Taken, Want

Limits = Sequence[tuple[Calls, Rate]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The rates that bind a route for apps of one edition."""

    limits: Limits
    policy: str
    """The ``RateLimit-Policy`` of every answer."""

    def wants(self, app_id: int) -> list[Want]:
        return [want(calls, rate, app_id) for calls, rate in self.limits]


def last_to_admit(plan: Plan, taken: Sequence[Taken]) -> tuple[Calls, int]:
    """The rate that refuses a call for the longest, and for how many ns."""
    waits = [state.wait_ns for state in taken]
    at = waits.index(max(waits))
    return plan.limits[at][0], waits[at]


def want(calls: Calls, rate: Rate, app_id: int) -> Want:
    """What one call takes of one rate.

    The key names the rule and whom it binds, never its figure: an edit of the table
    must find what was counted before it.
    """
    key = f"{calls.name}/{app_id}" if calls.scope == "app" else calls.name
    return Want(key, rate.calls, rate.seconds * 1_000_000_000)


def policy(limits: Limits) -> str:
    """The ``RateLimit-Policy`` field: each rule's quota and window in seconds."""
    return ", ".join(
        f'"{calls.name}";q={rate.calls};w={rate.seconds}' for calls, rate in limits
    )
