"""Administrators of groups; the owner changes in groups.py, by the same call as all."""

from flask import Response

from server import answers as told
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.groups import KIND
from server.caller import caller
from server.payload import Lenient, body
from server.rules import groups as rules
from server.store import muc_roles as store

blueprint = rules.blueprint


@blueprint.get("/chatgroups/<group_id>/admin")
@answers(wire.told(told.texts(), count=True))
def list_admins(*, group_id: str) -> Response:
    """The administrators, without the owner."""
    return wire.listed(store.admins(caller().app.id, KIND, wire.id_in(group_id)))


class NewAdmin(Lenient):
    newadmin = muc_fields.Needed("newadmin")


@blueprint.post("/chatgroups/<group_id>/admin")
@answers(wire.told(wire.Promoted))
@body(NewAdmin, at_most=rules.REQUEST_BODY)
def add_admin(*, group_id: str, newadmin: str) -> Response:
    """Make a member an administrator."""
    store.promote(
        caller().app.id,
        KIND,
        wire.id_in(group_id),
        newadmin,
        at_most=rules.ADMINISTRATORS_PER_GROUP,
    )
    return wire.of_muc({"result": "success", "newadmin": newadmin})


@blueprint.delete("/chatgroups/<group_id>/admin/<oldadmin>")
@answers(wire.told(wire.Dismissed))
def remove_admin(*, group_id: str, oldadmin: str) -> Response:
    """Make an administrator a member again."""
    store.demote(caller().app.id, KIND, wire.id_in(group_id), oldadmin)
    return wire.of_muc({"result": "success", "oldadmin": oldadmin})
