"""Files: upload, download, and the thumbnail of an image."""

from flask import Response, request
from marshmallow import Schema, fields

from server import answers as told
from server import downloads, envelope, thumbnails, uploads
from server.answers import answers
from server.auth import allow, deny_bad_tokens_with
from server.caller import Kind, caller
from server.clock import now_ms
from server.errors import BadToken, ForbiddenOp, NotFound
from server.rules import files as rules
from server.store import file_storage, tokens
from server.store import files as store
from server.store.file_storage import Incoming
from server.uploads import Upload

blueprint = rules.blueprint
deny_bad_tokens_with(blueprint, BadToken)

PATH = "/chatfiles"
NOBODY = "admin"
"""Whose an upload with an app token is."""
DEFAULT_SIDE = 170
"""Pixels: the box of a thumbnail for which none is asked."""


def _restricts() -> bool:
    """One client always says ``false`` and downloads without the secret; else the
    presence of the field is what counts, whatever it says."""
    said = request.headers.get("restrict-access")
    return said is not None and said.strip().lower() != "false"


class ChatFile(Schema):
    uuid = told.text()
    type = told.constant("chatfile")
    share_secret = fields.String(required=True, data_key="share-secret")


@blueprint.post("/chatfiles")
@answers(told.of_app(action="post", path=PATH, uri=told.uri(), entities=[ChatFile]))
@allow(Kind.APP, Kind.USER)
def upload() -> Response:
    """Keep one file; the answer tells its uuid and its share-secret."""
    by = caller()
    with uploads.receive(at_most=rules.FILE) as received, file_storage.incoming() as to:
        new = store.NewFile(
            owner=by.username or NOBODY,
            name=received.name,
            content_type=received.content_type,
            size=received.size,
            restricted=_restricts(),
        )
        thumbnail = _thumbnail(received, to)
        uuid, secret = store.add(by.app.id, new, received.content, thumbnail)
    return envelope.of_app(
        action="post",
        path=PATH,
        uri=envelope.base() + PATH,
        entities=[{"uuid": uuid, "type": "chatfile", "share-secret": secret}],
    )


def _thumbnail(received: Upload, to: Incoming) -> tuple[Incoming, str] | None:
    """A thumbnail written to *to*; None where the file itself will do."""
    if received.size <= thumbnails.SMALL:
        return None
    width = received.parts.get("thumbnail-width", "")
    height = received.parts.get("thumbnail-height", "")
    box = (_side(width), _side(height))
    with received.content.read_back() as source:
        made = thumbnails.make(source, box)
    if made is None:
        return None
    to.file.write(made[0])
    return to, made[1]


def _side(said: str) -> int:
    said = said.strip()
    fits = said.isascii() and said.isdecimal() and len(said) < 10 and int(said) > 0
    return int(said) if fits else DEFAULT_SIDE


@blueprint.get("/chatfiles/<uuid>")
@answers(told.content())
@allow(Kind.APP, Kind.USER)
@rules.cluster_downloads
def download(*, uuid: str) -> Response:
    """The bytes of a file, or of its thumbnail, to whoever has its secret."""
    found = store.find(caller().app.id, uuid)
    if found is None or _is_over(found.created):
        raise NotFound
    if found.restricted and not _knows(found.secret_hash):
        message = "share-secret is missing or wrong"
        raise ForbiddenOp(message)
    small = request.headers.get("thumbnail", "").strip().lower() == "true"
    if small and found.thumbnail_type is not None:
        key, kind = store.thumbnail_key_of(found.uuid), found.thumbnail_type
    else:
        key, kind = store.key_of(found.uuid), downloads.type_of(found.content_type)
    return downloads.send(key, kind, pace=rules.DOWNLOAD_BANDWIDTH)


def _is_over(created: int) -> bool:
    age_seconds = -(-(now_ms() - created) // 1000)
    return not rules.UPLOADED_FILE.allows(age_seconds)


def _knows(secret_hash: bytes) -> bool:
    said = request.headers.get("share-secret")
    if said is None:
        said = request.args.get("share-secret", "")
    return tokens.same(store.hash_secret(said.strip()), secret_hash)
