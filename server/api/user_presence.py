"""Presence: how a user says they are, and of whom they want to be told."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from server import answers as told
from server import envelope
from server.answers import answers
from server.api.users import addressed
from server.caller import caller
from server.errors import INVALID_REQUEST, IllegalArgument
from server.payload import Lenient, Strings, Text, body, read_json, whole_in_any_case
from server.rules import users as rules
from server.store import presence as store

blueprint = rules.blueprint

_TOO_MANY_WATCHED = "too many sub presence"
_TOO_MANY_ASKED = "too many get presences"
_TOO_MANY_LEFT = "too many unsub presences"


class Shown(Schema):
    uid = told.text("The user's name.")
    last_time = told.text("When they said so: Unix seconds, in digits.")
    ext = told.text()
    status = told.by_name(fields.String(), "By device, the word that was said.")
    expiry = told.maybe(told.text("Until when they are watched: Unix seconds."))


class Watching(Schema):
    uid = told.text("The user's name.")
    expiry = told.text("Until when: Unix seconds, in digits.")


class WatchedPage(Schema):
    totalnum = told.text("How many there are, in digits.")
    sublist = fields.List(fields.Nested(Watching), required=True)


class Said(Lenient):
    ext = Text(load_default="")


@blueprint.post("/users/<username>/presence/<resource>/<status>")
@answers(told.ok(result="ok"))
@body(Said, at_most=rules.REQUEST_BODY)
def set_presence(*, username: str, resource: str, status: str, ext: str) -> Response:
    """Say how a user is on one device, in a word of the app's own."""
    rules.PRESENCE_EXTENSION.check(len(ext.encode()), text="ext is too big")
    rules.PRESENCE_NAME.check(len(resource), text="resource not exist")
    rules.PRESENCE_NAME.check(len(status), text="set presence failed")
    store.say(caller().app.id, addressed(username), resource, status, ext)
    return envelope.ok(result="ok")


class Watched(Lenient):
    usernames = Strings(
        required=True, validate=rules.BATCH_PRESENCE.says(_TOO_MANY_WATCHED)
    )


@blueprint.post("/users/<username>/presence/<expiry>")
@answers(told.ok(result=[Shown]))
@body(Watched, at_most=rules.REQUEST_BODY)
def watch_presence(*, username: str, expiry: str, usernames: list[str]) -> Response:
    """Have a user told of others, for so many seconds."""
    seconds = int(expiry) if expiry.isascii() and expiry.isdecimal() else 0
    if seconds < 1:
        raise IllegalArgument(INVALID_REQUEST)
    rules.PRESENCE_SUBSCRIPTION.check(seconds)
    app_id = caller().app.id
    watcher = store.known(app_id, addressed(username))
    if watcher.username in (name.lower() for name in usernames):
        message = "you can't sub yourself"
        raise IllegalArgument(message)
    return _told(store.watch(app_id, watcher, usernames, seconds))


class Asked(Lenient):
    usernames = Strings(
        required=True, validate=rules.BATCH_PRESENCE.says(_TOO_MANY_ASKED)
    )


@blueprint.post("/users/<username>/presence")
@answers(told.ok(result=[Shown]))
@body(Asked, at_most=rules.REQUEST_BODY)
def query_presence(*, username: str, usernames: list[str]) -> Response:
    """How others are now."""
    app_id = caller().app.id
    store.known(app_id, addressed(username))
    return _told(store.look_up(app_id, usernames))


def _told(shown: list[store.Shown]) -> Response:
    return envelope.ok(result=[store.wire(each) for each in shown])


@blueprint.delete("/users/<username>/presence")
@answers(told.ok(result="ok"))
def unwatch_presence(*, username: str) -> Response:
    """Tell a user of these others no more."""
    names = _names(read_json(rules.REQUEST_BODY))
    rules.BATCH_PRESENCE.check(len(names), text=_TOO_MANY_LEFT)
    app_id = caller().app.id
    store.unwatch(app_id, store.known(app_id, addressed(username)), names)
    return envelope.ok(result="ok")


def _names(content: Any) -> list[str]:
    """An array of names, bare or under ``users``."""
    found = content.get("users") if isinstance(content, dict) else content
    if not isinstance(found, list) or not all(isinstance(n, str) for n in found):
        raise IllegalArgument(INVALID_REQUEST)
    return found


@blueprint.get("/users/<username>/presence/sublist")
@answers(told.ok(result=WatchedPage))
def list_watched(*, username: str) -> Response:
    """Of whom a user is told, and until when."""
    watcher = store.known(caller().app.id, addressed(username))
    number = max(whole_in_any_case("pageNum") or 1, 1)
    size = rules.PRESENCE_LIST.clamp(whole_in_any_case("pageSize"), default=1)
    count, page = store.watched(watcher, number, size)
    listed = [
        {"uid": each.name, "expiry": str((each.expires or 0) // 1000)} for each in page
    ]
    return envelope.ok(result={"totalnum": str(count), "sublist": listed})
