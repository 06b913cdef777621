"""The app's limits in the document's words, and what is left of them; it is free."""

from flask import Blueprint, Response
from marshmallow import Schema, fields

from server import answers as told
from server import envelope, limiting, rules
from server.answers import answers
from server.caller import caller
from server.kinds import Bound, Calls, Interface, Quota
from server.limiting.headers import whole_seconds
from server.store import quotas

blueprint = Blueprint("limits", __name__)


class Limit(Schema):
    rule = told.text()
    kind = told.text()
    scope = fields.String(metadata={"description": "Of a rate: app or cluster."})
    limit = told.text("The words of the document.")
    doc = told.text("Where it says them.")
    calls = fields.Integer()
    characters = fields.Integer()
    items = fields.Integer()
    bytes = fields.Integer()
    most = fields.Integer()
    per_day = fields.Integer()
    bytes_per_second = fields.Integer()
    seconds = fields.Integer()
    remaining = fields.Integer()
    reset_seconds = fields.Integer()


class InterfaceLimits(Schema):
    interface = told.text()
    title = told.text()
    doc = told.text()
    rules = fields.List(fields.Nested(Limit), required=True)


@blueprint.get("/limits")
@answers(
    told.of_app(
        action="get",
        path="/limits",
        uri=told.uri(),
        edition=told.text(),
        data=[InterfaceLimits],
    )
)
def read() -> Response:
    """Every rule that binds the caller's app, by interface."""
    return envelope.of_app(
        action="get",
        path="/limits",
        uri=envelope.base() + "/limits",
        edition=caller().edition,
        data=[_interface(each) for each in rules.INTERFACES],
    )


def _interface(interface: Interface) -> dict[str, object]:
    told = [
        _rate(rule) if isinstance(rule, Calls) else _bound(rule)
        for rule in interface.rules
    ]
    return {
        "interface": interface.name,
        "title": interface.title,
        "doc": interface.source,
        "rules": [each for each in told if each is not None],
    }


def _rate(calls: Calls) -> dict[str, object] | None:
    told = calls.told(caller().edition)
    if told is None:
        return None
    now = limiting.standing(calls)
    return {
        "rule": calls.name,
        "kind": calls.kind,
        "scope": calls.scope,
        **told,
        "remaining": now.remaining,
        # When one more call comes back; 0 while nothing is counted.
        "reset_seconds": whole_seconds(now.reset_ns) if now.reset_ns else 0,
    }


def _bound(bound: Bound) -> dict[str, object] | None:
    told = bound.told(caller().edition)
    if told is None:
        return None
    told = {"rule": bound.name, "kind": bound.kind, **told}
    if isinstance(bound, Quota):
        used = quotas.used(caller().app.id, bound)
        told["remaining"] = max(0, bound.value - used)
        told["reset_seconds"] = quotas.seconds_left_today()
    return told
