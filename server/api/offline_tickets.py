"""Tickets: what opens one user's stream for a moment, where no header can be sent.

A browser's ``EventSource`` sends none, and a token in an address ends up in logs. A
ticket is good for streams alone, and not for long. It may be used again while it is:
the browser connects anew by itself, with the same address.
"""

import functools

from itsdangerous import BadSignature, URLSafeSerializer

from server.caller import App, Caller, Kind
from server.clock import now_ms
from server.errors import BadToken, ExpiredToken
from server.store import tokens, users


@functools.cache
def _signer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=b"weir.stream-ticket")


def _serializer() -> URLSafeSerializer:
    return _signer(tokens.secret_key("stream-tickets"))


def issue(found: Caller, seconds: int) -> str:
    """A ticket for the caller, a user."""
    user_id = found.user_id or 0
    key = users.token_key(user_id)
    ends = now_ms() // 1000 + seconds
    ticket = _serializer().dumps([found.app.id, user_id, ends, key.hex()])
    return str(ticket)


def redeem(app: App, ticket: str) -> Caller:
    """Whom a ticket speaks for.

    Raises:
        BadToken: it is none, or another app's.
        ExpiredToken: its moment is over, or the user's tokens were revoked.
    """
    try:
        app_id, user_id, ends, key = _serializer().loads(ticket)
    except BadSignature:
        raise BadToken from None
    if app_id != app.id:
        raise BadToken
    username = users.named_by_token(app.id, user_id, bytes.fromhex(key))
    if ends <= now_ms() // 1000 or username is None:
        raise ExpiredToken
    return Caller(app, Kind.USER, user_id, username)
