"""The call rates of the table, enforced by Flask-Limiter over counters of our own.

``limit_every_route`` and ``limit_route`` are the two verbs the generated rules speak.
Flask-Limiter decides which limits bind a route; what it would work out again at every
request (which limits, parsing them, reading back what is left) is prepared once at
start, and all limits of a call are taken together or not at all.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from flask import Blueprint, Flask, request
from flask_limiter import Limiter
from flask_limiter._extension import LimiterContext
from flask_limiter.util import get_qualified_name

from server.caller import App, Kind, call, caller
from server.clock import now_ns
from server.errors import ReachLimit, Unavailable
from server.kinds import Calls
from server.limiting import headers
from server.limiting.counters import Taken
from server.limiting.guard import Guard
from server.limiting.loss import Counters
from server.limiting.plan import Plan, draw, last_to_admit, plan, shared_interfaces
from server.limiting.shadow import Shadow
from server.settings import Settings

__all__ = [
    "bound",
    "counters_are_lost",
    "guard",
    "init_app",
    "let_shadow",
    "limit_every_route",
    "limit_route",
    "prepare",
    "rates",
    "standing",
    "standings",
]

log = logging.getLogger("weir")

View = TypeVar("View", bound=Callable[..., Any])

_planned_edition: ContextVar[str] = ContextVar("planned_edition")


class _Prepared(Limiter):
    """Flask-Limiter with its per-request questions answered once, by ``prepare``."""

    # What the base class keeps of a request, for headers that are not written and
    # deductions that are not made. Always empty here, so one serves all.
    context = LimiterContext()

    def __init__(self) -> None:
        super().__init__(
            key_func=_whom,
            # An unset storage warns and quietly counts in each process by itself.
            storage_uri="rings://",
            strategy="exact-window",
            headers_enabled=False,
        )
        self.counters: Counters | None = None
        self.editions: Mapping[str, str] = {}
        self.shadow: Shadow | None = None
        self.shared: frozenset[str] = frozenset()
        self._plans: dict[tuple[str | None, str], Plan] = {}

    def prepare(self, app: Flask, editions: Mapping[str, str]) -> None:
        """Ask Flask-Limiter once which limits bind each route, for each edition."""
        self.editions = editions
        self.shared = shared_interfaces(_declared)
        self._plans = {}
        for edition in editions:
            with _planning(edition):
                for endpoint, view in app.view_functions.items():
                    found = self._plan(app, endpoint, view, edition)
                    if found is not None:
                        self._plans[endpoint, edition] = found

    def bound(self, endpoint: str) -> tuple[Calls, ...]:
        """Each rate of the route's plans, once."""
        plans = (self._plans.get((endpoint, edition)) for edition in self.editions)
        found = (calls for plan in plans if plan for calls, _ in plan.limits)
        return tuple(dict.fromkeys(found))

    def plan(self, endpoint: str | None, edition: str) -> Plan | None:
        """What binds the route, as prepared."""
        return self._plans.get((endpoint, edition))

    def _plan(
        self, app: Flask, endpoint: str, view: Callable[..., Any], edition: str
    ) -> Plan | None:
        blueprint, dot, _ = endpoint.rpartition(".")
        _, resolved = self.limit_manager.resolve_limits(
            app, endpoint, blueprint if dot else None, get_qualified_name(view)
        )
        bound = {limit.scope: limit for limit in resolved}
        limits = tuple(
            (calls, calls.rates[edition])
            for calls in _declared
            if calls.name in bound and edition in calls.rates
        )
        return plan(limits, self.shared) if limits else None

    def _check_request_limit(
        self,
        callable_name: str | None = None,  # noqa: ARG002 (the base class's signature)
        in_middleware: bool = True,
    ) -> None:
        """Take every limit of the route in one step; the base class takes them singly.

        Its second visit, from inside a decorated view, finds them taken already.
        """
        at = call()
        found = at.caller
        if not in_middleware or found is None:
            return
        if found.app.edition not in self.editions:
            # The table lost the edition after the app was put on it. No figure binds
            # the app then, and a call that nothing limits is not let through.
            log.error(
                "%s/%s is on the edition %r, which the table does not state",
                found.app.org,
                found.app.name,
                found.app.edition,
            )
            raise Unavailable(retry_after=1)
        planned = self.plan(request.endpoint, found.app.edition)
        # A call without a token met the guard instead: an outsider cannot spend an
        # app's budget, not even where the endpoint is open to everyone.
        if planned is None or found.kind is Kind.NOBODY or self.counters is None:
            return
        admitted, taken = self.counters.take(planned.wants(found.app.id))
        at.counted_ns = getattr(taken, "at_ns", 0) or now_ns()
        at.admitted = admitted
        headers.note(planned, taken)
        if self.shadow is not None:
            self.shadow.count(request.endpoint, found.app)
        if not admitted:
            raise _refusal(planned, taken, found.app.edition)


