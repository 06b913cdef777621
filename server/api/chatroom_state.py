"""What a room tells its members and whether they may speak."""

from flask import Response

from server.answers import answers, never
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.chatrooms import KIND
from server.caller import caller
from server.muc_errors import BelowCount
from server.payload import Lenient, body
from server.rules import chatrooms as rules
from server.store import mucs as store

blueprint = rules.blueprint


@blueprint.get("/chatrooms/<room_id>/announcement")
@answers(wire.told(wire.Announced))
def read_announcement(*, room_id: str) -> Response:
    """The announcement; empty where there is none."""
    room = store.held(caller().app.id, KIND, wire.id_in(room_id))
    return wire.of_muc({"announcement": room.announcement})


class NewAnnouncement(Lenient):
    announcement = muc_fields.Announcement(rules.ANNOUNCEMENT)


@blueprint.post("/chatrooms/<room_id>/announcement")
@answers(wire.told(wire.Replaced))
@never(BelowCount)
@body(NewAnnouncement, at_most=rules.REQUEST_BODY)
def announce(*, room_id: str, announcement: str) -> Response:
    """Replace the announcement; an empty one clears it."""
    _set(room_id, announcement=announcement)
    return wire.of_muc({"id": room_id, "result": True})


def _set(room_id: str, **changes: object) -> None:
    store.change(caller().app.id, KIND, wire.id_in(room_id), changes)


@blueprint.post("/chatrooms/<room_id>/ban")
@answers(wire.told(wire.Silence))
@never(BelowCount)
def mute_all(*, room_id: str) -> Response:
    """Let nobody speak but the allow list, the administrators and the owner."""
    _set(room_id, mute_all=True)
    return wire.of_muc({"mute": True})


@blueprint.delete("/chatrooms/<room_id>/ban")
@answers(wire.told(wire.Silence))
@never(BelowCount)
def unmute_all(*, room_id: str) -> Response:
    """Let everyone speak again who is not muted."""
    _set(room_id, mute_all=False)
    return wire.of_muc({"mute": False})
