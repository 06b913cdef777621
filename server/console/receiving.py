"""A user's live stream beside the trial, as one more device of theirs.

The page opens it by a ticket, as any browser does, and the ticket is asked of the API
with a token of that user's that is good for a minute and leaves this process nowhere.
So it is counted, logged and refused as the user's own would be. Who listened to whom is
written down: it is others' words that an operator sees here.
"""

from dataclasses import dataclass
from urllib.parse import quote

import orjson

from server.caller import App
from server.clock import now_ms
from server.console import trying
from server.store import audit, tokens, users

MOST_OFFERED = 50
"""Names that a page offers; others are typed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the stream is, below the server's root; good for as long as a ticket."""

    path: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is none, and how many seconds to wait, where that helps."""

    status: int
    words: str
    retry_after: str | None = None


def open_stream(app: App, username: str, client: str) -> Opened | Refused:
    """A way into the stream of a user."""
    user = users.find(app.id, username)
    if user is None:
        return Refused(404, f"{app.org}/{app.name} has no user {username!r}.")
    ends = now_ms() // 1000 + trying.SECONDS
    token = tokens.issue(app.id, user.id, ends, users.token_key(user.id))
    path = f"/{app.org}/{app.name}/users/{quote(user.username, safe='')}/stream"
    status, headers, content = trying.call(f"{path}/ticket", {}, token, client)
    answer = orjson.loads(content)
    if status != 200:
        named = {name.lower(): value for name, value in headers}
        words = f"{status}: {answer.get('error_description') or answer.get('error')}"
        return Refused(status, words, named.get("retry-after"))
    audit.record("user.stream", f"{app.org}/{app.name}", user.username)
    return Opened(f"{path}?ticket={quote(answer['data']['ticket'], safe='')}")


def offered(app: App) -> list[str]:
    """Names of users to choose from, the oldest first."""
    return [user.username for user in users.page(app.id, 0, MOST_OFFERED).users]
