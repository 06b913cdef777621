"""Who may: the path and the bearer token become a Caller before anything is counted.

Permission comes before counting because budgets are kept per app: a call without a
valid token must not draw on one. What such calls draw on is the guard, per address.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Flask, Request, current_app, request
from werkzeug.exceptions import NotFound

from server import errors, limiting
from server.caller import App, Caller, Kind, call
from server.clock import now_ms
from server.errors import Refusal
from server.store import apps, tokens, users

View = TypeVar("View", bound=Callable[..., Any])

Decision = Callable[[Caller], Caller | None]

_ALLOWS = "_allows"
_DECIDES = "_decides"
_DENIES = "_denies"
_ONLY_APP = frozenset({Kind.APP})
_ANYONE = frozenset({Kind.NOBODY})

_denials: dict[str, type[Refusal]] = {}
_unusable: dict[str, type[Refusal]] = {}
_bad: dict[str, type[Refusal]] = {}


def allow(*kinds: Kind) -> Callable[[View], View]:
    """Mark a view that more than app tokens open; the mark is read before counting.

    A view open to ``NOBODY`` alone does not look at the token at all.
    """

    def mark(view: View) -> View:
        setattr(view, _ALLOWS, frozenset(kinds))
        return view

    return mark


def decide(by: Decision, *kinds: Kind) -> Callable[[View], View]:
    """Mark a view that is open on conditions, to some callers of each of *kinds*.

    *by* is given who called (``NOBODY`` where no token was sent) and returns as whom
    the call goes on, None to deny it, or raises a refusal of its own.
    """

    def mark(view: View) -> View:
        setattr(view, _DECIDES, by)
        return allow(*kinds)(view)

    return mark


def deny_with(refusal: type[Refusal]) -> Callable[[View], View]:
    """Mark a view that has its own words for callers who may not."""

    def mark(view: View) -> View:
        setattr(view, _DENIES, refusal)
        return view

    return mark


def deny_all_with(blueprint: Blueprint, refusal: type[Refusal]) -> None:
    """The same for a whole interface."""
    _denials[blueprint.name] = refusal


def deny_everything_with(blueprint: Blueprint, refusal: type[Refusal]) -> None:
    """The same, and for tokens that are no good, which else have words of their own."""
    deny_all_with(blueprint, refusal)
    _unusable[blueprint.name] = refusal


def deny_bad_tokens_with(blueprint: Blueprint, refusal: type[Refusal]) -> None:
    """As :func:`deny_all_with`, for every bad token too; one that is over says so."""
    deny_all_with(blueprint, refusal)
    _bad[blueprint.name] = refusal


def init_app(app: Flask) -> None:
    """Check every request, before anything else that was registered."""
    app.before_request(_authenticate)


def _authenticate() -> None:
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # one proxy, once
    arguments = asked.view_args
    if asked.routing_exception is not None:
        _check_app_of_unknown_path()
        return
    if not arguments or "org" not in arguments:
        return  # the server's own pages: health and the like
    org, name = arguments.pop("org"), arguments.pop("app")
    try:
        found = _caller(asked, org, name)
    except Refusal as refused:
        limiting.guard().admit(asked.remote_addr)
        raise refused from None
    if found.kind is Kind.NOBODY:
        limiting.guard().admit(asked.remote_addr)
    call().caller = found


def _check_app_of_unknown_path() -> None:
    """An unknown app is said to be unknown on any path."""
    if not isinstance(request.routing_exception, NotFound):
        return
    org, _, rest = request.path.lstrip("/").partition("/")
    name, _, rest = rest.partition("/")
    if name and apps.find(org, name) is None:
        limiting.guard().admit(request.remote_addr)
        raise errors.AppNotFound(org, name, rest)


def _caller(asked: Request, org: str, name: str) -> Caller:
    app = apps.find(org, name)
    if app is None:
        raise errors.AppNotFound(org, name, _rest_of_path(org, name))
    view = current_app.view_functions[asked.endpoint or ""]
    allowed: frozenset[Kind] = getattr(view, _ALLOWS, _ONLY_APP)
    if allowed == _ANYONE:
        return Caller(app, Kind.NOBODY)
    header = asked.environ.get("HTTP_AUTHORIZATION")
    try:
        found = caller_of(app, header) if header else Caller(app, Kind.NOBODY)
    except (errors.BadToken, errors.ExpiredToken) as no_good:
        unusable = _unusable.get(asked.blueprint or "")
        if unusable is None and isinstance(no_good, errors.BadToken):
            unusable = _bad.get(asked.blueprint or "")
        if unusable is None:
            raise
        raise unusable from None
    decision: Decision | None = getattr(view, _DECIDES, None)
    if decision is not None:
        admitted = decision(found)
    else:
        admitted = found if found.kind in allowed else None
    if admitted is None:
        raise _denial(view, app)
    return admitted


def _rest_of_path(org: str, name: str) -> str:
    return request.path.removeprefix(f"/{org}/{name}/")


def _denial(view: object, app: App) -> Refusal:
    denied = _denied(view, request.blueprint or "")
    return _subject(app) if denied is None else denied()


def _denied(view: object, blueprint: str) -> type[Refusal] | None:
    """The words for callers who may not; None: those that name the resource."""
    found: type[Refusal] | None = getattr(view, _DENIES, _denials.get(blueprint))
    return found


@dataclass(frozen=True, slots=True)
class Opened:
    """Who may call a view, for those who want to know beforehand."""

    kinds: frozenset[Kind]
    condition: str | None
    """On which some of them may, in the words of who decides."""
    refusals: tuple[type[Refusal], ...]
    """Of those who may not; a view may have more of its own."""


def opened(view: object, blueprint: str) -> Opened:
    """What the marks of a view of an app say."""
    kinds: frozenset[Kind] = getattr(view, _ALLOWS, _ONLY_APP)
    decision: Decision | None = getattr(view, _DECIDES, None)
    condition = inspect.getdoc(decision) if decision is not None else None
    if kinds == _ANYONE:
        return Opened(kinds, condition, ())
    refusals: list[type[Refusal]] = [_denied(view, blueprint) or errors.Unauthorized]
    if blueprint in _unusable:
        refusals.append(_unusable[blueprint])
    else:
        refusals += [_bad.get(blueprint, errors.BadToken), errors.ExpiredToken]
    return Opened(kinds, condition, tuple(dict.fromkeys(refusals)))


def _subject(app: App) -> Refusal:
    """The reference's P1: names the resource, by uuid where the path names a user."""
    resource = "/users"
    arguments = request.view_args or {}
    name = arguments.get("username") or arguments.get("owner_username")
    if name and request.endpoint != "users.change_push_settings":
        found = users.find(app.id, name)
        if found is not None:
            resource = f"/users/{found.uuid}"
    return errors.Unauthorized.subject(request.method.lower(), app.uuid, resource)


def caller_of(app: App, authorization: str) -> Caller:
    """Who an ``Authorization`` field speaks for in *app*.

    Raises:
        BadToken: malformed, another app's or nobody's.
        ExpiredToken: over, or revoked.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise errors.BadToken
    try:
        claims = tokens.read(token.strip())
    except tokens.Malformed:
        raise errors.BadToken from None
    except tokens.Forged:
        raise errors.BadToken("Unable to authenticate") from None
    if claims.app_id != app.id:
        raise errors.BadToken
    if claims.ends is not None and claims.ends <= now_ms() // 1000:
        raise errors.ExpiredToken
    if claims.user_id is None:
        if not tokens.same(claims.token_key, app.token_key):
            raise errors.ExpiredToken
        return Caller(app, Kind.APP)
    username = users.named_by_token(app.id, claims.user_id, claims.token_key)
    if username is None:
        raise errors.ExpiredToken
    return Caller(app, Kind.USER, claims.user_id, username)
