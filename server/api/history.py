"""History: the address of the file with one hour's messages."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server import envelope
from server.answers import answers
from server.api import history_files
from server.auth import deny_everything_with
from server.caller import caller
from server.clock import now_ms
from server.errors import HistoryDenied, HistoryEmpty, IllegalArgument
from server.rules import history as rules
from server.store import history as store

blueprint = rules.blueprint
deny_everything_with(blueprint, HistoryDenied)

UNSUPPORTED = "This chatmessage request is not supported"
GRACE_MS = 10_000
"""After an hour's end: sends that began in it may still be on their way to disk."""


class Address(Schema):
    url = told.text("Where the file is, for a while, without a token.")


@blueprint.get("/chatmessages/<time>")
@answers(told.of_app(action="get", uri=told.uri(), data=[Address]))
def find(*, time: str) -> Response:
    """A signed address for the hour's file, which is made now if it is not there."""
    app = caller().app
    hour = store.hour(time)
    if hour is None:
        raise IllegalArgument(UNSUPPORTED)
    if hour.ends + GRACE_MS > now_ms() or history_files.is_over(hour):
        message = (
            f"illegal arguments: appkey: {app.org}#{app.name}, time: {time},"
            " maybe chat message history is expired or unstored"
        )
        raise IllegalArgument(message)
    if not store.make(app, hour):
        raise HistoryEmpty(app.org, app.name, time)
    expires = now_ms() // 1000 + rules.SIGNED_ADDRESS.value
    return envelope.of_app(
        action="get",
        uri=envelope.here(),
        data=[{"url": history_files.address(app.org, app.name, time, expires)}],
    )


@blueprint.get("/chatmessages")
def query() -> Response:
    """The retired form, with a query instead of an hour."""
    raise IllegalArgument(UNSUPPORTED)
