"""How a machine calls: one process without a socket, or workers over HTTP."""

import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from server.app import create_app
from server.settings import Settings
from server.store import database
from tests import databases
from tests.conftest import Clock, Tenant, make_tenant
from tests.model.machine import Answer, Call
from tests.server.gunicorn import Gunicorn, serving
from tests.trees import with_high_rates

EDITION = "enterprise"


def in_process(app: Flask, clock: Clock) -> Callable[[], Call]:
    """Of one process; a second passes from call to call, so that no rate refuses."""
    numbers = itertools.count()

    def begin() -> Call:
        tenant = make_tenant(app, f"model/app{next(numbers)}", EDITION)
        return functools.partial(_call_client, tenant, clock)

    return begin


def _call_client(
    tenant: Tenant,
    clock: Clock,
    method: str,
    path: str,
    body: object = None,
    token: str = "",
) -> Answer:
    clock.forward(1)
    head = {"Authorization": f"Bearer {token}"} if token else {}
    answer = tenant.call(method, path, json=body, headers=head)
    return answer.status_code, answer.get_json()


@contextmanager
def served(place: Path, workers: int = 4) -> Iterator[Callable[[], Call]]:
    """By gunicorn; each call on a connection of its own, to any of the workers."""
    tree, state_dir = with_high_rates(place), place / "state"
    url = databases.url_for(state_dir)
    app = create_app(Settings(state_dir=state_dir, database_url=url))
    numbers = itertools.count()
    with serving(
        state_dir, tree=tree, workers=str(workers), threads="4", access_log="off",
        guard_calls="100000", synchronous="NORMAL",
    ) as server:  # fmt: skip

        def begin() -> Call:
            tenant = make_tenant(app, f"model/app{next(numbers)}", EDITION)
            return functools.partial(_call_server, server, tenant)

        yield begin
    database.forget()


def _call_server(
    server: Gunicorn,
    tenant: Tenant,
    method: str,
    path: str,
    body: object = None,
    token: str = "",
) -> Answer:
    path = f"/{tenant.key}{path}"
    status, _, told = server.call(method, path, body, token or tenant.token)
    return status, told
