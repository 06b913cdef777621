"""Operators, who may use the console, and the sessions of their browsers.

Keys and session tokens are 256 random bits; what is kept is their SHA-256, and a slow
hash would add nothing. They are looked up by that hash: how long a look takes says
nothing about a key that is not the right one.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from server.clock import now_ms
from server.store import audit
from server.store.database import INSTALLATION, Statement, writing

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
IDLE_MS = 60 * 60 * 1000
"""A session that nobody used for so long is over."""
LONGEST_MS = 12 * 60 * 60 * 1000
"""And so is one that began so long ago."""
_SEEN_EVERY_MS = 60 * 1000
"""A use is written down so often at most."""


class UnusableName(ValueError):
    """An operator cannot be called this; the message says why."""


class OperatorExists(ValueError):
    """There is an operator of this name already."""


class NoSuchOperator(LookupError):
    """There is no operator of this name."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One who may use the console."""

    name: str
    created: int
    seen: int | None
    """When they last did, within a minute; None: never."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    operator: str
    created: int
    seen: int


_CREATE = Statement("INSERT INTO operator (name, key_hash, created) VALUES (?, ?, ?)")
_FIND = Statement("SELECT id FROM operator WHERE name = ?")
_BY_KEY = Statement("SELECT id, name FROM operator WHERE key_hash = ?")
_LIST = Statement("SELECT name, created, seen FROM operator ORDER BY name")
_ROTATE = Statement("UPDATE operator SET key_hash = ? WHERE name = ?")
_DELETE = Statement("DELETE FROM operator WHERE name = ?")
_SEE = Statement("UPDATE operator SET seen = ? WHERE id = ?")
_BEGIN = Statement(
    """
    INSERT INTO operator_session (token_hash, operator_id, created, seen)
    VALUES (?, ?, ?, ?)
    """
)
_SESSION = Statement(
    """
    SELECT operator.name, operator_session.created, operator_session.seen,
        operator.id
    FROM operator_session JOIN operator ON operator.id = operator_session.operator_id
    WHERE token_hash = ?
    """
)
_SEE_SESSION = Statement("UPDATE operator_session SET seen = ? WHERE token_hash = ?")
_END = Statement("DELETE FROM operator_session WHERE token_hash = ?")
_END_OF = Statement("DELETE FROM operator_session WHERE operator_id = ?")
_END_OLD = Statement("DELETE FROM operator_session WHERE created < ?")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _new_key() -> str:
    return "WEIR-" + secrets.token_urlsafe(32)


def create(name: str) -> str:
    """The new operator's key.

    Raises:
        UnusableName: it is none.
        OperatorExists: the name is taken.
    """
    if not NAME.fullmatch(name):
        message = (
            f"operator {name!r}: 1 to 64 of letters, digits and . _ @ - are needed,"
            " a letter or digit first"
        )
        raise UnusableName(message)
    key = _new_key()
    with writing(INSTALLATION):
        if _FIND.one(name) is not None:
            message = f"there is an operator {name} already"
            raise OperatorExists(message)
        _CREATE.run(name, _hash(key), now_ms())
        audit.note("operator.created", name)
    return key


def every() -> list[Operator]:
    """All of them, by name."""
    return [Operator(*row) for row in _LIST.all()]


def rotate(name: str) -> str:
    """A new key; the old one and every session of theirs end at once.

    Raises:
        NoSuchOperator: there is none of this name.
    """
    key = _new_key()
    with writing(INSTALLATION):
        row = _existing(name)
        _ROTATE.run(_hash(key), name)
        _END_OF.run(row)
        audit.note("operator.key", name)
    return key


def delete(name: str) -> None:
    """Let an operator in no more, from this moment.

    Raises:
        NoSuchOperator: there is none of this name.
    """
    with writing(INSTALLATION):
        _END_OF.run(_existing(name))
        _DELETE.run(name)
        audit.note("operator.deleted", name)


def _existing(name: str) -> int:
    row = _FIND.one(name)
    if row is None:
        message = f"there is no operator {name}"
        raise NoSuchOperator(message)
    return int(row[0])


def sign_in(key: str, *, instead_of: str | None = None) -> tuple[str, str] | None:
    """The operator's name and a new session's token; None: the key is nobody's.

    *instead_of* is the token of the session that the browser had, which ends.
    """
    hashed = _hash(key)
    if _BY_KEY.one(hashed) is None:  # so that a stranger takes no lock
        return None
    token = secrets.token_urlsafe(32)
    now = now_ms()
    with writing(INSTALLATION):
        row = _BY_KEY.one(hashed)
        if row is None:
            return None
        if instead_of is not None:
            _END.run(_hash(instead_of))
        _END_OLD.run(now - LONGEST_MS)
        _BEGIN.run(_hash(token), row[0], now, now)
        _SEE.run(now, row[0])
    return str(row[1]), token


def session(token: str, *, is_use: bool = True) -> Session | None:
    """The session of this token, if it is not over; *is_use*: it is used by a person.

    A page that asks by itself for what is new keeps no session alive.
    """
    hashed = _hash(token)
    row = _SESSION.one(hashed)
    if row is None:
        return None
    name, created, seen, operator_id = row
    now = now_ms()
    if now - seen > IDLE_MS or now - created > LONGEST_MS:
        return None
    if is_use and now - seen > _SEEN_EVERY_MS:
        with writing(INSTALLATION):
            _SEE_SESSION.run(now, hashed)
            _SEE.run(now, operator_id)
    return Session(name, created, seen)


def sign_out(token: str) -> None:
    """End a session, if there is one."""
    with writing(INSTALLATION):
        _END.run(_hash(token))
