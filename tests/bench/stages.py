"""The send of a message built up in stages, each a gunicorn application of its own.

``BENCH_STAGE`` says how far: bare, auth, limit, validation; anything else is the
server itself.
"""

import os

import orjson
from flask import Blueprint, Flask, Response

from server import auth, envelope, limiting, rules
from server.api import messages
from server.app import Weir, create_app
from server.kinds import Quota
from server.settings import Settings
from server.store import database, tokens
from server.store.messages import Outgoing

ANSWER = {
    "action": "post",
    "path": "/messages",
    "entities": [],
    "data": {"ada": "success"},
    "timestamp": 1_700_000_012_345,
    "duration": 0,
}


def bare() -> Flask:
    """Nothing but Flask, answering JSON."""
    app = Flask("bare", static_folder=None)

    @app.post("/<org>/<app>/messages")
    def send(org: str, app: str) -> Response:
        return Response(orjson.dumps(ANSWER), content_type=envelope.JSON)

    return app


def partial(settings: Settings, *, limited: bool) -> Flask:
    """Flask with authentication, and with the interface's limit if *limited*."""
    app = Weir("partial", static_folder=None)
    database.connect(settings)
    tokens.forget()
    envelope.init_app(app, settings)
    auth.init_app(app)
    if limited:
        limiting.init_app(app, settings)
    blueprint = Blueprint("messages", __name__)

    @blueprint.post("/messages")
    def send() -> Response:
        return envelope.answer(ANSWER)

    app.register_blueprint(blueprint, url_prefix="/<org>/<app>")
    if limited:
        limiting.prepare(app, rules.EDITIONS)
    return app


def validation(settings: Settings) -> Flask:
    """The server, but for keeping the message."""

    def keep(app_id: int, outgoing: Outgoing, *, at_most: Quota) -> list[int]:
        return [1] * len(outgoing.targets)

    messages.store.keep = keep
    return create_app(settings)


def build() -> Flask:
    settings = Settings.from_env(os.environ)
    match os.environ["BENCH_STAGE"]:
        case "bare":
            return bare()
        case "auth":
            return partial(settings, limited=False)
        case "limit":
            return partial(settings, limited=True)
        case "validation":
            return validation(settings)
        case _:
            return create_app(settings)


app = build()
