"""What every page of the console has: its headers, its surroundings, its refusals."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import orjson
from flask import (
    Blueprint,
    Response,
    g,
    render_template,
    request,
    send_from_directory,
)
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from server.errors import Refusal
from server.store.operators import Session

log = logging.getLogger("weir")

blueprint = Blueprint(
    "console", __name__, url_prefix="/console", template_folder="templates"
)

_ASSETS = Path(__file__).parent / "static"
_HEADERS = {
    # Our own scripts, styles and calls; nothing inline, nothing from elsewhere.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Which app was looked at is nobody else's business. With "no-referrer" browsers
    # would send our own forms as of origin "null".
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def root() -> str:
    """The way from this page to ``/console``, wherever a proxy puts it.

    A page is asked for without a slash at its end; see ``gate``.
    """
    steps = request.path.count("/") - 1
    return "../" * steps + "console"


def page(template: str, status: int = 200, **context: object) -> Response:
    """A page, which a browser holds to our own assets."""
    session: Session | None = g.get("session")
    html = render_template(
        f"console/{template}",
        root=root(),
        session=session,
        csrf=g.get("csrf", ""),
        **context,
    )
    return Response(html, status, content_type="text/html; charset=utf-8")


def parts(**templates: str) -> Response:
    """What a page puts anew in the places of these ids."""
    told = {"parts": templates, "at": clock(None)}
    return Response(orjson.dumps(told), content_type="application/json")


def fragment(template: str, **context: object) -> str:
    """A part of a page."""
    return render_template(f"console/{template}", root=root(), **context)


def alone(status: int, title: str, words: str, *, back: bool = True) -> Response:
    """A page that says one thing."""
    return page("alone.html", status, title=title, words=words, back=back, at=None)


@blueprint.app_template_filter("moment")
def moment(at_ms: int) -> str:
    """``2026-11-23 06:37:23``, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@blueprint.app_template_filter("clock")
def clock(at_ms: int | None) -> str:
    """``06:37:23``, UTC; None: now."""
    if at_ms is None:
        return datetime.now(UTC).strftime("%H:%M:%S")
    return moment(at_ms).partition(" ")[2]


@blueprint.app_template_filter("grouped")
def grouped(number: float) -> str:
    """``1,234``, or ``0.4`` below ten."""
    if isinstance(number, float) and number < 10 and number != int(number):
        return f"{number:.1f}"
    return f"{round(number):,}"


@blueprint.after_request
def _harden(response: Response) -> Response:
    response.headers.update(_HEADERS)
    if request.endpoint == "console.asset":
        response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/assets/<name>")
def asset(*, name: str) -> Response:
    """A style or a script: all there are, and none from elsewhere."""
    return send_from_directory(_ASSETS, name)


@blueprint.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def missing(*, rest: str) -> Response:  # noqa: ARG001 (whatever it is, it is not there)
    """Whatever else there could be."""
    return alone(404, "There is no such page", "What you look for is not in here.")


_TITLES = {
    403: "That is not allowed",
    404: "There is no such page",
    405: "That cannot be done here",
    413: "That is too much",
    429: "Too many attempts",
    503: "The server cannot answer just now",
}


@blueprint.errorhandler(Refusal)
def _refused(refused: Refusal) -> Response:
    wait = refused.retry_after
    words = refused.text
    if wait is not None:
        words = f"Try again in {wait} second{'' if wait == 1 else 's'}."
    title = _TITLES.get(refused.status, "That cannot be done")
    response = alone(refused.status, title, words)
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    return alone(status, _TITLES.get(status, "That cannot be done"), f"HTTP {status}.")


@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(InterfaceError)
def _unreachable(error: Exception) -> Response:
    log.error("the database does not answer: %s", error)
    g.pop("session", None)
    words = "The database does not answer. Try again in a moment."
    return alone(503, _TITLES[503], words)


@blueprint.errorhandler(Exception)
def _bug(error: Exception) -> Response:
    log.exception("a bug met %s %s", request.method, request.path, exc_info=error)
    return alone(500, "Something is broken", "The server's log says what it was.")
