"""The header fields that tell a caller its limits: RateLimit-Policy and RateLimit.

In the form of draft-ietf-httpapi-ratelimit-headers: ``"users.calls";q=10;w=1`` and
``"users.calls";r=9;t=1``, on admitted and refused calls alike.
"""

from collections.abc import Sequence
from contextvars import ContextVar

from flask import Flask, Response

from server.caller import Call, call
from server.limiting.counters import Taken
from server.limiting.plan import Plan

_SECOND_NS = 1_000_000_000

# Of the last call counted in this thread, and which that was: an answer to a call that
# was not counted must not tell of another.
_standing: ContextVar[tuple[Call | None, Plan | None, Sequence[Taken]]] = ContextVar(
    "standing", default=(None, None, ())
)


def whole_seconds(ns: int) -> int:
    """Rounded up and never 0, so that a caller who waits so long is admitted."""
    return max(1, -(-ns // _SECOND_NS))


def init_app(app: Flask) -> None:
    """Write the fields on every answer to a counted call."""
    app.after_request(_write)


def note(plan: Plan, taken: Sequence[Taken]) -> None:
    """What this call found when it was counted."""
    _standing.set((call(), plan, taken))


def _write(response: Response) -> Response:
    at, plan, taken = _standing.get()
    if plan is not None and at is call():
        fields = response.headers
        # Added, not set: nobody else writes them, so there are none to look for.
        fields.add("RateLimit-Policy", plan.policy)
        fields.add(
            "RateLimit",
            ", ".join(
                f'"{calls.name}";r={state.remaining};t={whole_seconds(state.reset_ns)}'
                for (calls, _), state in zip(plan.limits, taken, strict=True)
            ),
        )
    return response
