"""The history files themselves, at signed addresses. Outside the table."""

import base64
import hashlib
import hmac
from functools import cache

from flask import Blueprint, Response, request

from server import answers as told
from server import downloads, envelope
from server.answers import answers
from server.clock import now_ms
from server.errors import ForbiddenOp, NotFound
from server.rules import history as rules
from server.store import apps, history, tokens

blueprint = Blueprint("history_files", __name__)

CONTENT_TYPE = "application/gzip"


@cache
def _key() -> bytes:
    return tokens.secret_key("history")


def forget() -> None:
    """Read the key again at the next use: another database is connected."""
    _key.cache_clear()


def _signature(path: str, expires: str) -> str:
    """Url-safe, so that no client can spoil it by decoding it once too often."""
    signed = f"{path}?Expires={expires}".encode("utf-8", "surrogateescape")
    digest = hmac.digest(_key(), signed, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def address(org: str, name: str, time: str, expires: int) -> str:
    """Where the hour's file is to be had until *expires*, in Unix seconds."""
    path = f"/history/{org}/{name}/{time}.gz"
    signature = _signature(path, str(expires))
    return f"{envelope.site()}{path}?Expires={expires}&Signature={signature}"


def is_over(hour: history.Hour) -> bool:
    """Whether an hour's file is past its time, which begins when the hour ends."""
    age_seconds = -(-(now_ms() - hour.ends) // 1000)
    return not rules.HISTORY_FILE.allows(age_seconds)


@blueprint.get("/history/<tenant>/<name>/<time>.gz")
@answers(told.content(CONTENT_TYPE))
def download(*, tenant: str, name: str, time: str) -> Response:
    """The file, to whoever has its address while that is good."""
    _check(f"/history/{tenant}/{name}/{time}.gz")
    app, hour = apps.find(tenant, name), history.hour(time)
    if app is None or hour is None or is_over(hour):
        raise NotFound
    return downloads.send(history.key_of(app, hour), CONTENT_TYPE)


def _check(path: str) -> None:
    expires = request.args.get("Expires", "")
    said = request.args.get("Signature", "").encode("utf-8", "surrogateescape")
    signed = tokens.same(said, _signature(path, expires).encode())
    # What was signed is a number; what was not is not looked at.
    if not signed or now_ms() > int(expires) * 1000:
        message = "the signature of this address is wrong, or its time is over"
        raise ForbiddenOp(message)
