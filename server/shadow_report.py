"""What the shadow would have refused: for people tables, for programs JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from server.limiting.shadowbook import Refused, Standing
from server.limiting.tables import EDITION

OTHERS = "(the rest)"


def as_json(told: Standing | None, names: Mapping[int, str]) -> dict[str, object]:
    """*names* are the apps' by their number; one that is gone is left out."""
    if told is None:
        return {"table": None, "since": None, "totals": [], "apps": []}
    return {
        "table": told.source,
        "since": _moment(told.since_ms),
        "totals": [
            {"rule": rule, "edition": edition, "refused": count}
            for (rule, edition), count in told.totals().items()
        ],
        "apps": [
            {
                "app": _app(each, names),
                "rule": each.rule,
                "edition": each.edition,
                "refused": each.count,
                "first": _moment(each.first_ms),
                "last": _moment(each.last_ms),
            }
            for each in told.refused
            if _app(each, names)
        ],
    }


def show(
    told: Standing | None, names: Mapping[int, str], console: Console, *, most: int
) -> None:
    """Print the totals and the *most* refused apps."""
    if told is None:
        console.print("No shadow has run here: WEIR_SHADOW_TABLE names a table to try.")
        return
    count = sum(each.count for each in told.refused)
    console.print(
        f"{escape(told.source)} would have refused {count:,}"
        f" {'call' if count == 1 else 'calls'} since {_moment(told.since_ms)}",
        highlight=False,
    )
    if not told.refused:
        return
    totals = _grid("Rule", "Edition", "Refused")
    for (rule, edition), refused in told.totals().items():
        totals.add_row(_rule(rule), escape(edition), f"{refused:,}")
    console.print(totals)
    apps = _grid("App", "Rule", "Refused", "First", "Last")
    for each in told.refused[:most]:
        moments = _moment(each.first_ms), _moment(each.last_ms)
        name = _app(each, names) or f"(deleted, {each.app_id})"
        apps.add_row(escape(name), _rule(each.rule), f"{each.count:,}", *moments)
    console.print(apps)
    if len(told.refused) > most:
        hidden = len(told.refused) - most
        console.print(f"and {hidden:,} more; --json has them all", highlight=False)


def _grid(*columns: str) -> Grid:
    grid = Grid(box=box.SIMPLE, pad_edge=False)
    for name in columns:
        grid.add_column(name, justify="right" if name == "Refused" else "left")
    return grid


def _rule(rule: str) -> str:
    return "its edition is gone" if rule == EDITION else escape(rule)


def _app(refused: Refused, names: Mapping[int, str]) -> str | None:
    return names.get(refused.app_id) if refused.app_id else OTHERS


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
