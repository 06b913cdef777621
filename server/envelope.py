"""Every answer, good or bad, is shaped here.

The standard envelope, the token answers' and the attributes' own; every error handler.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import orjson
from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from peewee import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from server import errors
from server.caller import begin, call, caller
from server.clock import now_ms
from server.errors import Refusal
from server.settings import Settings
from server.store.file_place import FilesOutOfReach

log = logging.getLogger("weir")

JSON = "application/json; charset=utf-8"
View = TypeVar("View", bound=Callable[..., Any])

_PLAIN = "_answers_plainly"
# What RFC 3986 lets stand in a path as it is, besides letters and digits.
_PLAIN_IN_PATHS = "/-._~!$&'()*+,;=:@"
_public_url: str | None = None


def _now() -> dict[str, int]:
    return {
        "timestamp": now_ms(),
        "duration": (time.perf_counter_ns() - call().began_ns) // 1_000_000,
    }


def answer(body: Mapping[str, object], status: int = 200) -> Response:
    """*body* as JSON, as it stands."""
    return Response(orjson.dumps(body), status, content_type=JSON)


def base() -> str:
    """The address of the caller's app, as callers see it: ``scheme://host/org/app``."""
    app = caller().app
    return f"{_root()}/{app.org}/{app.name}"


def site() -> str:
    """The address of the server's own pages, as callers see it."""
    return _root()


def _root() -> str:
    if _public_url is not None:
        return _public_url
    # Not request.host_url: that decodes and encodes again what a caller never sees.
    environ = request.environ
    return f"{environ['wsgi.url_scheme']}://{get_host(environ)}"


def get_host(environ: Mapping[str, str]) -> str:
    """The host a request was sent to, as its sender wrote it."""
    return environ.get("HTTP_HOST") or "{SERVER_NAME}:{SERVER_PORT}".format_map(environ)


def here() -> str:
    """The address this request was sent to, without its query."""
    app = caller().app
    rest = request.path.removeprefix(f"/{app.org}/{app.name}")
    return base() + quote(rest, safe=_PLAIN_IN_PATHS)


def ok(**parts: object) -> Response:
    """A 200 of *parts* with the times. A part that is None is left out."""
    body = {key: part for key, part in parts.items() if part is not None}
    return answer(body | _now())


def of_app(**parts: object) -> Response:
    """As :func:`ok`, with the keys that name the app."""
    app = caller().app
    return ok(
        **parts,
        application=app.uuid,
        organization=app.org,
        applicationName=app.name,
    )


def params() -> dict[str, list[str]] | None:
    """The query as it was sent, each value in a list; None when there was none."""
    return request.args.to_dict(flat=False) if request.query_string else None


def asks_for(name: str) -> bool:
    """Whether the query says ``name=true``."""
    return bool(request.query_string) and request.args.get(name) == "true"


def number_of(name: str, value: object) -> Response:
    """The answers that tell one thing of one user, under the name that was sent."""
    return ok(action="get", uri=here(), entities=[], data={name: value}, count=0)


def plainly(view: View) -> View:
    """Mark a view whose answers hold ``data``, and whose refusals hold ``desc``."""
    setattr(view, _PLAIN, True)
    return view


def data(value: object) -> Response:
    """The answer of a plain view."""
    return ok(data=value)


def oauth(body: Mapping[str, object]) -> Response:
    """The answer of a token request: no envelope at all, and nothing to keep."""
    response = answer(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def refuse(refused: Refusal) -> Response:
    """The answer to a call that is not done, in the shape of its endpoint."""
    if refused.breach is not None:
        breach = call().breach = refused.breach
        log.debug(  # a line for each is in the access log
            "%s refused: %s came, %r is allowed (%s)",
            breach.rule,
            "one call more" if breach.came is None else breach.came,
            breach.words,
            breach.source,
        )
    response = answer(_refusal(refused), refused.status)
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


Form = Literal["standard", "plain", "token"]


def form_of(endpoint: str, view: object) -> Form:
    """In which of the forms an endpoint refuses."""
    if endpoint == "tokens.issue":
        return "token"
    return "plain" if getattr(view, _PLAIN, False) else "standard"


def _refusal(refused: Refusal) -> dict[str, object]:
    endpoint = request.endpoint or ""
    form = form_of(endpoint, current_app.view_functions.get(endpoint))
    return told(refused, form, _now())


def told(refused: Refusal, form: Form, now: dict[str, int]) -> dict[str, object]:
    """The body of a refusal; some have the standard form everywhere."""
    limited = isinstance(refused, errors.ReachLimit)
    if form == "token" and not limited and not isinstance(refused, errors.BadToken):
        return {"error": refused.error, "error_description": refused.text}
    if form == "plain" and not limited:
        return {"desc": _desc(refused)} | now | _account(refused)
    described = {"error_description": refused.text} if refused.text else {}
    return {
        "error": refused.error,
        "exception": refused.exception,
        **now,
        **described,
    } | _account(refused)


def _account(refused: Refusal) -> dict[str, object]:
    """Which line of the document refused, and when to come back."""
    told: dict[str, object] = {}
    if refused.breach is not None:
        told["rule"] = refused.breach.rule
        told["limit"] = refused.breach.words
        told["doc"] = refused.breach.source
    if refused.retry_after is not None:
        told["retry_after"] = refused.retry_after
    return told


def _desc(refused: Refusal) -> str:
    if isinstance(refused, errors.Unauthorized | errors.BadToken):
        return errors.Unauthorized.error
    if isinstance(refused, errors.JsonParse | errors.IllegalArgument):
        return "Bad Request"
    return refused.text


# What Flask and Werkzeug refuse by themselves, in the wire's words.
_HTTP: Mapping[int, type[Refusal]] = {
    400: errors.IllegalArgument,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    408: errors.RequestTimeout,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
}


_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    refusal = _HTTP.get(error.code or 500, errors.ServerFault)
    if refusal is errors.MethodNotAllowed and request.method not in _METHODS:
        refusal = errors.UnknownMethod
    response = refuse(refusal())
    allowed: Sequence[str] | None = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unreachable(error: Exception) -> Response:
    log.error("the database does not answer: %s", error)
    return refuse(errors.Unavailable(retry_after=1))


def _files_unreachable(error: Exception) -> Response:
    log.error("WEIR_FILES_URL: %s", error)
    return refuse(errors.Unavailable(retry_after=1))


def _bug(error: Exception) -> Response:
    log.exception("a bug met %s %s", request.method, request.path, exc_info=error)
    return refuse(errors.ServerFault())


def init_app(app: Flask, settings: Settings) -> None:
    """Shape whatever a call ends in."""
    global _public_url  # one app a process
    _public_url = settings.public_url
    app.before_request(begin)  # a call's duration is all of it
    app.register_error_handler(Refusal, refuse)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _unreachable)
    app.register_error_handler(InterfaceError, _unreachable)
    app.register_error_handler(FilesOutOfReach, _files_unreachable)
    app.register_error_handler(Exception, _bug)
