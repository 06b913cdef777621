"""An app: its limits and their use, what may be changed, who was refused."""

from collections import Counter

import orjson
from flask import Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from server import activity, limiting, rules
from server.caller import App
from server.console import figures, receiving, trying
from server.console.frame import blueprint, fragment, page, parts, root
from server.refusal_ring import Seen
from server.store import apps, audit

MOST_REFUSALS = 20
MOST_CHANGES = 5
_DONE = {
    "edition": "The app is on another edition, from its next call on.",
    "same": "The app is on that edition already; nothing changed.",
}
_APP = "/apps/<owner>/<name>"


def named(owner: str, name: str) -> App:
    """The app of a page's address, or the page that says there is none."""
    found = apps.find(owner, name)
    if found is None:
        raise NotFound
    return found


def _page(app: App, status: int = 200, **more: object) -> Response:
    key = f"{app.org}/{app.name}"
    told: dict[str, object] = {
        "wrong": "",
        "done": _DONE.get(request.args.get("done", ""), ""),
        "made": None,
        "tried": None,
        "draft": trying.Draft(),
    }
    return page(
        "app.html",
        status,
        at="overview",
        app=app,
        key=key,
        rows=figures.of_app(app),
        holdings=apps.holdings(app.id),
        editions=rules.EDITIONS,
        changes=audit.page(subject=key, limit=MOST_CHANGES),
        refusals=_refusals(app),
        are_counters_lost=limiting.counters_are_lost(),
        users=receiving.offered(app),
        **(told | more),
    )


def _refusals(app: App) -> list[tuple[Seen, int]]:
    """The latest of each kind first, and how many of it are remembered."""
    latest: dict[tuple[object, ...], Seen] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for seen in activity.recent_refusals(app.uuid):
        kind = (seen.caller, seen.operation, seen.rule, seen.limit, seen.status)
        latest.setdefault(kind, seen)
        counts[kind] += 1
    found = [(seen, counts[kind]) for kind, seen in latest.items()]
    return found[:MOST_REFUSALS]


@blueprint.get(_APP)
def app(*, owner: str, name: str) -> Response:
    """All of it."""
    return _page(named(owner, name))


@blueprint.get(f"{_APP}/live")
def live_app(*, owner: str, name: str) -> Response:
    """What changes by itself."""
    found = named(owner, name)
    bars = {
        f"use-{rule}": fragment("use.html", use=use)
        for rule, use in figures.uses(found).items()
    }
    refusals = fragment("refusals.html", refusals=_refusals(found))
    return parts(refusals=refusals, **bars)


@blueprint.post(f"{_APP}/edition")
def change_edition(*, owner: str, name: str) -> ResponseReturnValue:
    """Put the app on another edition."""
    found = named(owner, name)
    edition = request.form.get("edition", "")
    if edition not in rules.EDITIONS:
        known = ", ".join(rules.EDITIONS)
        return _page(found, 400, wrong=f"{edition!r} is no edition; known are {known}.")
    try:
        with audit.acting_as(g.session.operator):
            apps.set_edition(owner, name, edition)
    except apps.NoSuchApp:
        abort(404)
    done = "same" if found.edition == edition else "edition"
    return redirect(f"{root()}/apps/{owner}/{name}?done={done}", 303)


@blueprint.post(f"{_APP}/secret")
def rotate_secret(*, owner: str, name: str) -> ResponseReturnValue:
    """New credentials, shown this once: so no redirect, which would need them kept."""
    named(owner, name)
    try:
        with audit.acting_as(g.session.operator):
            made = apps.rotate(owner, name)
    except apps.NoSuchApp:
        abort(404)
    return _page(named(owner, name), made=made)


@blueprint.post(f"{_APP}/delete")
def delete(*, owner: str, name: str) -> ResponseReturnValue:
    """Delete the app, when its key was typed."""
    found = named(owner, name)
    key = f"{owner}/{name}"
    typed = request.form.get("key", "").strip()
    if typed != key:
        wrong = f"Nothing is deleted: {typed!r} was typed, {key!r} is needed."
        return _page(found, 400, wrong=wrong)
    try:
        with audit.acting_as(g.session.operator):
            apps.delete(owner, name)
    except apps.NoSuchApp:
        abort(404)
    return redirect(f"{root()}?deleted={key}", 303)


@blueprint.post(f"{_APP}/try")
def try_sending(*, owner: str, name: str) -> ResponseReturnValue:
    """Send a message as the app's own server would, and show both sides of it."""
    found = named(owner, name)
    draft = trying.Draft.of(request.form)
    tried = trying.send(found, draft, f"console:{g.session.operator}")
    return _page(found, tried=tried, draft=draft)


@blueprint.post(f"{_APP}/stream")
def open_stream(*, owner: str, name: str) -> Response:
    """A way into a user's stream, for the page's script; or why there is none."""
    asked = request.form.get("user", "").strip()
    client = f"console:{g.session.operator}"
    with audit.acting_as(g.session.operator):
        answer = receiving.open_stream(named(owner, name), asked, client)
    if isinstance(answer, receiving.Opened):
        return _told(200, path=answer.path)
    response = _told(answer.status, words=answer.words)
    if answer.retry_after is not None:
        response.headers["Retry-After"] = answer.retry_after
    return response


def _told(status: int, **words: str) -> Response:
    return Response(orjson.dumps(words), status, content_type="application/json")
