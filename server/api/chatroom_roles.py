"""Administrators of rooms, and the app's super administrators."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.chatrooms import KIND
from server.caller import caller
from server.payload import Lenient, body
from server.rules import chatrooms as rules
from server.store import muc_roles as store

blueprint = rules.blueprint


@blueprint.get("/chatrooms/<room_id>/admin")
@answers(wire.told(told.texts(), count=True))
def list_admins(*, room_id: str) -> Response:
    """The administrators, without the owner."""
    return wire.listed(store.admins(caller().app.id, KIND, wire.id_in(room_id)))


class NewAdmin(Lenient):
    newadmin = muc_fields.Needed("newadmin")


@blueprint.post("/chatrooms/<room_id>/admin")
@answers(wire.told(wire.Promoted))
@body(NewAdmin, at_most=rules.REQUEST_BODY)
def add_admin(*, room_id: str, newadmin: str) -> Response:
    """Make a member an administrator."""
    store.promote(
        caller().app.id,
        KIND,
        wire.id_in(room_id),
        newadmin,
        at_most=rules.ADMINISTRATORS_PER_CHAT_ROOM,
    )
    return wire.of_muc({"result": "success", "newadmin": newadmin})


@blueprint.delete("/chatrooms/<room_id>/admin/<oldadmin>")
@answers(wire.told(wire.Dismissed))
def remove_admin(*, room_id: str, oldadmin: str) -> Response:
    """Make an administrator a member again."""
    store.demote(caller().app.id, KIND, wire.id_in(room_id), oldadmin)
    return wire.of_muc({"result": "success", "oldadmin": oldadmin})


@blueprint.get("/chatrooms/super_admin")
@answers(wire.told(told.texts(), count=True))
def list_super_admins() -> Response:
    """Who may create rooms through the client protocol, a page a call."""
    size = wire.page_size(rules.SUPER_ADMIN_LIST, default=wire.DEFAULT_PAGE)
    names = store.super_admins(caller().app.id, number=wire.numbered(), size=size)
    return wire.listed(names)


class NewSuperAdmin(Lenient):
    superadmin = muc_fields.Needed("superadmin")


class SuperAdmin(Schema):
    result = told.constant("success")
    resource = told.constant("")


@blueprint.post("/chatrooms/super_admin")
@answers(wire.told(SuperAdmin))
@body(NewSuperAdmin, at_most=rules.REQUEST_BODY)
def add_super_admin(*, superadmin: str) -> Response:
    """Put a user on the list."""
    store.add_super_admin(caller().app.id, superadmin)
    return wire.of_muc({"result": "success", "resource": ""})


class FormerSuperAdmin(Schema):
    newSuperAdmin = told.text()
    resource = told.constant("")


@blueprint.delete("/chatrooms/super_admin/<super_admin>")
@answers(wire.told(FormerSuperAdmin))
def remove_super_admin(*, super_admin: str) -> Response:
    """Take a user off the list. The answer's key is the platform's own."""
    store.remove_super_admin(caller().app.id, super_admin)
    return wire.of_muc({"newSuperAdmin": super_admin, "resource": ""})
