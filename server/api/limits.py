"""The app's limits in the document's words, and what is left of them; it is free."""

from collections.abc import Mapping

from flask import Blueprint, Response

from server import envelope, limiting, rules
from server.caller import caller
from server.kinds import Bound, Calls, Interface, Quota
from server.limiting.counters import Taken
from server.limiting.headers import whole_seconds
from server.store import quotas

blueprint = Blueprint("limits", __name__)


@blueprint.get("/limits")
def read() -> Response:
    """Every rule that binds the caller's app, by interface."""
    rates = [
        rule
        for interface in rules.INTERFACES
        for rule in interface.rules
        if isinstance(rule, Calls) and caller().edition in rule.rates
    ]
    # All at once: shared counters are a round trip away.
    now = dict(zip(rates, limiting.standing(rates), strict=True))
    return envelope.of_app(
        action="get",
        path="/limits",
        uri=envelope.base() + "/limits",
        edition=caller().edition,
        data=[_interface(each, now) for each in rules.INTERFACES],
    )


def _interface(interface: Interface, now: Mapping[Calls, Taken]) -> dict[str, object]:
    told = [
        _rate(rule, now.get(rule)) if isinstance(rule, Calls) else _bound(rule)
        for rule in interface.rules
    ]
    return {
        "interface": interface.name,
        "title": interface.title,
        "doc": interface.source,
        "rules": [each for each in told if each is not None],
    }


def _rate(calls: Calls, now: Taken | None) -> dict[str, object] | None:
    if now is None:
        return None
    rate = calls.rates[caller().edition]
    return {
        "rule": calls.name,
        "kind": "calls",
        "scope": calls.scope,
        "limit": rate.words,
        "doc": rate.source,
        "calls": rate.calls,
        "seconds": rate.seconds,
        "remaining": now.remaining,
        # When one more call comes back; 0 while nothing is counted.
        "reset_seconds": whole_seconds(now.reset_ns) if now.reset_ns else 0,
    }


def _bound(bound: Bound) -> dict[str, object] | None:
    stated = bound.stated()
    if stated is None:
        return None
    told: dict[str, object] = {
        "rule": bound.name,
        "kind": bound.kind,
        "limit": stated.words,
        "doc": stated.source,
        bound.unit: stated.value,
    }
    if isinstance(bound, Quota):
        used = quotas.used(caller().app.id, bound)
        told["remaining"] = max(0, stated.value - used)
        told["reset_seconds"] = quotas.seconds_left_today()
    return told
