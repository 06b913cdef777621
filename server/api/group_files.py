"""Files shared in groups: list, upload, download, delete."""

from flask import Response, request
from marshmallow import Schema

from server import answers as told
from server import downloads, envelope, uploads
from server.answers import answers
from server.api import muc_wire as wire
from server.api.groups import KIND
from server.auth import decide
from server.caller import Caller, Kind, caller
from server.muc_errors import UnknownSharedFile
from server.rules import groups as rules
from server.store import muc_files as store
from server.store import muc_members, muc_roles, mucs
from server.store.files import NewFile, key_of

blueprint = rules.blueprint

NOBODY = "admin"
"""Whose an upload with an app token is."""


def _member(found: Caller) -> Caller | None:
    """An app token, or that of a member."""
    if found.kind is Kind.APP:
        return found
    return found if _group_of(found) is not None else None


def _group_of(found: Caller) -> mucs.Muc | None:
    """The group of the path, if a user who asks is in it."""
    group_id = wire.whole_id((request.view_args or {})["group_id"])
    if found.username is None or group_id is None:
        return None
    group = mucs.find(found.app.id, KIND, group_id)
    if group is None:
        return None
    joined = muc_members.is_joined(found.app.id, KIND, group_id, found.username)
    return group if joined else None


def _may_delete(found: Caller) -> Caller | None:
    """An app token, or that of the uploader, an administrator or the owner."""
    if found.kind is Kind.APP:
        return found
    group = _group_of(found)
    if group is None or found.username is None:
        return None
    file_id = (request.view_args or {})["file_id"]
    shared = store.find(found.app.id, KIND, group.id, file_id)
    if shared is None or found.username in (shared.owner, group.owner):
        return found
    return found if muc_roles.is_admin(found.app.id, group.id, found.username) else None


class SharedFile(Schema):
    file_id = told.text()
    file_name = told.text()
    file_owner = told.text()
    file_size = told.number("Bytes.")
    created = told.number()


@blueprint.get("/chatgroups/<group_id>/share_files")
@answers(wire.told([SharedFile]))
@decide(_member, Kind.APP, Kind.USER)
def list_files(*, group_id: str) -> Response:
    """The files of a group, the newest first."""
    most = rules.SHARED_FILE_LIST
    page = store.page(
        caller().app.id,
        KIND,
        wire.id_in(group_id),
        number=wire.numbered(),
        size=wire.page_size(most, default=most.value),
    )
    return wire.of_muc(
        [
            {
                "file_id": shared.uuid,
                "file_name": shared.name,
                "file_owner": shared.owner,
                "file_size": shared.size,
                "created": shared.created,
            }
            for shared in page
        ]
    )


class NewSharedFile(Schema):
    file_url = told.text()
    group_id = told.text()
    file_name = told.text()
    created = told.number()
    file_id = told.text()
    file_size = told.number("Bytes.")


@blueprint.post("/chatgroups/<group_id>/share_files")
@answers(wire.told(NewSharedFile))
@decide(_member, Kind.APP, Kind.USER)
def upload(*, group_id: str) -> Response:
    """Keep a file for the members of a group."""
    by = caller()
    with uploads.receive(at_most=rules.SHARED_FILE) as received:
        new = NewFile(
            owner=by.username or NOBODY,
            name=received.name,
            content_type=received.content_type,
            size=received.size,
            restricted=False,
        )
        found = wire.id_in(group_id)
        shared = store.add(by.app.id, KIND, found, new, received.content)
    return wire.of_muc(
        {
            "file_url": f"{envelope.here()}/{shared.uuid}",
            "group_id": group_id,
            "file_name": shared.name,
            "created": shared.created,
            "file_id": shared.uuid,
            "file_size": shared.size,
        }
    )


@blueprint.get("/chatgroups/<group_id>/share_files/<file_id>")
@answers(told.content())
@decide(_member, Kind.APP, Kind.USER)
def download(*, group_id: str, file_id: str) -> Response:
    """The bytes of a shared file."""
    shared = store.find(caller().app.id, KIND, wire.id_in(group_id), file_id)
    if shared is None:
        raise UnknownSharedFile(envelope.here())
    return downloads.send(key_of(shared.uuid), downloads.type_of(shared.content_type))


class RemovedFile(Schema):
    group_id = told.text()
    file_id = told.text()
    result = told.constant(value=True)


@blueprint.delete("/chatgroups/<group_id>/share_files/<file_id>")
@answers(wire.told(RemovedFile))
@decide(_may_delete, Kind.APP, Kind.USER)
def delete_file(*, group_id: str, file_id: str) -> Response:
    """Remove a shared file."""
    if not store.delete(caller().app.id, KIND, wire.id_in(group_id), file_id):
        raise UnknownSharedFile(envelope.here())
    return wire.of_muc({"group_id": group_id, "file_id": file_id, "result": True})
