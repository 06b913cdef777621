"""Members of groups: list, add, remove, ask for one."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server import cursors
from server.answers import answers
from server.api import muc_fields
from server.api import muc_wire as wire
from server.api.groups import CAPS, KIND
from server.caller import caller
from server.muc_errors import IsOwner, UnreadMuc
from server.payload import Lenient, body
from server.rules import groups as rules
from server.store import muc_members as store
from server.store import mucs
from server.store.muc_members import Why

blueprint = rules.blueprint


@blueprint.get("/chatgroups/<group_id>/users")
@answers(
    wire.told(told.Either([wire.Affiliation], told.texts()), count=True, cursor=True)
)
def list_members(*, group_id: str) -> Response:
    """Who is in a group: a page with the owner, or by cursor without."""
    found = wire.id_in(group_id, UnreadMuc)
    group = mucs.find(caller().app.id, KIND, found)
    if group is None:
        raise UnreadMuc(group_id)
    newest = wire.newest_first()
    if not wire.by_cursor():
        size = wire.page_size(rules.MEMBER_LIST, default=wire.DEFAULT_PAGE)
        names = store.page(group, number=wire.numbered(), size=size, newest=newest)
        return wire.listed(wire.affiliations(group, names))
    size = wire.limited(rules.MEMBER_LIST)
    page = store.others(group, after=cursors.sent("members"), size=size, newest=newest)
    cursor = None if page.last is None else cursors.encode("members", page.last)
    return wire.listed(page.names, cursor)


class Added(Schema):
    result = told.constant(value=True)
    groupid = told.text()
    action = told.constant("add_member")
    user = told.text()


@blueprint.post("/chatgroups/<group_id>/users/<username>")
@answers(wire.told(Added))
def add(*, group_id: str, username: str) -> Response:
    """Let one user in."""
    found = wire.id_in(group_id)
    store.add(caller().app.id, KIND, found, [username], caps=CAPS)
    return wire.of_muc(
        {
            "result": True,
            "groupid": group_id,
            "action": "add_member",
            "user": username,
        }
    )


class NewMembers(Lenient):
    usernames = muc_fields.Names("usernames", rules.BATCH_ADD, required=True)


class AddedMembers(Schema):
    newmembers = told.texts()
    groupid = told.text()
    action = told.constant("add_member")


@blueprint.post("/chatgroups/<group_id>/users")
@answers(wire.told(AddedMembers))
@body(NewMembers, at_most=rules.REQUEST_BODY)
def add_some(*, group_id: str, usernames: list[str]) -> Response:
    """Let users in, all or nobody; who is in already is left out of the answer."""
    found = wire.id_in(group_id)
    added = store.add(caller().app.id, KIND, found, usernames, caps=CAPS)
    return wire.of_muc(
        {"newmembers": added, "groupid": group_id, "action": "add_member"}
    )


@blueprint.delete("/chatgroups/<group_id>/users/<usernames>")
@answers(wire.told(told.Either(wire.Outcome, [wire.Outcome])))
def remove(*, group_id: str, usernames: str) -> Response:
    """Take members out; of several, each is told what became of it."""
    names = wire.names_in(usernames, rules.BATCH_REMOVAL)
    found = wire.id_in(group_id)
    outcomes = store.remove(caller().app.id, KIND, found, names)
    if len(outcomes) == 1 and outcomes[0].why is Why.OWNER:
        raise IsOwner
    return wire.one_or_all(
        wire.shown(
            outcomes,
            found,
            action="remove_member",
            id_key="groupid",
            reasons=wire.REMOVAL_REASONS,
        )
    )


@blueprint.get("/chatgroups/<group_id>/user/<username>/is_joined")
@answers(wire.told(told.truth()))
def is_joined(*, group_id: str, username: str) -> Response:
    """Whether a user is a member."""
    found = wire.id_in(group_id)
    return wire.of_muc(store.is_joined(caller().app.id, KIND, found, username))
