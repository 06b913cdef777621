"""A message sent from the console: a call like any other, by the same way.

It goes through the whole server, with an app token of a minute, so it is counted,
logged and refused as the app's own would be.
"""

from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app, request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from server.caller import App
from server.clock import now_ms
from server.store import tokens

TARGETS = {"users": "users", "chatgroups": "groups", "chatrooms": "chat rooms"}
SECONDS = 60
"""That a token of ours is good for."""
_SHOWN = ("retry-after", "ratelimit-policy", "ratelimit", "x-request-id")


@dataclass(frozen=True, slots=True)
class Draft:
    """What was filled in."""

    kind: str = "users"
    sender: str = ""
    to: str = ""
    text: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> "Draft":
        return cls(
            form.get("kind", ""),
            form.get("from", "").strip(),
            form.get("to", "").strip(),
            form.get("text", ""),
        )

    @property
    def targets(self) -> list[str]:
        return [each.strip() for each in self.to.split(",") if each.strip()]


@dataclass(frozen=True, slots=True)
class Tried:
    """Both sides of a call."""

    method: str
    path: str
    asked: str
    status: int
    headers: list[tuple[str, str]]
    answer: str


def send(app: App, draft: Draft, client: str) -> Tried:
    """Send *draft* as the app; whatever is wrong with it, the API says."""
    kind = draft.kind if draft.kind in TARGETS else "users"
    path = f"/{app.org}/{app.name}/messages/{kind}"
    asked: dict[str, Any] = {
        "to": draft.targets,
        "type": "txt",
        "body": {"msg": draft.text},
    }
    if draft.sender:
        asked = {"from": draft.sender, **asked}
    token = tokens.issue(app.id, None, now_ms() // 1000 + SECONDS, app.token_key)
    status, headers, content = call(path, asked, token, client)
    named = {name.lower(): value for name, value in headers}
    return Tried(
        "POST",
        path,
        _pretty(asked),
        status,
        [(name, named[name]) for name in _SHOWN if name in named],
        _pretty(orjson.loads(content)),
    )


def call(
    path: str, asked: object, token: str, client: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    """What the server answers to a POST that comes from the operator's address."""
    # In a context of its own: this call's caller and figures are not that one's.
    return copy_context().run(_call, path, asked, token, client)


def _call(
    path: str, asked: object, token: str, client: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    builder = EnvironBuilder(
        path,
        method="POST",
        base_url=request.host_url,
        data=orjson.dumps(asked),
        content_type="application/json",
        headers=Headers([("Authorization", f"Bearer {token}"), ("User-Agent", client)]),
        environ_base={"REMOTE_ADDR": request.remote_addr or ""},
    )
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    pieces, status, headers = run_wsgi_app(current_app.wsgi_app, environ, buffered=True)
    return int(status.split()[0]), list(headers), b"".join(pieces)


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
