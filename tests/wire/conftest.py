"""One server for all that talk to it, and its database for what they are given."""

from collections.abc import Iterator

import pytest

from server.settings import Settings
from server.store import database
from tests.server.gunicorn import Gunicorn, serving
from tests.wire import cast, player


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    with serving(
        tmp_path_factory.mktemp("wire") / "state",
        workers="1",
        guard_calls="1000000",
        public_url=player.BASE,
        synchronous="NORMAL",
        time_zone="UTC",
    ) as server:
        yield server
        assert "a bug met" not in server.log


@pytest.fixture
def stored(server: Gunicorn) -> Iterator[None]:
    """The server's own database, connected here too."""
    database.connect(Settings(state_dir=server.state_dir, synchronous="NORMAL"))
    cast.forget()
    yield
    database.disconnect()
