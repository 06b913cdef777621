"""The reference: what the API is, told from its routes, schemas, marks and rules."""

import hashlib
from dataclasses import dataclass
from threading import Lock

import orjson
from flask import Blueprint, Flask, Response, current_app, request

from server import answers as told
from server.answers import JSON, answers
from server.reference import document
from server.reference.fields import Json
from server.settings import Settings

__all__ = ["blueprint", "init_app", "published"]

blueprint = Blueprint("reference", __name__)


@dataclass(frozen=True, slots=True)
class Published:
    """The document, as it is told and as it is sent."""

    told: Json
    sent: bytes
    etag: str


class _Press:
    """Makes the document when it is first asked for, once."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._lock = Lock()
        self._made: Published | None = None

    def published(self, app: Flask) -> Published:
        with self._lock:
            if self._made is None:
                made = document.build(app, self._server_url)
                sent = orjson.dumps(made)
                etag = hashlib.sha256(sent).hexdigest()[:32]
                self._made = Published(made, sent, etag)
            return self._made


_press = _Press("/")


def init_app(settings: Settings) -> None:
    """Tell callers to call where the settings say; else where they read it."""
    global _press  # one app a process
    _press = _Press(settings.public_url or "/")


def published() -> Published:
    """The document of the app at hand."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # one proxy
    return _press.published(app)


@blueprint.get("/openapi.json")
@answers(told.document(JSON))
def openapi() -> Response:
    """This document; conditional requests spare sending it again."""
    made = published()
    response = Response(made.sent, content_type=JSON)
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(made.etag)
    response.make_conditional(request)
    return response
