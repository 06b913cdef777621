"""A server with an app in it that everything can be tried on, and its names.

The rates of its table are high, for what is tried here is what calls do. Nothing else
of the server differs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server import demo
from server.app import create_app
from server.settings import Settings
from server.store import apps, database, tokens, users
from tests import databases
from tests.conftest import make_tenant
from tests.server.gunicorn import Gunicorn, serving
from tests.trees import with_high_rates

KEY = "demo/town"
LISTENER = "listener"
"""Who opens streams; no call names them otherwise, so that their token stays good."""
DOOMED = tuple(f"doomed{n}" for n in range(8))
WORKERS = 2


@dataclass
class Town:
    """What is there to call with."""

    app_token: str
    user_token: str
    client_id: str
    client_secret: str
    users: Sequence[str]
    groups: Sequence[str]
    rooms: Sequence[str]
    file: str
    server: Gunicorn = field(init=False)


def settle(state_dir: Path) -> Town:
    settings = Settings(state_dir=state_dir, database_url=databases.url_for(state_dir))
    tenant = make_tenant(create_app(settings), KEY, "enterprise")
    app = apps.find(*KEY.split("/"))
    assert app is not None
    cast = demo.fill(app)
    new = [users.NewUser(name, None) for name in (LISTENER, *DOOMED)]
    users.add(app.id, new, at_most=demo.user_rules.USERS_PER_APP)
    listener = users.sign_in(app.id, LISTENER)
    assert listener is not None
    user_token = tokens.issue(app.id, listener.user.id, None, listener.token_key)
    credentials = tenant.credentials
    database.forget()
    return Town(
        tenant.token, user_token, credentials.client_id, credentials.client_secret,
        cast.users, [cast.group], [cast.room], cast.file,
    )  # fmt: skip


@contextmanager
def town(place: Path, spoil: Callable[[Path], None] = lambda _: None) -> Iterator[Town]:
    """*spoil* may edit the tree that is served."""
    tree, state_dir = with_high_rates(place), place / "state"
    spoil(tree)
    found = settle(state_dir)
    with serving(
        state_dir, tree=tree, workers=str(WORKERS), threads="8",
        guard_calls="100000", access_log=str(place / "access.log"), log_level="warning",
    ) as found.server:  # fmt: skip
        yield found
