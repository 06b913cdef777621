"""How the server is: for probes and operators. Outside the table."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, request

from server import answers as told
from server import envelope, limiting, scrape
from server.answers import answers
from server.errors import BadToken, NotFound
from server.settings import Settings
from server.store import database

blueprint = Blueprint("ops", __name__)

_metrics_token: str | None = None
_is_behind_proxies = False

# Any of these says that someone called for another; without trusted proxies we do not
# know for whom.
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


def init_app(settings: Settings) -> None:
    """Show the metrics to whom the settings say."""
    global _metrics_token, _is_behind_proxies  # one app a process
    _metrics_token = settings.metrics_token
    _is_behind_proxies = settings.trusted_proxies > 0
    scrape.forget()


@blueprint.get("/healthz")
@answers(told.ok(status="ok"))
def health() -> Response:
    """200 while the database answers; its error handler makes a 503 of the rest."""
    database.answers()
    return envelope.ok(status="ok")


@blueprint.get("/metrics")
@answers(told.content(scrape.CONTENT_TYPE))
def metrics() -> Response:
    """What is counted, for Prometheus: with the token or, where none is set, from here.

    Raises:
        BadToken: a token is set, and it is not this one.
        NotFound: no token is set, and the call is not from this host.
    """
    if _metrics_token is None:
        if not _is_from_here():
            raise NotFound
    elif not _has_token(_metrics_token):
        limiting.guard().admit(request.remote_addr)
        raise BadToken
    return Response(scrape.text(), content_type=scrape.CONTENT_TYPE)


def _has_token(token: str) -> bool:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    given = sent.strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, token.encode()) and scheme.lower() == "bearer"


def _is_from_here() -> bool:
    """Whether caller and whoever connected to us are this host, and are the same."""
    environ = request.environ
    if not _is_behind_proxies and any(field in environ for field in _FORWARDED):
        return False
    before: dict[str, str] = environ.get("werkzeug.proxy_fix.orig", {})
    connected = before.get("REMOTE_ADDR") or request.remote_addr
    return _is_loopback(connected) and _is_loopback(request.remote_addr)


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:  # a unix socket has no address, and a proxy before it
        return False
