"""Who is asking, as everyone else sees it."""

from dataclasses import dataclass
from enum import Enum, auto

from flask import g


class Kind(Enum):
    """What a call was made with."""

    APP = auto()
    """An app token: the app's own server."""
    USER = auto()
    """A user token."""
    NOBODY = auto()
    """No token, on the few endpoints that are open without one."""


@dataclass(frozen=True, slots=True)
class App:
    """One app, as it stands at this call."""

    id: int
    uuid: str
    org: str
    name: str
    edition: str
    open_registration: bool
    token_key: bytes
    """Part of every valid app token."""
    client_id: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """The app a call is made in and by whom."""

    app: App
    kind: Kind
    user_id: int | None = None
    """Of a user token; None otherwise."""
    username: str | None = None

    @property
    def edition(self) -> str:
        return self.app.edition


def caller() -> Caller:
    """The caller of this request; auth has set it before any handler runs."""
    found: Caller = g.caller
    return found


def edition() -> str | None:
    """The edition of the app this request is for; None where it is for none."""
    found: Caller | None = g.get("caller")
    return found.app.edition if found else None
