"""The audit: each change of apps, operators and rules, with who made it.

A row is written in the transaction of its change, so neither is there without the
other. It names its subject by text and outlives it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from server.clock import now_ms
from server.store.database import INSTALLATION, Statement, writing

Action = Literal[
    "app.created",
    "app.edition",
    "app.registration",
    "app.secret",
    "app.deleted",
    "operator.created",
    "operator.key",
    "operator.deleted",
    "rules",
    "user.stream",
]

SERVER = "server"
"""The actor of what no person did."""

_actor: ContextVar[str] = ContextVar("actor", default=SERVER)

_ADD = Statement(
    "INSERT INTO audit (at, actor, action, subject, words) VALUES (?, ?, ?, ?, ?)"
)
_COLUMNS = "id, at, actor, action, subject, words"
_PAGE = Statement(f"SELECT {_COLUMNS} FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?")
_PAGE_OF_SUBJECT = Statement(
    f"""
    SELECT {_COLUMNS} FROM audit WHERE subject = ? AND id < ?
    ORDER BY id DESC LIMIT ?
    """
)
_PAGE_OF_ACTION = Statement(
    f"""
    SELECT {_COLUMNS} FROM audit WHERE action = ? AND id < ?
    ORDER BY id DESC LIMIT ?
    """
)
_LAST_RULES = Statement(
    "SELECT digest, figures FROM rules_seen ORDER BY id DESC LIMIT 1"
)
_SEE_RULES = Statement("INSERT INTO rules_seen (at, digest, figures) VALUES (?, ?, ?)")
_NEWEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One change."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    words: str


@dataclass(frozen=True, slots=True)
class RulesChange:
    """What came into force, and what was before; None: nothing was."""

    before: str | None


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """What is changed meanwhile, in this thread, is *actor*'s doing."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def note(action: Action, subject: str, words: str = "") -> None:
    """Write down a change: part of the transaction that makes it."""
    _ADD.run(now_ms(), _actor.get(), action, subject, words)


def record(action: Action, subject: str, words: str = "") -> None:
    """Write down what is no change of the database, in a transaction of its own."""
    with writing(INSTALLATION):
        note(action, subject, words)


def page(
    *,
    subject: str | None = None,
    action: Action | None = None,
    before: int | None = None,
    limit: int,
) -> list[Entry]:
    """The latest first: of everything, or of one subject, or of one action."""
    newest = _NEWEST if before is None else before
    if subject is not None:
        rows = _PAGE_OF_SUBJECT.all(subject, newest, limit)
    elif action is not None:
        rows = _PAGE_OF_ACTION.all(action, newest, limit)
    else:
        rows = _PAGE.all(newest, limit)
    return [Entry(*row) for row in rows]


def last_rules() -> tuple[str, str] | None:
    """The digest and the figures of the rules that were last seen in force."""
    row = _LAST_RULES.one()
    return None if row is None else (str(row[0]), str(row[1]))


@contextmanager
def seeing_rules(digest: str, figures: str) -> Iterator[RulesChange | None]:
    """A transaction in which these rules are seen; None: they were the last anyway.

    The processes of a start race here, and one of them meets the change.
    """
    with writing(INSTALLATION):
        last = last_rules()
        if last is not None and last[0] == digest:
            yield None
            return
        _SEE_RULES.run(now_ms(), digest, figures)
        yield RulesChange(None if last is None else last[1])
