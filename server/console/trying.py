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
_SECONDS = 60
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
    # In a context of its own: this call's caller and figures are not that one's.
    status, headers, content = copy_context().run(_call, app, path, asked, client)
    named = {name.lower(): value for name, value in headers}
    return Tried(
        "POST",
        path,
        _pretty(asked),
        status,
        [(name, named[name]) for name in _SHOWN if name in named],
        _pretty(orjson.loads(content)),
    )


def _call(
    app: App, path: str, asked: object, client: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    ends = now_ms() // 1000 + _SECONDS
    token = tokens.issue(app.id, None, ends, app.token_key)
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
