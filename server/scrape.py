"""What ``/metrics`` says, in the text form of Prometheus.

The counting is ours (``metrics``), the text is prometheus-client's. Its own counting in
several processes keeps a file for every process that ever was.
"""

import threading
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import product

from peewee import PeeweeException
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from server import metrics, rules
from server.kinds import Bound, Calls, Quota
from server.metrics import BOUNDS_NS, OTHER, OUTCOMES, name
from server.store import offline, quotas

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_WAITING = 100_000
"""Entries of the offline queues that are counted at most: some milliseconds."""
NEAR_PERCENT = 80
"""Of a quota: an app that used so much is near it."""
_ASK_SECONDS = 10
"""What the database told is shown for so long, however often it is asked for."""

_WORDS = (*(each.name for each in rules.INTERFACES), OTHER)
_RULES = [rule for each in rules.INTERFACES for rule in each.rules]
_QUOTAS = [rule for rule in _RULES if isinstance(rule, Quota)]
_NANO = 1_000_000_000

_lock = threading.Lock()
_told: tuple[float, list[Metric]] | None = None


def text() -> bytes:
    """All of it, now."""
    return generate_latest(_registry)


def forget() -> None:
    """Ask the database again: another one is connected."""
    global _told
    _told = None


class _Weir(Collector):
    def collect(self) -> Iterator[Metric]:
        totals = metrics.totals()
        yield _build()
        yield _calls(totals)
        yield _durations(totals)
        yield _by_rule(totals, "admitted", "Calls that a rate of the table counted.")
        yield _by_rule(totals, "refused", "Calls that a figure of the table refused.")
        yield _by_rule(totals, "shadow", "Calls that a proposed table would refuse.")
        yield CounterMetricFamily(
            "weir_guard_refused",
            "Calls without a good token that the guard refused.",
            totals[metrics.GUARD],
        )
        yield CounterMetricFamily(
            "weir_access_log_lost",
            "Lines of the access log that were not taken.",
            totals[metrics.LOG_LOST],
        )
        yield from _present()
        yield from _from_database()


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Weir())


def _build() -> Metric:
    try:
        ours = version("weir")
    except PackageNotFoundError:
        ours = "unknown"
    told = {"version": ours, "rules": rules.DIGEST}
    return InfoMetricFamily("weir_build", "What runs, by which rules.", told)


def _calls(totals: dict[str, int]) -> Metric:
    family = CounterMetricFamily(
        "weir_calls", "Calls answered.", labels=("interface", "edition", "outcome")
    )
    for word in _WORDS:
        for edition in metrics.editions():
            for outcome in OUTCOMES:
                count = totals[name("calls", word, edition, outcome)]
                family.add_metric((word, edition, outcome), count)
    return family


def _durations(totals: dict[str, int]) -> Metric:
    family = HistogramMetricFamily(
        "weir_call_duration_seconds",
        "From a call's first line to the answer's readiness.",
        labels=("interface",),
    )
    bounds = [*(str(ns / _NANO) for ns in BOUNDS_NS), "+Inf"]
    for word in _WORDS:
        below, buckets = 0, []
        for n, bound in enumerate(bounds):
            below += totals[name("bucket", word, str(n))]
            buckets.append((bound, below))
        family.add_metric((word,), buckets, totals[name("ns", word)] / _NANO)
    return family


def _by_rule(totals: dict[str, int], what: str, words: str) -> Metric:
    kind = "weir_shadow_refused" if what == "shadow" else f"weir_rule_{what}"
    family = CounterMetricFamily(kind, words, labels=("rule", "edition"))
    for rule in _RULES:
        for edition in metrics.editions():
            count = totals.get(name(what, rule.name, edition), 0)
            if count or (what != "shadow" and _states(rule, edition, what)):
                family.add_metric((rule.name, edition), count)
    return family


def _states(rule: Calls | Bound, edition: str, what: str) -> bool:
    """Whether there is something to count; the rest is shown once it is not 0."""
    if isinstance(rule, Calls):
        return edition in rule.rates
    return (
        what == "refused" and edition in rules.EDITIONS and bool(rule.stated(edition))
    )


def _present() -> Iterator[Metric]:
    workers, now = metrics.present()
    yield _gauge("workers", "Processes that serve, on this host.", workers)
    yield _gauge(
        "downloads_in_progress",
        "Downloads that the workers are sending, on this host.",
        now[metrics.DOWNLOADS],
    )
    yield _gauge(
        "counters_degraded",
        "Processes whose counters do not answer, on this host.",
        now[metrics.COUNTERS_LOST],
    )


def _gauge(kind: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"weir_{kind}", words, value)


def _from_database() -> list[Metric]:
    """The rest; only that it does not answer, where it does not."""
    global _told
    with _lock:
        now = time.monotonic()
        if _told is None or now - _told[0] > _ASK_SECONDS:
            try:
                told = [_waiting(), *_quotas()]
            except PeeweeException:
                _told = None
                return [_up(0)]
            _told = (now, [_up(1), *told])
        return _told[1]


def _up(value: int) -> Metric:
    return _gauge("database_up", "Whether the database answers.", value)


def _waiting() -> Metric:
    words = f"Entries of the offline queues; {MOST_WAITING} for that many or more."
    return _gauge("offline_waiting", words, offline.count_all(at_most=MOST_WAITING))


def _quotas() -> list[Metric]:
    """Today's use of each quota, by edition."""
    labels = ("rule", "edition")
    used = GaugeMetricFamily("weir_quota_used", "Used today.", labels=labels)
    users = GaugeMetricFamily(
        "weir_quota_apps", "Apps that used any today.", labels=labels
    )
    near = GaugeMetricFamily(
        "weir_quota_apps_near",
        f"Apps that used {NEAR_PERCENT} percent or more.",
        labels=labels,
    )
    for quota, edition in product(_QUOTAS, rules.EDITIONS):
        stated = quota.stated(edition)
        least = None if stated is None else -(-stated.value * NEAR_PERCENT // 100)
        found = quotas.used_by_all(edition, quota, near=least)
        used.add_metric((quota.name, edition), found.used)
        users.add_metric((quota.name, edition), found.apps)
        if stated is not None:
            near.add_metric((quota.name, edition), found.near)
    return [used, users, near]
