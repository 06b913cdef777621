"""Tokens: what an app's server or a user calls with. Outside the table: no category.

Guarded like every call without a token, per remote address.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields

from server import answers as told
from server import auth, envelope, passwords
from server.answers import answers
from server.api.users import NewName, User, entity
from server.caller import Caller, Kind, caller
from server.clock import now_ms
from server.errors import (
    BadToken,
    InvalidGrant,
    InvalidRequest,
    Refusal,
    UnknownGrantUser,
    UnsupportedGrantType,
)
from server.loading import load
from server.payload import SWITCH, Choice, Lenient, read_json, takes
from server.rules import users as rules
from server.store import apps, tokens
from server.store import users as store

blueprint = Blueprint("tokens", __name__)

LIFETIME_SECONDS = 5_184_000
"""60 days: how long a token lasts whose request does not say."""


NEEDS: Mapping[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "password": ("username", "password"),
    "inherit": ("username",),
}
"""The fields that each grant cannot do without."""


class TokenRequest(Lenient):
    # Each is looked at where its grant needs it, so what is told of them stands here.
    grant_type = fields.Raw(metadata={"type": "string", "enum": list(NEEDS)})
    client_id = fields.Raw(metadata={"type": "string"})
    client_secret = fields.Raw(metadata={"type": "string"})
    username = fields.Raw(metadata={"type": "string"})
    password = fields.Raw(metadata={"type": "string"})
    ttl = fields.Raw(
        metadata={"type": ["integer", "string"], "description": "Seconds; 0: for ever."}
    )
    auto_create = Choice(SWITCH, data_key="autoCreateUser", load_default=False)


@blueprint.post("/token")
@answers(
    told.bare(
        access_token=told.text(),
        expires_in=told.number("Seconds."),
        application=told.maybe(told.text("Of an app token.")),
        user=told.maybe(User),
    )
)
@auth.allow(Kind.NOBODY)
@takes(TokenRequest)
def issue() -> Response:
    """A new token; those issued before stay valid."""
    content = read_json(rules.REQUEST_BODY)
    asked = load(_REQUEST, content) if isinstance(content, dict) else {}
    grant = _GRANTS.get(_needed(asked, "grant_type"))
    if grant is None:
        raise UnsupportedGrantType
    return grant(asked)


def _needed(asked: dict[str, Any], field: str) -> str:
    value = asked.get(field)
    if not isinstance(value, str) or not value:
        message = f"{field} is required"
        raise InvalidRequest(message)
    return value


def _needs(asked: dict[str, Any], grant: str) -> list[str]:
    return [_needed(asked, field) for field in NEEDS[grant]]


def _client_credentials(asked: dict[str, Any]) -> Response:
    app = caller().app
    client_id, client_secret = _needs(asked, "client_credentials")
    if not tokens.same(client_id.encode(), app.client_id.encode()):
        message = "client_id does not match"
        raise InvalidGrant(message)
    if not tokens.same(apps.hash_secret(client_secret), app.secret_hash):
        message = "client_secret does not match"
        raise InvalidGrant(message)
    ends, lasts = _lifetime(asked.get("ttl"))
    return envelope.oauth(
        {
            "access_token": tokens.issue(app.id, None, ends, app.token_key),
            "expires_in": lasts,
            "application": app.uuid,
        }
    )


def _password(asked: dict[str, Any]) -> Response:
    username, password = _needs(asked, "password")
    known = store.sign_in(caller().app.id, username)
    # Checked even for a user nobody knows: how long it takes must not tell.
    if not passwords.matches(password, known.password_hash if known else None):
        raise InvalidGrant
    if known is None:
        raise InvalidGrant
    return _user_token(known, asked)


def _inherit(asked: dict[str, Any]) -> Response:
    _check_app_token()
    (username,) = _needs(asked, "inherit")
    known = store.sign_in(caller().app.id, username)
    if known is None and asked["auto_create"]:
        known = _created(username)
    if known is None:
        raise UnknownGrantUser
    return _user_token(known, asked)


def _check_app_token() -> None:
    app = caller().app
    try:
        found: Caller | None = auth.caller_of(
            app, request.headers.get("Authorization", "")
        )
    except Refusal:
        found = None
    if found is None or found.kind is not Kind.APP:
        raise BadToken


def _created(username: str) -> store.SignIn | None:
    """Register as ``POST users`` does, but with no password.

    Of two calls at once for one name both end with the one user.
    """
    load(_NEW_NAME, {"username": username})
    app_id = caller().app.id
    new = store.NewUser(username.lower(), None)
    store.add(app_id, [new], at_most=rules.USERS_PER_APP)
    return store.sign_in(app_id, username)


def _user_token(known: store.SignIn, asked: dict[str, Any]) -> Response:
    if not known.user.activated:
        message = "user not activated"
        raise InvalidGrant(message)
    app = caller().app
    ends, lasts = _lifetime(asked.get("ttl"))
    return envelope.oauth(
        {
            "access_token": tokens.issue(app.id, known.user.id, ends, known.token_key),
            "expires_in": lasts,
            "user": entity(known.user),
        }
    )


def _lifetime(ttl: object) -> tuple[int | None, int]:
    """When a token of this *ttl* ends, and its ``expires_in``; None: never."""
    seconds = LIFETIME_SECONDS
    if isinstance(ttl, str) and ttl.isascii() and ttl.isdigit() and len(ttl) < 20:
        ttl = int(ttl)
    if isinstance(ttl, int) and not isinstance(ttl, bool) and ttl >= 0:
        seconds = min(ttl, tokens.FOREVER)
    if seconds in (0, tokens.FOREVER):
        return None, tokens.FOREVER
    return now_ms() // 1000 + seconds, seconds


_REQUEST = TokenRequest()
_NEW_NAME = NewName()
_GRANTS = {
    "client_credentials": _client_credentials,
    "password": _password,
    "inherit": _inherit,
}
