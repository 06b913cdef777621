"""What a group tells its members and whether they may speak."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server.answers import answers, never
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.groups import KIND
from server.caller import caller
from server.muc_errors import BelowCount
from server.payload import Lenient, body
from server.rules import groups as rules
from server.store import mucs as store

blueprint = rules.blueprint


@blueprint.get("/chatgroups/<group_id>/announcement")
@answers(wire.told(wire.Announced))
def read_announcement(*, group_id: str) -> Response:
    """The announcement; empty where there is none."""
    group = store.held(caller().app.id, KIND, wire.id_in(group_id))
    return wire.of_muc({"announcement": group.announcement})


class NewAnnouncement(Lenient):
    announcement = muc_fields.Announcement(rules.ANNOUNCEMENT)


@blueprint.post("/chatgroups/<group_id>/announcement")
@answers(wire.told(wire.Replaced))
@never(BelowCount)
@body(NewAnnouncement, at_most=rules.REQUEST_BODY)
def announce(*, group_id: str, announcement: str) -> Response:
    """Replace the announcement; an empty one clears it."""
    _set(group_id, announcement=announcement)
    return wire.of_muc({"id": group_id, "result": True})


def _set(group_id: str, **changes: object) -> None:
    store.change(caller().app.id, KIND, wire.id_in(group_id), changes)


@blueprint.post("/chatgroups/<group_id>/ban")
@answers(wire.told(wire.Silence))
@never(BelowCount)
def mute_all(*, group_id: str) -> Response:
    """Let nobody speak but the allow list, the administrators and the owner."""
    _set(group_id, mute_all=True)
    return wire.of_muc({"mute": True})


@blueprint.delete("/chatgroups/<group_id>/ban")
@answers(wire.told(wire.Silence))
@never(BelowCount)
def unmute_all(*, group_id: str) -> Response:
    """Let everyone speak again who is not muted."""
    _set(group_id, mute_all=False)
    return wire.of_muc({"mute": False})


class Disabled(Schema):
    disabled = told.truth()


@blueprint.post("/chatgroups/<group_id>/disable")
@answers(wire.told(Disabled))
@never(BelowCount)
def disable(*, group_id: str) -> Response:
    """Stop a group for everyone in it."""
    _set(group_id, disabled=True)
    return wire.of_muc({"disabled": True})


@blueprint.post("/chatgroups/<group_id>/enable")
@answers(wire.told(Disabled))
@never(BelowCount)
def enable(*, group_id: str) -> Response:
    """Let it go on."""
    _set(group_id, disabled=False)
    return wire.of_muc({"disabled": False})
