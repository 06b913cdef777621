"""How the server is: for probes and operators. Outside the table."""

from flask import Blueprint, Response

from server import answers as told
from server import envelope
from server.answers import answers
from server.store import database

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
@answers(told.ok(status="ok"))
def health() -> Response:
    """200 while the database answers; its error handler makes a 503 of the rest."""
    database.answers()
    return envelope.ok(status="ok")
