"""Groups: list, read, create, change, destroy."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import Response
from marshmallow import Schema, fields, pre_load

from server import answers as told
from server import cursors
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.auth import deny_everything_with
from server.caller import caller
from server.muc_errors import MucDenied, UnreadMuc
from server.payload import SWITCH, Choice, Lenient, Text, body
from server.rules import groups as rules
from server.store import muc_members, muc_roles
from server.store import mucs as store
from server.store.muc_entry import Caps

blueprint = rules.blueprint
deny_everything_with(blueprint, MucDenied)

KIND: store.Kind = "group"
CAPS = Caps(joined=rules.JOINED_GROUPS, members=rules.MEMBERS_PER_GROUP)


class ListedGroup(Schema):
    groupid = told.text()
    groupname = told.text()
    owner = told.text("As org#app_name.")
    affiliations = told.number("How many are in it.")
    type = told.constant("group")
    last_modified = told.text("As lastModified, in digits.")
    lastModified = told.number()
    created = told.number()


class JoinedGroup(Schema):
    groupid = told.text()
    groupname = told.text()


@blueprint.get("/chatgroups")
@answers(wire.told([ListedGroup], count=True, cursor=True))
def list_groups() -> Response:
    """The groups of the app, the newest first, a page a call."""
    app = caller().app
    page = store.page(
        app.id,
        KIND,
        cursors.sent("groups") or store.LAST,
        wire.limited(rules.GROUP_LIST),
    )
    shown = [
        {
            "groupid": str(group.id),
            "groupname": group.name,
            "owner": f"{app.org}#{app.name}_{group.owner}",
            "affiliations": group.member_count,
            "type": "group",
            "last_modified": str(group.modified),
            "lastModified": group.modified,
            "created": group.created,
        }
        for group in page.mucs
    ]
    cursor = cursors.encode("groups", page.mucs[-1].id) if page.more else None
    return wire.listed(shown, cursor)


@blueprint.get("/users/<username>/joined_chatgroups")
@answers(wire.told([JoinedGroup], count=True))
def list_joined(*, username: str) -> Response:
    """The groups a user is in: all, or a page if asked."""
    size = wire.page_size(rules.JOINED_GROUP_LIST, default=wire.DEFAULT_PAGE)
    paged = wire.is_paged()
    joined = store.joined(
        caller().app.id,
        KIND,
        username,
        size=size if paged else None,
        skip=(wire.numbered() - 1) * size if paged else 0,
    )
    return wire.listed(
        [{"groupid": str(group_id), "groupname": name} for group_id, name in joined]
    )


class GroupDetails(Schema):
    id = told.text()
    name = told.text()
    description = told.text()
    membersonly = told.truth()
    allowinvites = told.truth()
    invite_need_confirm = told.truth()
    maxusers = told.number()
    owner = told.text()
    created = told.number()
    custom = told.text()
    mute = told.truth()
    disabled = told.truth()
    affiliations_count = told.number()
    affiliations = fields.List(fields.Nested(wire.Affiliation), required=True)
    public = told.truth()


@blueprint.get("/chatgroups/<group_ids>")
@answers(
    wire.told(
        fields.List(told.Either(GroupDetails, wire.UnknownId), required=True),
        count=True,
    )
)
def read(*, group_ids: str) -> Response:
    """Details of one group or several; an unknown one of several says so."""
    wanted = wire.names_in(group_ids, rules.GROUP_DETAILS, "groupids")
    found = [_find(each) for each in wanted]
    if len(wanted) == 1 and found[0] is None:
        raise UnreadMuc(wanted[0])
    shown = [
        {"id": said, "reason": "group id doesn't exist"}
        if group is None
        else details(group)
        for said, group in zip(wanted, found, strict=True)
    ]
    return wire.of_muc(shown, count=sum(group is not None for group in found))


def _find(said: str) -> store.Muc | None:
    group_id = wire.whole_id(said)
    return None if group_id is None else store.find(caller().app.id, KIND, group_id)


def details(group: store.Muc) -> dict[str, object]:
    """A group as the wire shows it, with everyone in it."""
    names = muc_members.every(group)
    return {
        "id": str(group.id),
        "name": group.name,
        "description": group.description,
        "membersonly": group.members_only,
        "allowinvites": group.allow_invites,
        "invite_need_confirm": group.invite_need_confirm,
        "maxusers": group.max_users,
        "owner": group.owner,
        "created": group.created,
        "custom": group.custom,
        "mute": group.mute_all,
        "disabled": group.disabled,
        "affiliations_count": len(names),
        "affiliations": wire.affiliations(group, names),
        "public": group.public,
    }


_NAME = rules.GROUP_NAME.says("groupname exceeds the limit of {max}")
_DESCRIPTION = rules.DESCRIPTION.says("description exceeds the limit of {max}")
_CUSTOM = rules.CUSTOM_TEXT.says("custom exceeds the limit of {max}")


class NewGroup(Lenient):
    groupname = muc_fields.Needed("groupname", validate=[_NAME])
    desc = muc_fields.Needed("desc", validate=[_DESCRIPTION])
    owner = muc_fields.Needed("owner")
    public = Choice(SWITCH, load_default=True)
    maxusers = muc_fields.Capacity(rules.MEMBERS_PER_GROUP)
    allowinvites = Choice(SWITCH, load_default=False)
    members_only = Choice(SWITCH, load_default=False)
    invite_need_confirm = Choice(SWITCH, load_default=True)
    members = muc_fields.Names("members", rules.INITIAL_MEMBERS, load_default=list)
    custom = Text(validate=_CUSTOM, load_default="")

    @pre_load
    def _fold(self, content: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        aliases = {
            "desc": ("description",),
            "members_only": ("membersonly", "approval"),
        }
        return muc_fields.folded(content, aliases)


class NewGroupId(Schema):
    groupid = told.text()


@blueprint.post("/chatgroups")
@answers(wire.told(NewGroupId))
@body(NewGroup, at_most=rules.REQUEST_BODY)
def create(
    *,
    groupname: str,
    desc: str,
    owner: str,
    public: bool,
    allowinvites: bool,
    members_only: bool,
    invite_need_confirm: bool,
    members: list[str],
    custom: str,
    maxusers: int | None = None,
) -> Response:
    """Make a group with its first members, all or nothing."""
    if maxusers is None:
        maxusers = min(muc_fields.DEFAULT_MAX_USERS, rules.MEMBERS_PER_GROUP.value)
    invites = allowinvites and not public
    made = store.create(
        caller().app.id,
        KIND,
        store.NewMuc(
            name=groupname,
            description=desc,
            owner=owner,
            members=members,
            max_users=maxusers,
            public=public,
            members_only=members_only and not invites,
            allow_invites=invites,
            invite_need_confirm=invite_need_confirm,
            custom=custom,
        ),
        caps=CAPS,
        per_app=rules.GROUPS_PER_APP,
    )
    return wire.of_muc({"groupid": str(made)})


class GroupChanges(muc_fields.Changes):
    tolerated = frozenset({"need_verify", "avatar"})
    aliases: ClassVar[Mapping[str, Sequence[str]]] = {"groupname": ("name",)}

    name = Text(data_key="groupname", validate=[*muc_fields.NAMED, _NAME])
    description = Text(validate=[muc_fields.no_slash, _DESCRIPTION])
    max_users = muc_fields.Capacity(rules.MEMBERS_PER_GROUP, data_key="maxusers")
    members_only = Choice(SWITCH, data_key="membersonly")
    allow_invites = Choice(SWITCH, data_key="allowinvites")
    invite_need_confirm = Choice(SWITCH)
    public = Choice(SWITCH)
    custom = Text(validate=_CUSTOM)


@blueprint.put("/chatgroups/<group_id>")
@answers(wire.told(told.by_name(told.constant(value=True))))
@body(GroupChanges, at_most=rules.REQUEST_BODY)
def change(
    *, group_id: str, newowner: str | None = None, **changes: object
) -> Response:
    """Change some fields, or give the group to another member."""
    app_id, found = caller().app.id, wire.id_in(group_id)
    if newowner is not None:
        muc_roles.transfer(app_id, KIND, found, newowner)
        return wire.of_muc({"newowner": True})
    store.change(app_id, KIND, found, changes)
    return wire.changed(changes)


class Destroyed(Schema):
    success = told.constant(value=True)
    groupid = told.text()


@blueprint.delete("/chatgroups/<group_id>")
@answers(wire.told(Destroyed))
def destroy(*, group_id: str) -> Response:
    """Remove a group and all that is in it."""
    store.destroy(caller().app.id, KIND, wire.id_in(group_id))
    return wire.of_muc({"success": True, "groupid": group_id})
