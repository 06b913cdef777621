"""Who was refused: as recorded, before and after."""

import random

import pytest
from flask import Flask

from server.kinds import Calls, Quota, Rate, Stated
from server.limiting.tables import EDITION, Table
from server.replay import ledger as ledgers
from server.replay import live
from server.replay.ledger import Ledger, Row
from server.replay.parsing import Attempt, Faults, Parser, Whose
from tests.conftest import Clock, make_tenant
from tests.probes.messages import send
from tests.server.replay.logs import MIDNIGHT, line

SECOND = 1_000_000


def table(calls: int, per: str = "second", *, quota: int | None = None) -> Table:
    rate = Rate(calls, per, f"{calls} times/{per}", "limits.md:1")
    app = Calls("messages.calls", "app", {"community": rate})
    by_edition = {"community": Stated(quota, "x", "limits.md:1")} if quota else {}
    daily = Quota("messages.daily", None, by_edition)
    return Table(
        ("community",),
        {"POST /messages": (app,)},
        {"messages": (app,)},
        {"messages": (daily,)},
    )


def attempt(
    at_us: int, app: str = "acme/chat", *, to: int = 0, rule: str | None = None
) -> Attempt:
    return Attempt(
        at_us, Whose(app, "community", "messages", "POST /messages"), to, rule
    )


def replayed(live: Table, proposed: Table, *attempts: Attempt) -> Ledger:
    ledger = Ledger(live, proposed)
    ledger.replay(attempts)
    return ledger


def only(ledger: Ledger) -> Row:
    (row,) = ledger.rows()
    return row


def test_refusals_are_told_by_app_and_rule_before_and_after() -> None:
    calls = [attempt(MIDNIGHT + n) for n in range(5)]
    calls += [attempt(MIDNIGHT + 90 * SECOND + n) for n in range(7)]

    row = only(replayed(table(5), table(3), *calls))

    assert (row.app, row.rule, row.calls) == ("acme/chat", "messages.calls", 12)
    assert (row.before.count, row.after.count) == (2, 6)
    assert row.before.first_us == MIDNIGHT + 90 * SECOND + 5
    assert row.after.first_us == MIDNIGHT + 3
    assert (row.after.worst, row.after.worst_us) == (4, MIDNIGHT + 90 * SECOND)


def test_the_worst_moment_of_a_longer_window_is_a_minute() -> None:
    calls = [attempt(MIDNIGHT + n * SECOND) for n in range(50)]

    row = only(replayed(table(99), table(10, "minute"), *calls))

    assert (row.after.worst, row.after.worst_us) == (40, MIDNIGHT)


def test_apps_do_not_spend_each_others_budget_and_the_newly_refused_come_first() -> (
    None
):
    calls = [attempt(MIDNIGHT + n, "acme/busy") for n in range(9)]
    calls += [attempt(MIDNIGHT + 10 + n, "acme/quiet") for n in range(4)]

    rows = replayed(table(4), table(3), *calls).rows()
    told = [(row.app, row.before.count, row.after.count) for row in rows]

    assert told == [("acme/busy", 5, 6), ("acme/quiet", 0, 1)]


def test_a_quota_counts_recipients_of_calls_that_the_rates_admit() -> None:
    calls = [attempt(MIDNIGHT + n, to=4) for n in range(4)]

    rows = replayed(table(9, quota=99), table(3, quota=9), *calls).rows()

    told = {row.rule: (row.calls, row.before.count, row.after.count) for row in rows}
    assert told == {"messages.daily": (4, 0, 1), "messages.calls": (4, 0, 1)}


def test_what_the_log_says_is_told_beside_what_is_counted() -> None:
    calls = [
        attempt(MIDNIGHT, rule="messages.calls"),
        attempt(MIDNIGHT + 1, rule="messages.daily"),
        attempt(MIDNIGHT + 2, rule="messages.targets"),
    ]

    ledger = replayed(table(9, quota=9), table(9, quota=9), *calls)

    assert {row.rule: row.recorded for row in ledger.rows()} == {
        "messages.calls": 1,
        "messages.daily": 1,
    }
    assert ledger.recorded_others == {"messages.targets": 1}
    assert ledger.unknown_recipients == 1


def test_a_call_out_of_its_place_is_left_out_and_told() -> None:
    ledger = replayed(table(9), table(9), attempt(MIDNIGHT + 5), attempt(MIDNIGHT))

    assert (ledger.calls, ledger.late) == (1, 1)


def test_an_edition_that_the_proposal_lacks_is_closed() -> None:
    gone = Table(("enterprise",), {}, {"messages": ()}, {})

    row = only(replayed(table(9), gone, attempt(MIDNIGHT), attempt(MIDNIGHT + 1)))

    assert (row.rule, row.before.count, row.after.count) == (EDITION, 0, 2)


def test_an_interface_that_the_proposal_lacks_is_told() -> None:
    without = Table(("community",), {}, {}, {})

    ledger = replayed(table(9), without, attempt(MIDNIGHT), attempt(MIDNIGHT + 1))

    assert ledger.rows() == []
    assert ledger.unstated == {"messages": 2}


def test_any_number_of_accounts_is_counted_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledgers, "MOST_ACCOUNTS", 2)
    calls = [attempt(MIDNIGHT + n, f"acme/{n % 5}") for n in range(50)]

    rows = replayed(table(99), table(3), *calls).rows()

    assert [(row.calls, row.after.count) for row in rows] == [(10, 7)] * 5


def test_a_replay_under_the_same_table_refuses_whom_the_server_refused(
    app: Flask, clock: Clock
) -> None:
    """Real calls, real answers; then their log under the server's own plans."""
    chance = random.Random(7)  # noqa: S311 (repeatable, not secret)
    tenants = {
        "acme/chat": ("community", make_tenant(app, "acme/chat", "community")),
        "globex/chat": ("enterprise", make_tenant(app, "globex/chat", "enterprise")),
    }
    steps_us = [0, 1, 1_000, 4_000, 40_000]
    lines = []
    refused: dict[tuple[str, str], int] = {}
    for _ in range(900):
        clock.to(clock.boot_ns + 1000 * chance.choice(steps_us))
        key = chance.choice([*tenants])
        edition, tenant = tenants[key]
        asked = chance.choice(["send", "read", "download"])
        if asked == "send":
            answer, operation, interface = send(tenant), "POST /messages", "messages"
        elif asked == "read":
            answer = tenant.get("/users/nobody")
            operation, interface = "GET /users/<username>", "users"
        else:
            answer = tenant.get("/chatfiles/00000000-0000-0000-0000-000000000000")
            operation, interface = "GET /chatfiles/{uuid}", "files"
        rule = answer.json.get("rule") if answer.status_code == 429 else None
        if rule:
            refused[key, rule] = refused.get((key, rule), 0) + 1
        sent = {"quota": 1} if answer.status_code == 200 and asked == "send" else {}
        at_us = clock.unix_ns // 1000
        lines.append(line(at_us, key, edition, operation, interface, rule=rule, **sent))
    attempts = Parser(Faults()).parse(lines, "log", 1)

    ledger = Ledger(live.table(app), live.table(app))
    ledger.replay(attempts)

    rows = ledger.rows()
    assert {(row.app, row.rule): row.before.count for row in rows} == refused
    assert {(row.app, row.rule): row.after.count for row in rows} == refused
    assert {(row.app, row.rule): row.recorded for row in rows} == refused
    assert len(refused) >= 4
