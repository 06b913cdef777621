"""Chat rooms: list, read, create, change, destroy."""

from flask import Response, request
from marshmallow import Schema, fields

from server import answers as told
from server import cursors
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.auth import deny_everything_with
from server.caller import caller
from server.muc_errors import MucDenied, UnreadMuc
from server.payload import Lenient, Text, body
from server.rules import chatrooms as rules
from server.store import muc_members, muc_roles
from server.store import mucs as store
from server.store.muc_entry import Caps

blueprint = rules.blueprint
deny_everything_with(blueprint, MucDenied)

KIND: store.Kind = "chatroom"
CAPS = Caps(joined=rules.JOINED_CHAT_ROOMS, members=rules.MEMBERS_PER_CHAT_ROOM)


class ListedRoom(Schema):
    id = told.text()
    name = told.text()
    owner = told.text()
    affiliations_count = told.number()


class JoinedRoom(Schema):
    id = told.text()
    name = told.text()


@blueprint.get("/chatrooms")
@answers(wire.told([ListedRoom], count=True, cursor=True))
def list_rooms() -> Response:
    """The rooms of the app, the newest first: all of them, or a page if asked."""
    if {"limit", "cursor"} & request.args.keys():
        size = wire.limited(rules.CHAT_ROOM_LIST)
    else:
        size = rules.WHOLE_CHAT_ROOM_LIST.value
    before = cursors.sent("chatrooms") or store.LAST
    page = store.page(caller().app.id, KIND, before, size)
    shown = [
        {
            "id": str(room.id),
            "name": room.name,
            "owner": room.owner,
            "affiliations_count": room.member_count,
        }
        for room in page.mucs
    ]
    cursor = cursors.encode("chatrooms", page.mucs[-1].id) if page.more else None
    return wire.listed(shown, cursor)


@blueprint.get("/users/<username>/joined_chatrooms")
@answers(wire.told([JoinedRoom], count=True))
def list_joined(*, username: str) -> Response:
    """The rooms a user is in, all of them."""
    joined = store.joined(caller().app.id, KIND, username, size=None)
    return wire.listed([{"id": str(room_id), "name": name} for room_id, name in joined])


class RoomDetails(Schema):
    id = told.text()
    name = told.text()
    description = told.text()
    membersonly = told.constant(value=False)
    allowinvites = told.constant(value=False)
    maxusers = told.number()
    owner = told.text()
    created = told.number()
    custom = told.text()
    mute = told.truth()
    affiliations_count = told.number()
    affiliations = fields.List(fields.Nested(wire.Affiliation), required=True)
    public = told.constant(value=True)


@blueprint.get("/chatrooms/<room_ids>")
@answers(
    wire.told(
        fields.List(told.Either(RoomDetails, wire.UnknownId), required=True), count=True
    )
)
def read(*, room_ids: str) -> Response:
    """Details of one room or several; an unknown one of several says so."""
    wanted = wire.names_in(room_ids, rules.CHAT_ROOM_DETAILS, "chatroomids")
    found = [_find(each) for each in wanted]
    if len(wanted) == 1 and found[0] is None:
        raise UnreadMuc(wanted[0])
    shown = [
        {"id": said, "reason": "chatroom id doesn't exist"}
        if room is None
        else details(room)
        for said, room in zip(wanted, found, strict=True)
    ]
    return wire.of_muc(shown, count=sum(room is not None for room in found))


def _find(said: str) -> store.Muc | None:
    room_id = wire.whole_id(said)
    return None if room_id is None else store.find(caller().app.id, KIND, room_id)


def details(room: store.Muc) -> dict[str, object]:
    """A room as the wire shows it, with everyone in it."""
    names = muc_members.every(room)
    return {
        "id": str(room.id),
        "name": room.name,
        "description": room.description,
        "membersonly": False,
        "allowinvites": False,
        "maxusers": room.max_users,
        "owner": room.owner,
        "created": room.created,
        "custom": room.custom,
        "mute": room.mute_all,
        "affiliations_count": len(names),
        "affiliations": wire.affiliations(room, names),
        "public": True,
    }


_NAME = rules.CHAT_ROOM_NAME.says("name exceeds the limit of {max}")
_DESCRIPTION = rules.DESCRIPTION.says("description exceeds the limit of {max}")
_CUSTOM = rules.CUSTOM_TEXT.says("custom exceeds the limit of {max}")


class NewRoom(Lenient):
    name = muc_fields.Needed("name", validate=[_NAME])
    description = muc_fields.Needed("description", validate=[_DESCRIPTION])
    owner = muc_fields.Needed("owner")
    maxusers = muc_fields.Capacity(rules.MEMBERS_PER_CHAT_ROOM)
    # The body's size alone bounds them.
    members = muc_fields.Names("members", None, load_default=list)
    custom = Text(validate=_CUSTOM, load_default="")


class NewRoomId(Schema):
    id = told.text()


@blueprint.post("/chatrooms")
@answers(wire.told(NewRoomId))
@body(NewRoom, at_most=rules.REQUEST_BODY)
def create(
    *,
    name: str,
    description: str,
    owner: str,
    members: list[str],
    custom: str,
    maxusers: int | None = None,
) -> Response:
    """Make a room with its first members, all or nothing."""
    if maxusers is None:
        maxusers = min(muc_fields.DEFAULT_MAX_USERS, rules.MEMBERS_PER_CHAT_ROOM.value)
    made = store.create(
        caller().app.id,
        KIND,
        store.NewMuc(
            name=name,
            description=description,
            owner=owner,
            members=members,
            max_users=maxusers,
            custom=custom,
        ),
        caps=CAPS,
        per_app=rules.CHAT_ROOMS_PER_APP,
    )
    return wire.of_muc({"id": str(made)})


class RoomChanges(muc_fields.Changes):
    name = Text(validate=[*muc_fields.NAMED, _NAME])
    description = Text(validate=[muc_fields.no_slash, _DESCRIPTION])
    max_users = muc_fields.Capacity(rules.MEMBERS_PER_CHAT_ROOM, data_key="maxusers")
    custom = Text(validate=_CUSTOM)


@blueprint.put("/chatrooms/<room_id>")
@answers(wire.told(told.by_name(told.constant(value=True))))
@body(RoomChanges, at_most=rules.REQUEST_BODY)
def change(*, room_id: str, newowner: str | None = None, **changes: object) -> Response:
    """Change some fields, or give the room to another member."""
    app_id, found = caller().app.id, wire.id_in(room_id)
    if newowner is not None:
        muc_roles.transfer(app_id, KIND, found, newowner)
        return wire.of_muc({"newowner": True})
    store.change(app_id, KIND, found, changes)
    return wire.changed(changes)


class Destroyed(Schema):
    success = told.constant(value=True)
    id = told.text()


@blueprint.delete("/chatrooms/<room_id>")
@answers(wire.told(Destroyed))
def destroy(*, room_id: str) -> Response:
    """Remove a room and all that is in it."""
    store.destroy(caller().app.id, KIND, wire.id_in(room_id))
    return wire.of_muc({"success": True, "id": room_id})
