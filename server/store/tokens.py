"""Bearer tokens: signed, never kept.

A token names its app, perhaps its user, when it ends and the ``token_key`` of the row
it speaks for. Changing that key revokes every token of the row at once; the signature
says that this installation issued it. Issuing writes nothing, so it is cheap.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass
from functools import cache, lru_cache

from itsdangerous import BadSignature, Signer

from server.store.database import INSTALLATION, Statement, writing

FOREVER = 2**31 - 1
"""``expires_in`` of a token that never ends: what 32-bit clients can hold."""

# Of the last character four bits count: any other would say the same token again.
_FORM = re.compile(
    r"wt1\.(app|usr)\.[A-Za-z0-9_-]{48}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
)
# app id, user id (0: an app token), end in Unix seconds (0: never), token key, salt
_CLAIMS = struct.Struct(">QQQ8s4s")

_FIND_SECRET = Statement("SELECT key FROM server_secret WHERE name = ?")
_KEEP_SECRET = Statement("INSERT INTO server_secret (name, key) VALUES (?, ?)")


class Malformed(ValueError):
    """Not the shape of a token."""


class Forged(ValueError):
    """The shape of a token, but not one of this installation's."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; whether its row still stands is the caller's to check."""

    app_id: int
    user_id: int | None
    ends: int | None
    """Unix seconds; None: never."""
    token_key: bytes


def secret_key(name: str) -> bytes:
    """The installation's key of this *name*, made at the first call on any host."""
    found = _FIND_SECRET.one(name)
    if found is None:
        with writing(
            INSTALLATION
        ):  # two hosts may both find none; the second reads the first's
            found = _FIND_SECRET.one(name)
            if found is None:
                found = (secrets.token_bytes(32),)
                _KEEP_SECRET.run(name, found[0])
    return bytes(found[0])


class _Signer(Signer):
    """itsdangerous derives its key at every use; ours never changes."""

    def __init__(self, key: bytes) -> None:
        super().__init__(
            key,
            salt=b"weir.token",
            sep=".",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
        self._derived = super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:  # noqa: ARG002 (the base class's signature)
        return self._derived


@cache
def _signer() -> _Signer:
    return _Signer(secret_key("tokens"))


def forget() -> None:
    """Read the key again at the next use: another database is connected."""
    _signer.cache_clear()
    read.cache_clear()


def issue(app_id: int, user_id: int | None, ends: int | None, token_key: bytes) -> str:
    """A new token; earlier ones stay valid."""
    claims = _CLAIMS.pack(
        app_id, user_id or 0, ends or 0, token_key, secrets.token_bytes(4)
    )
    kind = "app" if user_id is None else "usr"
    text = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    return _signer().sign(f"wt1.{kind}.{text}").decode()


def same(one: bytes, other: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)


@lru_cache(maxsize=8192)  # callers send one token many times; bad ones are not kept
def read(token: str) -> Claims:
    """
    Raises:
        Malformed: it is no token at all.
        Forged: somebody else's, or altered.
    """
    if not _FORM.fullmatch(token):
        raise Malformed
    try:
        signed = _signer().unsign(token).decode()
        text = signed.rpartition(".")[2]
        claims = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        app_id, user_id, ends, token_key, _ = _CLAIMS.unpack(claims)
    except (BadSignature, binascii.Error, struct.error) as wrong:
        raise Forged from wrong
    return Claims(app_id, user_id or None, ends or None, token_key)
