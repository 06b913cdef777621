"""A host that joins others which are running."""

import pytest

from server.settings import PREFIX, Settings
from tests.hosts.conftest import Calling
from tests.hosts.fleet import TARGETS, Fleet
from tests.hosts.judging import most_in_a_second, out_of_order, wrongly_kept
from tests.hosts.load import Calls
from tests.readme import block


@pytest.fixture
def named() -> dict[str, str]:
    """The settings of README.md's environment file, read as the service reads it."""
    return dict(line.split("=", 1) for line in block("weir.env").splitlines())


def test_the_settings_of_several_hosts_are_settings(named: dict[str, str]) -> None:
    settings = Settings.from_env(named)

    assert settings.trusted_proxies == 1
    shared = {"DATABASE_URL", "COUNTERS_URL", "FILES_URL"}
    assert shared <= {name.removeprefix(PREFIX) for name in named}


def test_it_takes_over_what_was_counted_and_the_ids(
    pair: Fleet, calling: Calling
) -> None:
    (app,) = pair.apps
    hour = f"/{app.key}/chatmessages/2026010100"
    first = pair.hosts[0].call("GET", hour, token=app.token)[0]
    assert first not in (429, 503)

    with calling(pair.hosts, pair.apps) as calls:
        calls.wait_for_more(10, [app.key], (0, 1))
        new = pair.add()
        # One a minute, which the others have admitted.
        status, _, answer = new.call("GET", hour, token=app.token)
        assert (status, answer["rule"]) == (429, "history.calls")
        with calling([new], pair.apps) as later:
            later.wait_for_more(10, [app.key], [0])
            calls.wait_for_more(10, [app.key], (0, 1))

    every = Calls(TARGETS, outcomes=calls.outcomes + later.outcomes)
    assert most_in_a_second(every.of("messages")) <= 30
    assert most_in_a_second(every.of("users", 404)) <= 30
    assert out_of_order(every.of("messages")) == []
    rows = pair.rows("SELECT id, target, body FROM message")
    sends = [each for each in every.outcomes if each.interface == "messages"]
    assert wrongly_kept(sends, rows, TARGETS) == []
    assert pair.rows("SELECT sum(used)::int FROM quota_use") == [(len(rows),)]
