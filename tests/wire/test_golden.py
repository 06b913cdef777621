"""The reference's own requests and answers, played against a server that runs."""

import json
import re

import pytest

from tests.server.gunicorn import Gunicorn
from tests.wire import failures, golden, operations, player

SCENARIOS = golden.every()
REFUSED = {"GET {A}/chatmessages"}
"""Operations that the reference retired: every call of them is refused."""
ENDLESS = {"GET {A}/users/{username}/stream"}
"""Answers without an end, which no pair can hold; see tests/server/streaming."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_scenario(server: Gunicorn, stored: None, scenario: golden.Scenario) -> None:
    player.play(scenario, server)


KNOWN = {
    each: re.compile(
        re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(each.replace("{A}", "/{org}/{app}")))
        + r"/?(\?.*)?"
    )
    # Fixed segments win over parameters, so those with fewer parameters come first.
    for each in sorted(
        (operations.SERVED + operations.OURS).split("\n"),
        key=lambda each: each.count("{"),
    )
}
"""Each operation with what the first lines of its requests look like."""


def operation_of(exchange: golden.Exchange) -> str:
    method, path = exchange.request.first.split(" ", 1)
    whole = path if exchange.request.is_absolute else f"/acme/lounge{path}"
    return next(
        (each for each in KNOWN if KNOWN[each].fullmatch(f"{method} {whole}")), ""
    )


def test_every_operation_of_the_reference_has_a_golden_success() -> None:
    shown = {
        operation_of(exchange)
        for scenario in SCENARIOS
        for exchange in scenario.exchanges
        if exchange.status == 200
    }

    wanted = set(operations.SERVED.split("\n")) - {""}
    assert wanted - shown - REFUSED - ENDLESS == set()


def refusals() -> set[tuple[str, int, str, str]]:
    """Operation, status, error and description of each refusal that is shown."""
    return {
        (operation_of(exchange), exchange.status, *told(exchange))
        for scenario in SCENARIOS
        for exchange in scenario.exchanges
        if exchange.status >= 400 and exchange.answer.body
    }


def told(exchange: golden.Exchange) -> tuple[str, str]:
    body = json.loads(exchange.answer.text)
    if "desc" in body:
        return "desc", body["desc"]
    return body["error"], body.get("error_description", "")


def test_every_failure_row_of_the_reference_has_a_golden_pair() -> None:
    shown = refusals()

    missing = [
        row
        for row in failures.every()
        if not any(
            row[0] in ("*", operation)
            and row[1:3] == (status, error)
            and row[3].fullmatch(description)
            for operation, status, error, description in shown
        )
    ]

    assert missing == []
