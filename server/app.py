"""The factory: what is switched on, in which order."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from server import (
    api,
    auth,
    cli,
    console,
    downloads,
    envelope,
    limiting,
    pacing,
    pages,
    record,
    reference,
    rules,
    streaming,
    thumbnails,
)
from server.api import history_files, ops
from server.pages import limits_document
from server.paths import RegularPaths
from server.settings import Settings
from server.store import apps, database, file_storage, history, schema, tokens

log = logging.getLogger("weir")

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "limits.md"


class Route(Rule):
    """A route whose addresses nobody asks for.

    werkzeug compiles two functions for each that would build them, which was most of
    what :func:`create_app` took.
    """

    def _compile_builder(
        self, append_unknown: bool = True
    ) -> Callable[..., tuple[str, str]]:
        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            make = super(Route, self)._compile_builder(append_unknown)
            return make(rule, **values)

        return build


class Weir(Flask):
    """Flask, which asks of each function at each request whether it is a coroutine."""

    url_rule_class = Route

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func  # none here is


def create_app(settings: Settings) -> Flask:
    """The server as the settings want it. Each line is a promise, in this order.

    Raises:
        UnusableDatabase: the database cannot be used, or is another program's.
        OutOfReach: it does not answer.
    """
    app = Weir("server", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # RegularPaths has; a redirect would lose a POST
    database.connect(settings)
    schema.prepare()
    file_storage.connect(settings)
    history.connect(settings)
    tokens.forget()
    history_files.forget()
    apps.forget()
    app.teardown_request(database.release)
    envelope.init_app(app, settings)  # first: a call's duration is all of it
    record.init_app(app, settings)  # before who writes on answers: it sees the last
    auth.init_app(app)  # before the limits: budgets are kept per app
    limiting.init_app(app, settings)
    slow = pacing.slots_of(settings.threads)  # answers that keep a thread for long
    app.extensions[pacing.SLOTS] = slow  # those who send slowly have them too
    downloads.init_app(settings, slow)
    thumbnails.init_app(settings.threads)
    ops.init_app(settings)
    streaming.init_app(app, settings, slow)
    for blueprint in (*api.BLUEPRINTS, *api.APP_BLUEPRINTS):
        app.register_blueprint(blueprint, url_prefix="/<org>/<app>")
    for blueprint in (*api.SERVER_BLUEPRINTS, reference.blueprint, pages.blueprint):
        app.register_blueprint(blueprint)
    app.register_blueprint(console.blueprint)
    reference.init_app(settings)
    pages.init_app(DOCUMENT)
    console.init_app(settings, DOCUMENT)
    limiting.prepare(app, rules.EDITIONS)
    cli.init_app(app, settings)
    app.wsgi_app = RegularPaths(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own advice
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # likewise
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    warn_of_stale_rules(DOCUMENT)
    return app


def warn_of_stale_rules(document: Path) -> None:
    """Say loudly when the document beside the server says something else by now."""
    try:
        text = document.read_text("utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        log.error("%s cannot be read (%s)", document.name, error)
        return
    if not limits_document.says_the_rules(text):
        log.error(
            "%s DOES NOT MATCH THE COMPILED RULES: callers are held to the rules, not"
            " to the document. See `python -m codegen diff`, then run"
            " `python -m codegen` and reload.",
            document.name,
        )
