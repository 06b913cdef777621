"""A pair of hosts, and callers who go on while a test does something to them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.hosts.fleet import TARGETS, Fleet, fleet
from tests.hosts.load import App, Caller, Calls
from tests.hosts.networks import Loopback
from tests.server.gunicorn import Gunicorn

Calling = Callable[..., AbstractContextManager[Calls]]


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts with one app; on the loopback, for nobody cuts them off."""
    place = tmp_path_factory.mktemp("pair")
    with fleet(place, Loopback(), {"globex/one": "enterprise"}) as pair:
        pair.add()
        pair.add()
        yield pair


@pytest.fixture
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The same, with the settings of hosts behind a proxy."""
    place = tmp_path_factory.mktemp("behind")
    with fleet(place, Loopback(), {"globex/one": "enterprise"}) as pair:
        for host in range(2):
            pair.add(trusted_proxies="1", access_log=str(place / f"access-{host}"))
        yield pair


@pytest.fixture
def calling() -> Calling:
    """Callers of these servers for as long as the context lasts."""

    @contextmanager
    def calling(servers: Sequence[Gunicorn], apps: Sequence[App]) -> Iterator[Calls]:
        calls = Calls(TARGETS, interfaces=("messages", "users"))
        callers = [
            Caller(calls, host, server.place, apps, 10 * host + n)
            for host, server in enumerate(servers)
            for n in range(3)
        ]
        for caller in callers:
            caller.start()
        try:
            yield calls
        finally:
            calls.stop.set()
            for caller in callers:
                caller.join()

    return calling
