"""User attributes: a flat map of strings, written by the app or by the user."""

from flask import Response, request
from marshmallow import fields, validate

from server import answers as told
from server import envelope
from server.answers import answers
from server.auth import allow, decide
from server.caller import Caller, Kind, caller
from server.errors import MetadataExceeded, MetadataUserNotFound
from server.payload import Lenient, Strings, body, form
from server.rules import users as rules
from server.store import user_metadata as store
from server.store import users

blueprint = rules.blueprint


def _reachable(username: str) -> bool:
    return rules.USER_ID.allows(len(username)) or users.looks_like_uuid(username)


def _may_write(found: Caller) -> Caller | None:
    """An app token, or the user whose attributes they are."""
    if found.kind is Kind.USER:
        username = (request.view_args or {})["username"]
        named = users.find(found.app.id, username)
        return found if named is not None and named.id == found.user_id else None
    return found if found.kind is Kind.APP else None


@blueprint.put("/metadata/user/<username>")
@answers(told.data(told.by_name(fields.String())))
@envelope.plainly
@decide(_may_write, Kind.APP, Kind.USER)
def write_attributes(*, username: str) -> Response:
    """Write pairs over those that are there."""
    pairs = form(at_most=rules.REQUEST_BODY)
    if not _reachable(username):
        raise MetadataUserNotFound
    store.merge(
        caller().app.id,
        username,
        pairs,
        each_user=rules.ATTRIBUTES,
        whole_app=rules.APP_ATTRIBUTES,
    )
    return envelope.data(pairs)


@blueprint.get("/metadata/user/<username>")
@answers(told.data(told.by_name(fields.String())))
@envelope.plainly
@allow(Kind.APP, Kind.USER)
def read_attributes(*, username: str) -> Response:
    """All attributes of a user; none for a user nobody knows."""
    if not _reachable(username):
        return envelope.data({})
    return envelope.data(store.read(caller().app.id, username))


class Wanted(Lenient):
    targets = Strings(
        required=True,
        validate=[
            validate.Length(min=1),
            rules.BATCH_ATTRIBUTES.says(
                "exceed allowed batch size {max}", MetadataExceeded
            ),
        ],
    )
    properties = Strings(required=True)


@blueprint.post("/metadata/user/get")
@answers(told.data(told.by_name(fields.Dict(values=fields.String()))))
@envelope.plainly
@allow(Kind.APP, Kind.USER)
@body(Wanted, at_most=rules.REQUEST_BODY)
def read_many_attributes(*, targets: list[str], properties: list[str]) -> Response:
    """The named attributes of many users."""
    wanted = frozenset(properties)
    found = {}
    for name in targets:
        pairs = store.read(caller().app.id, name) if _reachable(name) else {}
        found[name] = {key: pairs[key] for key in pairs if key in wanted}
    return envelope.data(found)


@blueprint.get("/metadata/user/capacity")
@answers(told.data(told.number()))
@envelope.plainly
def attribute_capacity() -> Response:
    """Bytes that the attributes of all the app's users take."""
    return envelope.data(store.total(caller().app.id))


@blueprint.delete("/metadata/user/<username>")
@answers(told.data(told.constant(value=True)))
@envelope.plainly
@decide(_may_write, Kind.APP, Kind.USER)
def delete_attributes(*, username: str) -> Response:
    """Remove all attributes of a user; there may be none."""
    if _reachable(username):
        store.delete(caller().app.id, username)
    return envelope.data(value=True)
