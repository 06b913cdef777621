"""Each call is recorded once, when its answer is ready: numbers, activity, a line.

The last thing done to an answer, and the same for every one, so what the log tells,
what is counted and what the console shows agree.
"""

import re
import time
from dataclasses import dataclass
from random import getrandbits

from flask import Flask, Request, Response, request

from server import access_log, activity, limiting, metrics
from server.access_log import Line, utc
from server.caller import App, Call, Caller, Kind, call
from server.clock import now_ns
from server.refusal_ring import Seen
from server.rules import EDITIONS, INTERFACES
from server.settings import Settings

HEADER = "X-Request-Id"
_GOOD_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")
"""What is taken over from a caller; anything else would be theirs to write our log."""

NO_ROUTE = "(no route)"
_APP = "/<org>/<app>"
_PART = re.compile(r"<(?:[^<>:]*:)?([^<>]*)>")

_INTERFACES = frozenset(each.name for each in INTERFACES)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the calls of one operation, for one edition, are recorded."""

    operation: str
    interface: str | None
    marks: metrics.Marks
    column: int


# By method, route and edition: as many as the table and the routes have.
_places: dict[tuple[str, str | None, str | None], Place] = {}
_told_lost = False


def init_app(app: Flask, settings: Settings) -> None:
    """Record every call of *app*; to be told of before whatever writes on answers."""
    global _told_lost
    _places.clear()
    _told_lost = False
    metrics.connect(settings, INTERFACES, EDITIONS)
    activity.connect(settings, INTERFACES)
    app.before_request(_identify)
    app.after_request(_record)


def _identify() -> None:
    """The caller's own name for the request, where that is harmless, or one of ours."""
    sent: str | None = request.environ.get("HTTP_X_REQUEST_ID")
    if sent is None or not _GOOD_ID.fullmatch(sent):
        sent = f"{getrandbits(128):032x}"  # unlikely twice; nothing hangs on it
    call().request_id = sent


def _record(response: Response) -> Response:
    at = call()
    took_ns = time.perf_counter_ns() - at.began_ns
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # one proxy, once
    status = response.status_code
    caller = at.caller
    app = at.app if caller is None else caller.app
    place = _place(asked, app)
    limited = at.breach is not None or status == 429
    metrics.answered(
        place.marks, _outcome(status, limited), took_ns, admitted=at.admitted
    )
    activity.answered(place.column, refused=limited)
    if at.breach is not None:
        _record_breach(at, app, place, status)
    _tell_of_counters()
    response.headers.add(HEADER, at.request_id)  # nobody else writes it
    if access_log.is_on():
        line = _line(at, app, place, status, took_ns)
        if asked.remote_addr:
            line["remote"] = asked.remote_addr
        access_log.write(line)
    return response


def _place(asked: Request, app: App | None) -> Place:
    route = asked.url_rule
    edition = None if app is None else app.edition
    key = (asked.method, None if route is None else route.rule, edition)
    found = _places.get(key)
    if found is None:
        found = _new_place(asked, edition)
        if route is not None:  # a method of no route can be any word
            _places[key] = found
    return found


def _new_place(asked: Request, edition: str | None) -> Place:
    interface = asked.blueprint if asked.blueprint in _INTERFACES else None
    names = NO_ROUTE
    if asked.url_rule is not None:
        names = _PART.sub(r"{\1}", asked.url_rule.rule.removeprefix(_APP))
    rates = limiting.rates(asked.endpoint, edition)
    return Place(
        f"{asked.method} {names}",
        interface,
        metrics.marks(interface, edition, rates),
        activity.column(interface),
    )


def _outcome(status: int, limited: bool) -> int:
    if limited:
        return metrics.REFUSED
    if status < 400:
        return metrics.OK
    if status >= 500:
        return metrics.FAILED
    return metrics.DENIED if status == 401 else metrics.INVALID


def _record_breach(at: Call, app: App | None, place: Place, status: int) -> None:
    breach = at.breach
    if breach is None:
        return
    metrics.refused(breach.rule, None if app is None else app.edition)
    if app is not None:
        seen = Seen(
            _moment(at),
            _by(at.caller) or "",
            place.operation,
            breach.rule,
            breach.words,
            breach.source,
            status,
            at.request_id,
        )
        activity.refused(app.uuid, seen)


def _tell_of_counters() -> None:
    """Let the other processes know when the counters are lost here, or are back."""
    global _told_lost
    lost = limiting.counters_are_lost()
    if lost is not _told_lost:
        _told_lost = lost
        metrics.counters_lost(lost)


def _by(caller: Caller | None) -> str | None:
    if caller is None or caller.kind is Kind.NOBODY:
        return None
    return "app" if caller.kind is Kind.APP else f"user:{caller.username}"


def _moment(at: Call) -> int:
    """When it was counted, or began if it was not, in Unix ns."""
    return at.counted_ns or now_ns() - (time.perf_counter_ns() - at.began_ns)


def _line(at: Call, app: App | None, place: Place, status: int, took_ns: int) -> Line:
    line: Line = {"time": utc(_moment(at)), "request_id": at.request_id}
    if app is not None:
        line["app"] = f"{app.org}/{app.name}"
        line["edition"] = app.edition
        if place.interface is not None:
            line["interface"] = place.interface
    line["operation"] = place.operation
    by = _by(at.caller)
    if by is not None:
        line["caller"] = by
    line["status"] = status
    line["ms"] = round(took_ns / 1_000_000, 2)
    if at.breach is not None:
        line["rule"] = at.breach.rule
    if at.asked_of_quota is not None:
        quota, recipients = at.asked_of_quota
        # Granted, or refused by the quota itself; a fault took nothing.
        if status < 400 or (at.breach is not None and at.breach.rule == quota):
            line["quota"] = recipients
    return line
