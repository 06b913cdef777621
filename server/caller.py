"""Who is asking, as everyone else sees it."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum, auto

from server.errors import Breach


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


@dataclass(slots=True)
class Call:
    """One request, from its first line of ours to its answer."""

    caller: Caller | None = None
    """None until auth has run, and on pages that belong to no app."""
    asked_of_quota: tuple[str, int] | None = None
    """The quota it drew on and how much it wanted, whether or not that was granted."""
    began_ns: int = field(default_factory=time.perf_counter_ns)
    app: App | None = None
    """The app that the path names, whether or not its caller may."""
    request_id: str = ""
    counted_ns: int = 0
    """When the rates of the table decided on it, in Unix ns; 0: they did not."""
    admitted: bool = False
    """Whether they let it pass, and so counted it."""
    breach: Breach | None = None
    """The figure that refused it."""


# A context variable of our own: the way to flask.g leads over two proxies, thirty
# times a request.
_call: ContextVar[Call] = ContextVar("call")


def begin() -> None:
    """A new request begins in this thread; what was known of the last is forgotten."""
    _call.set(Call())


def call() -> Call:
    """The request that this thread is at."""
    return _call.get()


def caller() -> Caller:
    """The caller of this request; auth has set it before any handler runs."""
    found = _call.get().caller
    if found is None:
        message = "this request is for no app"
        raise RuntimeError(message)
    return found


def edition() -> str | None:
    """The edition of the app this request is for; None where it is for none."""
    at = _call.get(None)
    return at.caller.app.edition if at is not None and at.caller is not None else None


def ask_of_quota(rule: str, amount: int) -> None:
    """Note what this request wants of a quota; nothing where there is no request."""
    at = _call.get(None)
    if at is not None:
        at.asked_of_quota = rule, amount
