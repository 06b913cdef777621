"""The header fields that tell a caller its limits: RateLimit-Policy and RateLimit.

In the form of draft-ietf-httpapi-ratelimit-headers: ``"users.calls";q=10;w=1`` and
``"users.calls";r=9;t=1``, on admitted and refused calls alike.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flask import Flask, Response, g

from server.limiting.counters import Taken
from server.limiting.plan import Plan

_SECOND_NS = 1_000_000_000


class State(NamedTuple):
    """What a call found when it was counted."""

    plan: Plan
    taken: Sequence[Taken]


def whole_seconds(ns: int) -> int:
    """Rounded up and never 0, so that a caller who waits so long is admitted."""
    return max(1, -(-ns // _SECOND_NS))


def init_app(app: Flask) -> None:
    """Write the fields on every answer to a counted call."""
    app.after_request(_write)


def _write(response: Response) -> Response:
    state: State | None = g.get("rate")
    if state is not None:
        fields = response.headers
        fields["RateLimit-Policy"] = state.plan.policy
        fields["RateLimit"] = ", ".join(
            f'"{calls.name}";r={taken.remaining};t={whole_seconds(taken.reset_ns)}'
            for (calls, _), taken in zip(state.plan.limits, state.taken, strict=True)
        )
    return response
