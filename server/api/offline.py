"""Offline messages: how many wait for a user, and whether one does."""

from flask import Response

from server import answers as told
from server import envelope
from server.answers import answers
from server.caller import caller
from server.rules import offline as rules
from server.store import offline as store
from server.store.messages import read_id

blueprint = rules.blueprint


@blueprint.get("/users/<owner_username>/offline_msg_count")
@answers(told.number_of(told.number()))
def count(*, owner_username: str) -> Response:
    """How many messages of every kind wait for a user."""
    waiting = store.count(caller().app.id, owner_username, kept=rules.OFFLINE_MESSAGE)
    return envelope.number_of(owner_username, waiting)


@blueprint.get("/users/<username>/offline_msg_status/<msg_id>")
@answers(told.number_of(told.one_of("delivered", "undelivered")))
def status(*, username: str, msg_id: str) -> Response:
    """Whether a message waits for a user; one that nobody knows does not."""
    waits = store.waits(
        caller().app.id, username, read_id(msg_id), kept=rules.OFFLINE_MESSAGE
    )
    return envelope.number_of(msg_id, "undelivered" if waits else "delivered")
