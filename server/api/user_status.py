"""Who is receiving now."""

from flask import Response
from marshmallow import fields

from server import answers as told
from server import envelope
from server.answers import answers
from server.api.users import addressed
from server.auth import deny_with
from server.caller import caller
from server.errors import AdminOnly, NotFound
from server.payload import Lenient, Strings, body
from server.rules import users as rules
from server.store import users as store

blueprint = rules.blueprint

_WORD = told.one_of("online", "offline")


@blueprint.get("/users/<username>/status")
@answers(told.number_of(_WORD))
def status(*, username: str) -> Response:
    """Whether a user is receiving now."""
    found = store.find(caller().app.id, addressed(username))
    if found is None:
        raise NotFound
    (online,) = store.online(caller().app.id, [found.username])
    return envelope.number_of(username, _word(online=online))


def _word(*, online: bool) -> str:
    return "online" if online else "offline"


class Usernames(Lenient):
    usernames = Strings(
        required=True,
        validate=rules.BATCH_STATUS.says(
            "request body exceeds maximum limit, maximum limit is {max}"
        ),
    )


@blueprint.post("/users/batch/status")
@answers(
    told.ok(
        action="get batch user status",
        data=fields.List(told.by_name(_WORD), required=True),
    )
)
@deny_with(AdminOnly)
@body(Usernames, at_most=rules.REQUEST_BODY)
def batch_status(*, usernames: list[str]) -> Response:
    """Who of many is receiving now; names nobody has are offline."""
    online = store.online(caller().app.id, usernames)
    return envelope.ok(
        action="get batch user status",
        data=[
            {name: _word(online=there)}
            for name, there in zip(usernames, online, strict=True)
        ],
    )
