"""A server to attack over the network, and what an attacker of it may have."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from server.kinds import Membership
from server.settings import Settings
from server.store import apps, database, tokens, users
from tests.server.gunicorn import Gunicorn, read_all, serving

ATTACKED = "acme/chat"
PEOPLE = ("ada", "linus", "grace")


@dataclass
class Attacked:
    """One server, one app in it, and an app token of that app."""

    server: Gunicorn
    token: str

    def send(self, request: bytes, *, seconds: float = 10) -> bytes:
        """Whatever comes back until the server closes; TOKEN is filled in."""
        return self.server.raw(request.replace(b"TOKEN", self.token.encode()), seconds)

    def send_and_end(self, request: bytes) -> bytes:
        """The same of somebody who then says no more."""
        with socket.create_connection(self.server.place(), 10) as connection:
            connection.sendall(request.replace(b"TOKEN", self.token.encode()))
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    place = tmp_path_factory.mktemp("attacked") / "state"
    options = {"guard_calls": "1000000", "synchronous": "NORMAL", "time_zone": "UTC"}
    with serving(place, workers="1", **options) as server:
        database.connect(Settings(state_dir=place, synchronous="NORMAL"))
        tokens.forget()  # another test's database had another key
        apps.forget()
        apps.create(*ATTACKED.split("/"), "enterprise")
        made = apps.find(*ATTACKED.split("/"))
        assert made is not None
        new = [users.NewUser(name, None) for name in PEOPLE]
        users.add(made.id, new, at_most=Membership("none"))
        token = tokens.issue(made.id, None, None, made.token_key)
        database.forget()
        tokens.forget()
        apps.forget()
        yield Attacked(server, token)
        assert "a bug met" not in server.log
        assert "Traceback" not in server.log
