"""Which groups there are: of the app, and of one of its users."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server import cursors
from server.answers import answers
from server.api import muc_wire as wire
from server.api.groups import KIND
from server.caller import caller
from server.rules import groups as rules
from server.store import mucs as store

blueprint = rules.blueprint


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


_listed = answers(wire.told([ListedGroup], count=True, cursor=True))


@blueprint.get("/chatgroups")
@_listed
def list_groups() -> Response:
    """The groups of the app, the newest first, a page a call."""
    return _page("groups")


@blueprint.get("/publicchatgroups")
@_listed
def list_public_groups() -> Response:
    """Those that are public, as old clients ask for them."""
    return _page("publicgroups", public=True)


@blueprint.get("/privatechatgroups")
@_listed
def list_private_groups() -> Response:
    """Those that are not."""
    return _page("privategroups", public=False)


def _page(kind: str, *, public: bool | None = None) -> Response:
    """*kind* is that of the list's cursors: one list's are no good in another."""
    app = caller().app
    page = store.page(
        app.id,
        KIND,
        cursors.sent(kind) or store.LAST,
        wire.limited(rules.GROUP_LIST),
        public=public,
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
    cursor = cursors.encode(kind, page.mucs[-1].id) if page.more else None
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
