"""What every probe uses: the registry, and how to tell passing from refused."""

import secrets
from collections.abc import Callable
from pathlib import Path

from werkzeug.test import TestResponse

from server import clock as machine
from server.clock import now_ms
from server.store.database import Statement, writing
from server.store.models import App
from tests.conftest import SECOND_NS, Clock, Tenant

Probe = Callable[[Tenant, int], None]
PROBES: dict[str, Probe] = {}
CALLS: dict[str, Callable[[Tenant], TestResponse]] = {}
"""One cheap call of each interface, to count with."""

_USER = Statement(
    """
    INSERT INTO user (app_id, username, uuid, token_key, created, modified, activated)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    """
)


def probe(rule: str) -> Callable[[Probe], Probe]:
    def keep(function: Probe) -> Probe:
        PROBES[rule] = function
        return function

    return keep


def passes(answer: TestResponse) -> TestResponse:
    assert answer.status_code == 200, answer.text
    return answer


class NotRefused(AssertionError):
    """What should be too much passes."""


def refused_by(rule: str, answer: TestResponse, status: int = 400) -> TestResponse:
    if answer.status_code == 200:
        streams = answer.mimetype == "text/event-stream"  # and has no end to wait for
        shown = "a stream" if streams else answer.text[:200]
        answer.close()
        raise NotRefused(f"{rule} lets this pass: {shown}")
    assert answer.status_code == status, answer.text
    assert answer.json["rule"] == rule
    line = Path("limits.md").read_text().splitlines()
    number = int(answer.json["doc"].removeprefix("limits.md:"))
    assert answer.json["limit"] in line[number - 1]
    return answer


def the_clock() -> Clock:
    """The one that stands in for the machine's."""
    clock: Clock = machine.time.time_ns.__self__
    return clock


def names(count: int, prefix: str = "u") -> list[str]:
    return [f"{prefix}{n:06}" for n in range(count)]


def populate(tenant: Tenant, count: int) -> None:
    """So many users, put in directly: thousands are wanted, again and again."""
    at = now_ms()
    rows = [
        (tenant.id, name, f"{tenant.id}-{name}", secrets.token_bytes(8), at, at, True)
        for name in names(count, "p")
    ]
    with writing(tenant.id):
        _USER.run_many(rows)
        App.update(user_count=count).where(App.id == tenant.id).execute()


def rate(tenant: Tenant, clock: Clock, rule: str, calls: int, seconds: int) -> None:
    """The last allowed call passes, the next does not, a window later one does."""
    began = clock.boot_ns
    for n in range(calls):
        admitted = CALLS[rule](tenant)
        assert admitted.status_code != 429, f"call {n + 1} of {calls} is refused"
        # A call that two limits bind tells of both.
        policies = admitted.headers["RateLimit-Policy"].split(", ")
        assert f'"{rule}";q={calls};w={seconds}' in policies
        assert f'"{rule}";r={calls - n - 1};' in admitted.headers["RateLimit"]
        clock.forward(seconds / (2 * calls))
    refused = refused_by(rule, CALLS[rule](tenant), 429)
    assert refused.json["error"] == "reach_limit"
    assert refused.json["retry_after"] == int(refused.headers["Retry-After"])
    # The first call leaves the window first; a moment before, it is still there.
    clock.to(began + seconds * SECOND_NS - 1)
    assert CALLS[rule](tenant).status_code == 429
    clock.to(began + seconds * SECOND_NS)
    assert CALLS[rule](tenant).status_code != 429
    assert CALLS[rule](tenant).status_code == 429
