"""Blacklist: whom a user wants no messages from."""

from flask import Response, request
from marshmallow import validate

from server import answers as told
from server import cursors, envelope
from server.answers import answers
from server.api.users import User, entity
from server.caller import caller
from server.errors import INVALID_REQUEST
from server.payload import Lenient, Strings, body, whole
from server.rules import blacklist as rules
from server.store import blacklist as store

blueprint = rules.blueprint


@blueprint.get("/users/<owner_username>/blocks/users")
@answers(
    told.ok(
        action="get",
        uri=told.uri(),
        entities=told.nothing(),
        data=told.texts(),
        count=told.count(),
        cursor=told.cursor(),
    )
)
def list_blocked(*, owner_username: str) -> Response:
    """Who is on a user's blacklist, the newest first: all, or a page if asked for."""
    app_id = caller().app.id
    if "pageSize" in request.args or "cursor" in request.args:
        size = rules.BLOCK_LIST.clamp(whole("pageSize"), default=rules.BLOCK_LIST.value)
        before = cursors.sent("blocks") or store.NEWEST
        page = store.page(app_id, owner_username, before, size)
    else:
        page = store.Page(store.whole(app_id, owner_username))
    return envelope.ok(
        action="get",
        uri=envelope.here(),
        entities=[],
        data=page.names,
        count=len(page.names),
        cursor=None if page.last is None else cursors.encode("blocks", page.last),
    )


class Blocked(Lenient):
    usernames = Strings(
        required=True,
        validate=[
            validate.Length(min=1, error=INVALID_REQUEST),
            rules.BATCH_BLOCK.says(INVALID_REQUEST),
        ],
    )


@blueprint.post("/users/<owner_username>/blocks/users")
@answers(
    told.of_app(
        action="post", uri=told.uri(), entities=told.nothing(), data=told.texts()
    )
)
@body(Blocked, at_most=rules.REQUEST_BODY)
def block(*, owner_username: str, usernames: list[str]) -> Response:
    """Put users on a blacklist, all or none."""
    listed = store.add(
        caller().app.id, owner_username, usernames, at_most=rules.BLOCKS_PER_USER
    )
    return envelope.of_app(action="post", uri=envelope.base(), entities=[], data=listed)


@blueprint.delete("/users/<owner_username>/blocks/users/<blocked_username>")
@answers(
    told.of_app(action="delete", path=told.text(), uri=told.uri(), entities=[User])
)
def unblock(*, owner_username: str, blocked_username: str) -> Response:
    """Take a user off a blacklist, if on it; the answer shows who it was."""
    owner, listed = store.remove(caller().app.id, owner_username, blocked_username)
    path = f"/users/{owner.uuid}/blocks"
    return envelope.of_app(
        action="delete",
        path=path,
        uri=envelope.base() + path,
        entities=[entity(listed)],
    )
