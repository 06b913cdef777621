"""The figures of Chat history download."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from server.clock import now_ms
from tests.conftest import SECOND_NS, Tenant
from tests.probes.base import CALLS, passes, probe, the_clock
from tests.probes.messages import send

HOUR_MS = 3_600_000
ZONE = timezone(timedelta(hours=8))


def named(at_ms: int) -> str:
    """The hour of a moment, where the clocks are eight hours ahead."""
    return datetime.fromtimestamp(at_ms / 1000, ZONE).strftime("%Y%m%d%H")


CALLS["history.calls"] = lambda tenant: tenant.get("/chatmessages/20000101")


def fetch(tenant: Tenant, url: str) -> TestResponse:
    parts = urlsplit(url)
    return tenant.client.get(f"{parts.path}?{parts.query}", buffered=True)


@contextlib.contextmanager
def later(milliseconds: int) -> Iterator[None]:
    """As if so much time had passed; for what looks at the time of day alone."""
    clock = the_clock()
    before = clock.unix_ns
    clock.unix_ns += milliseconds * 1_000_000
    try:
        yield
    finally:
        clock.unix_ns = before


def ask(tenant: Tenant, hour: str) -> TestResponse:
    """The hour's address, a day after the last: what the rate admits is not asked."""
    the_clock().boot_ns += 86_400 * SECOND_NS
    return tenant.get(f"/chatmessages/{hour}")


@probe("history.history_file")
def history_file(tenant: Tenant, figure: int) -> None:
    """To be had until so long after the hour's end, a millisecond later gone."""
    began = now_ms() // HOUR_MS * HOUR_MS
    hour = named(began)
    passes(send(tenant, msg_timestamp=began))
    kept_until = began + HOUR_MS + figure * 1000 - now_ms()
    with later(kept_until):
        url = passes(ask(tenant, hour)).json["data"][0]["url"]
        passes(fetch(tenant, url))
    with later(kept_until + 1):
        over = ask(tenant, hour)
        assert over.status_code == 400
        assert "expired or unstored" in over.json["error_description"]
        assert fetch(tenant, url).status_code == 404


@probe("history.signed_address")
def signed_address(tenant: Tenant, figure: int) -> None:
    """Good until so long after it was given, a millisecond later refused."""
    began = now_ms() // HOUR_MS * HOUR_MS - HOUR_MS
    passes(send(tenant, msg_timestamp=began))
    asked_at = now_ms() // 1000 * 1000
    url = passes(ask(tenant, named(began))).json["data"][0]["url"]
    assert f"Expires={asked_at // 1000 + figure}&" in url
    with later(asked_at + figure * 1000 - now_ms()):
        passes(fetch(tenant, url))
    with later(asked_at + figure * 1000 + 1 - now_ms()):
        assert fetch(tenant, url).status_code == 403
