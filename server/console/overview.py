"""The overview: what goes on, who is near a limit, and the apps."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from server import metrics, rules
from server.console import near, traffic
from server.console.frame import blueprint, fragment, page, parts
from server.console.kept import Kept
from server.limiting import shadow
from server.settings import Settings
from server.store import apps

PAGE = 50
MOST_SHADOWED = 10

_settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What a proposed table would have refused."""

    source: str
    since: int
    total: int
    rows: list[tuple[str | None, str, str, int]]
    """App (None: gone, or one of many), rule, edition, count: the most first."""


def init_app(settings: Settings) -> None:
    """Show the shadow of these settings."""
    global _settings  # one app a process
    _settings = settings


@blueprint.get("")
def overview() -> Response:
    """All of it."""
    text = request.args.get("q", "").strip()[:65]
    org, _, name = request.args.get("after", "").partition("/")
    found = apps.page((org, name), text, PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return page(
        "overview.html",
        at="overview",
        q=text,
        done=request.args.get("deleted", ""),
        apps=found[:PAGE],
        is_first=not org,
        after=f"{last.org}/{last.name}" if last else None,
        counts=_counts(),
        editions=rules.EDITIONS,
        **_now(),
    )


@blueprint.get("/live")
def live_overview() -> Response:
    """What changes by itself."""
    now = _now()
    return parts(
        traffic=fragment("traffic.html", **now),
        near=fragment("near.html", **now),
        state=fragment("state.html", **now),
    )


def _now() -> dict[str, Any]:
    whole, lines = traffic.lines()
    workers, gauges = _present()
    return {
        "whole": whole,
        "lines": lines,
        "minutes": 15,
        "near": near.a_limit(),
        "today": near.today(),
        "shadow": _shadowed(),
        "workers": workers,
        "lost": gauges[metrics.COUNTERS_LOST],
        "downloads": gauges[metrics.DOWNLOADS],
    }


def _find_shadow() -> Shadowed | None:
    if _settings is None or _settings.shadow_table is None:
        return None
    try:
        found = shadow.standing(_settings)
    except sqlite3.Error:
        return None
    if found is None:
        return None
    return Shadowed(
        found.source,
        found.since_ms,
        sum(each.count for each in found.refused),
        [
            (apps.key_of(each.app_id), each.rule, each.edition, each.count)
            for each in found.refused[:MOST_SHADOWED]
        ],
    )


_shadowed = Kept(2, _find_shadow)
_present = Kept(1, metrics.present)
_counts = Kept(5, apps.count_by_edition)
