"""What a replay found: for people a table, for programs JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table as Grid

from server.limiting.tables import EDITION, Table
from server.replay.ledger import Ledger, Refusals, Row
from server.replay.parsing import Faults

Json = dict[str, object]


@dataclass(frozen=True)
class Report:
    """A replay that is done; *shown* is the proposed table's path."""

    shown: str
    proposed: Table
    ledger: Ledger
    faults: Faults
    rows: Sequence[Row]

    def as_json(self) -> Json:
        ledger, faults = self.ledger, self.faults
        return {
            "table": self.shown,
            "lines": faults.lines,
            "wrong_lines": faults.wrong,
            "wrong_examples": faults.examples,
            "not_counted_lines": faults.unbound,
            "late_lines": ledger.late,
            "calls": ledger.calls,
            "first": _moment(ledger.first_us),
            "last": _moment(ledger.last_us),
            "refused_before": ledger.refused_before,
            "refused_after": ledger.refused_after,
            "rows": [_row(row) for row in self.rows],
            "unknown_recipients": ledger.unknown_recipients,
            "unstated_interfaces": dict(ledger.unstated),
            "recorded_by_other_rules": dict(ledger.recorded_others),
            "not_replayed": list(self.proposed.other_kinds),
        }

    def show(self, console: Console, *, most: int) -> None:
        """Print the *most* refused rows and everything that limits what they tell."""
        ledger = self.ledger
        console.print(
            f"{ledger.calls:,} calls, {_moment(ledger.first_us) or 'never'} to"
            f" {_moment(ledger.last_us) or 'never'}: {ledger.refused_before:,} refused"
            f" as the rules are, {ledger.refused_after:,} under {self.shown}",
            highlight=False,
            markup=False,
        )
        if self.rows:
            console.print(_grid(self.rows[:most]))
        for line in [*_cut(self.rows, most), *self._remarks()]:
            console.print(line, highlight=False, markup=False)

    def _remarks(self) -> list[str]:
        ledger, faults = self.ledger, self.faults
        said = {
            "no app's budget was concerned": faults.unbound,
            "left out, further from their place than --window": ledger.late,
            "wrong or torn": faults.wrong,
        }
        remarks = [f"{n:,} of the lines: {what}" for what, n in said.items() if n]
        remarks += [f"  {example}" for example in faults.examples]
        for interface, n in ledger.unstated.items():
            remarks.append(f"{n:,} calls of {interface}, which {self.shown} lacks")
        for rule, n in ledger.recorded_others.items():
            remarks.append(f"{n:,} calls were refused by {rule}, which is not replayed")
        if ledger.unknown_recipients:
            remarks.append(
                f"{ledger.unknown_recipients:,} calls that a quota refused do not tell"
                " for how many recipients: each is taken to have one"
            )
        remarks.append(
            "Counters begin empty with the first line. Calls that a rate refused have"
            " no recipients on record, and take nothing of a quota."
        )
        if self.proposed.other_kinds:
            kinds = ", ".join(
                each.replace("_", " ") for each in self.proposed.other_kinds
            )
            remarks.append(f"Not replayed, for a log does not tell them: {kinds}")
        return remarks


def _cut(rows: Sequence[Row], most: int) -> list[str]:
    hidden = len(rows) - most
    return [f"and {hidden:,} more; --json has them all"] if hidden > 0 else []


def _grid(rows: Sequence[Row]) -> Grid:
    grid = Grid(box=box.SIMPLE, pad_edge=False)
    for name in ("App", "Rule"):
        grid.add_column(name, overflow="fold")
    for name in ("Calls", "Recorded", "Before", "After", "Share"):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("First", "Worst"):
        grid.add_column(name)
    for row in rows:
        after = row.after
        worst = (
            f"{_moment(after.worst_us, row)} ({after.worst:,})" if after.count else ""
        )
        grid.add_row(
            _safe(row.app),
            _rule(row),
            *(f"{n:,}" for n in (row.calls, row.recorded, row.before.count)),
            f"{after.count:,}",
            f"{_share(after, row):.1%}",
            _moment(after.first_us) or "",
            worst,
            style="bold" if after.count > row.before.count else None,
        )
    return grid


def _rule(row: Row) -> str:
    return "its edition is gone" if row.rule == EDITION else _safe(row.rule)


def _safe(text: str) -> str:
    """A log may hold anything; a terminal is to show it, not to obey it."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown.replace("[", "\\[")


def _share(refused: Refusals, row: Row) -> float:
    return refused.count / row.calls if row.calls else 0.0


def _moment(at_us: int, row: Row | None = None) -> str | None:
    """A time in UTC, as exact as the row's moments; None: there was none."""
    if not at_us:
        return None
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    if row and row.moment_us > 1_000_000:
        return f"{at:%Y-%m-%dT%H:%MZ}"
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _row(row: Row) -> Json:
    return {
        "app": row.app,
        "rule": row.rule,
        "calls": row.calls,
        "recorded": row.recorded,
        "before": _refusals(row.before, row),
        "after": _refusals(row.after, row),
    }


def _refusals(refused: Refusals, row: Row) -> Json:
    return {
        "refused": refused.count,
        "share": round(_share(refused, row), 6),
        "first": _moment(refused.first_us),
        "worst": _moment(refused.worst_us, row),
        "worst_refused": refused.worst,
        "worst_seconds": row.moment_us // 1_000_000,
    }
