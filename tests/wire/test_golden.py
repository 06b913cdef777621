"""The reference's own requests and answers, played against a server that runs."""

import re
from collections.abc import Iterator

import pytest

from server.settings import Settings
from server.store import database
from tests.server.gunicorn import Gunicorn, serving
from tests.wire import cast, golden, operations, player

SCENARIOS = golden.every()
REFUSED = {"GET {A}/chatmessages"}
"""Operations that the reference retired: every call of them is refused."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    place = tmp_path_factory.mktemp("golden") / "state"
    with serving(
        place,
        workers="1",
        guard_calls="1000000",
        public_url=player.BASE,
        synchronous="NORMAL",
        time_zone="UTC",
    ) as server:
        yield server


@pytest.fixture
def stored(server: Gunicorn) -> Iterator[None]:
    """The server's own database, for what a scenario is given."""
    database.connect(Settings(state_dir=server.state_dir, synchronous="NORMAL"))
    cast.forget()
    yield
    database.disconnect()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_scenario(server: Gunicorn, stored: None, scenario: golden.Scenario) -> None:
    player.play(scenario, server)


def served() -> dict[str, re.Pattern[str]]:
    """Each operation with what its requests' first lines look like.

    Fixed segments win over parameters, so those with fewer parameters come first.
    """
    listed = operations.SERVED.split("\n")[1:-1]
    return {
        each: re.compile(re.sub(r"\\\{\w+\\\}", "[^/?]+", re.escape(each.replace("{A}", ""))) + r"/?(\?.*)?")
        for each in sorted(listed, key=lambda each: each.count("{"))
    }  # fmt: skip


def operation_of(exchange: golden.Exchange, known: dict[str, re.Pattern[str]]) -> str:
    first = exchange.request.first
    if exchange.request.is_absolute:
        first = re.sub(r"^(\w+) /[^/]+/[^/]+", r"\1 ", first)
    return next((each for each in known if known[each].fullmatch(first)), "")


def test_every_operation_of_the_reference_has_a_golden_success() -> None:
    known = served()

    shown = {
        operation_of(exchange, known)
        for scenario in SCENARIOS
        for exchange in scenario.exchanges
        if exchange.status == 200
    }

    assert set(known) - shown - REFUSED == set()