def _refusal(planned: Plan, taken: list[Taken], edition: str) -> ReachLimit:
    """By the limit that is the last to admit the call again."""
    calls, wait_ns = last_to_admit(planned, taken)
    return ReachLimit(
        breach=calls.breach(edition), retry_after=headers.whole_seconds(wait_ns)
    )


def _whom() -> str:
    return str(caller().app.id)


@contextmanager
def _planning(edition: str) -> Iterator[None]:
    token = _planned_edition.set(edition)
    try:
        yield
    finally:
        _planned_edition.reset(token)


# One app a process: a Limiter serves the last app it was given.
_limiter = _Prepared()
_declared: list[Calls] = []
_guard: Guard | None = None


def _declare(calls: Calls, *, on_top: bool) -> Any:
    if calls not in _declared:
        _declared.append(calls)

    def stated() -> str:
        # Asked for at start, once an edition; an edition may have no rate here.
        rate = calls.rates.get(_planned_edition.get())
        return f"{rate.calls}/{rate.per}" if rate else ""

    # Flask-Limiter lets a decorated route's limit replace its blueprint's; one that
    # does not override comes on top of it.
    return _limiter.shared_limit(stated, scope=calls.name, override_defaults=not on_top)


def limit_every_route(blueprint: Blueprint, calls: Calls) -> None:
    """Bind every route of the interface to one budget an app."""
    _declare(calls, on_top=False)(blueprint)


def limit_route(calls: Calls) -> Callable[[View], View]:
    """A decorator for the routes that a narrower rate binds beside the interface's."""
    decorate: Callable[[View], View] = _declare(calls, on_top=True)
    return decorate


def init_app(app: Flask, settings: Settings) -> None:
    """Open the counters and count before every request, after auth has run."""
    global _guard
    _limiter.counters = Counters(settings)
    _limiter.shadow = None
    _guard = Guard(_limiter.counters, settings.guard_calls)
    _limiter.init_app(app)
    headers.init_app(app)


def prepare(app: Flask, editions: Mapping[str, str]) -> None:
    """Once every blueprint is registered: work out what each route takes."""
    _limiter.prepare(app, editions)


def let_shadow(shadow: Shadow | None) -> None:
    """Count every call in *shadow* too, from now on; None: no more."""
    _limiter.shadow = shadow


def guard() -> Guard:
    """The guard of calls without a valid token."""
    if _guard is None:
        message = "limiting.init_app has not run"
        raise RuntimeError(message)
    return _guard


def rates(endpoint: str | None, edition: str | None) -> tuple[str, ...]:
    """The names of the rates that bind a route for apps of *edition*."""
    found = None if edition is None else _limiter.plan(endpoint, edition)
    return () if found is None else tuple(calls.name for calls, _ in found.limits)


def counters_are_lost() -> bool:
    """Whether the counters did not answer when they were last asked."""
    return _limiter.counters is not None and _limiter.counters.lost


def standing(rates: Sequence[Calls]) -> list[Taken]:
    """How each of *rates* stands for the caller's app; asking takes nothing."""
    if _limiter.counters is None:
        message = "limiting.init_app has not run"
        raise RuntimeError(message)
    app = caller().app
    draws = [draw(calls, calls.rates[app.edition], _limiter.shared) for calls in rates]
    return _limiter.counters.peek([each.want(app.id) for each in draws])


def standings(app: App, wanted: Sequence[Calls]) -> list[Taken]:
    """How each of these rates stands for *app*, which has them all; takes nothing."""
    if _limiter.counters is None:
        message = "limiting.init_app has not run"
        raise RuntimeError(message)
    draws = [draw(calls, calls.rates[app.edition], _limiter.shared) for calls in wanted]
    return _limiter.counters.peek([each.want(app.id) for each in draws])


def bound(endpoint: str) -> tuple[Calls, ...]:
    """The rates that bind a route in any edition, once `prepare` has run."""
    return _limiter.bound(endpoint)
