"""Who may see the console: a session's cookie, and for what changes something, a token.

The cookie is HttpOnly and SameSite=Strict. It is Secure, and bound to this host by its
name, where the console is reached by https; on plain http it cannot be, and the sign-in
page says what that means. A form is taken only with the session's own token, and only
from a page of this origin.
"""

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Response, g, redirect, request
from flask.typing import ResponseReturnValue

from server import limiting
from server.console import frame
from server.console.frame import alone, blueprint
from server.envelope import get_host
from server.settings import Settings
from server.store import operators

MOST_BYTES = 256 * 1024
"""Of a form."""
_COOKIE = "weir-console"
_OPEN = frozenset({"console.sign_in", "console.enter", "console.asset"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LIVE = "console.live_"
"""What begins the endpoints that pages ask by themselves."""

_public_url = ""


def init_app(settings: Settings) -> None:
    """Know how the server is reached."""
    global _public_url  # one app a process
    _public_url = settings.public_url or ""


def is_secure() -> bool:
    """Whether the browser reaches us by https, as far as we can know."""
    return request.is_secure or _public_url.startswith("https:")


def _name() -> str:
    return f"__Host-{_COOKIE}" if is_secure() else _COOKIE


def token() -> str | None:
    """The session's, as the browser sent it."""
    return request.cookies.get(_name())


def let_in(response: Response, session_token: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        _name(),
        session_token,
        max_age=operators.LONGEST_MS // 1000,
        secure=is_secure(),
        httponly=True,
        samesite="Strict",
    )


def let_out(response: Response) -> None:
    """Take it away."""
    response.delete_cookie(
        _name(), secure=is_secure(), httponly=True, samesite="Strict"
    )


@blueprint.before_request
def _admit() -> ResponseReturnValue | None:
    request.max_content_length = MOST_BYTES
    strayed = _strayed()
    if strayed is not None:
        return strayed
    if request.method not in _SAFE and not _is_from_our_page():
        return alone(403, "That is not allowed", "It did not come from this console.")
    if request.endpoint in _OPEN:
        return None
    found = _session()
    if found is None:
        return _outside()
    g.session = found
    g.csrf = _csrf(token() or "")
    if request.method not in _SAFE and not _has_csrf(g.csrf):
        words = "The form is not one of this session. Open the page again."
        return alone(403, "That is not allowed", words)
    return None


def _session() -> operators.Session | None:
    sent = token()
    if not sent:
        return None
    is_use = not (request.endpoint or "").startswith(_LIVE)
    found = operators.session(sent, is_use=is_use)
    if found is None:  # a stranger may be guessing
        limiting.guard().admit(request.remote_addr)
    return found


def _outside() -> ResponseReturnValue:
    """Nobody is signed in: off to the sign-in, and back to where they wanted to be."""
    if request.method not in _SAFE or (request.endpoint or "").startswith(_LIVE):
        words = "Nothing was done. Sign in and try again."
        response = alone(401, "Your session is over", words)
    else:
        wanted = request.full_path.removeprefix("/console").rstrip("?").lstrip("/")
        over = "&over=1" if token() else ""
        query = f"?next={_quoted(wanted)}{over}"
        response = Response(
            status=303, headers={"Location": f"{frame.root()}/sign-in{query}"}
        )
    if token():
        let_out(response)
    return response


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("&", "%26").replace("#", "%23")


def _csrf(session_token: str) -> str:
    """The token of a session's forms: it tells nothing of the session's own."""
    return hashlib.sha256(f"form of {session_token}".encode()).hexdigest()


def _has_csrf(expected: str) -> bool:
    sent = request.form.get("csrf", "").encode("utf-8", "surrogatepass")
    return hmac.compare_digest(sent, expected.encode())


def _is_from_our_page() -> bool:
    """What the browser itself says of where the form was; it cannot be made to lie."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = {get_host(request.environ).lower(), urlsplit(_public_url).netloc.lower()}
    return bool(origin) and urlsplit(origin).netloc.lower() in ours - {""}


def _strayed() -> ResponseReturnValue | None:
    """Links are relative, so a page has one address: without a slash at its end."""
    sent: str = request.environ.get("RAW_URI", "").partition("?")[0]
    if not sent.endswith("/") or request.method not in _SAFE:
        return None
    return redirect(f"../{sent.rstrip('/').rpartition('/')[2]}", 308)
