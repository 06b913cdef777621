"""In and out of the console."""

import logging
import re
from ipaddress import ip_address

from flask import Response, g, redirect, request
from flask.typing import ResponseReturnValue

from server import limiting
from server.console import gate
from server.console.frame import blueprint, page, root
from server.store import operators

log = logging.getLogger("weir")

# Within the console, so that it leads nowhere else.
_NEXT = re.compile(r"(?!/)[\w/.~%?=&@:-]{0,512}", re.ASCII)


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """The form."""
    words = "Your session is over. Sign in again." if "over" in request.args else ""
    return _form(200, words, request.args.get("next", ""))


@blueprint.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Sign in with a key; each try draws on the guard, as token requests do."""
    limiting.guard().admit(request.remote_addr)
    wanted = request.form.get("next", "")
    key = request.form.get("key", "").strip()
    if not key:
        return _form(400, "A key is needed.", wanted)
    found = operators.sign_in(key, instead_of=gate.token())
    if found is None:
        log.warning("console: a key of nobody came from %s", request.remote_addr)
        words = "No operator has this key. It may have been rotated."
        return _form(403, words, wanted)
    operator, token = found
    log.info("console: %s signed in from %s", operator, request.remote_addr)
    beyond = wanted if wanted and _NEXT.fullmatch(wanted) else ""
    response = Response(
        status=303, headers={"Location": f"{root()}{beyond and '/'}{beyond}"}
    )
    gate.let_in(response, token)
    return response


@blueprint.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session, here and in the database."""
    operators.sign_out(gate.token() or "")
    g.pop("session", None)
    response = redirect(f"{root()}/sign-in", 303)
    gate.let_out(response)  # type: ignore[arg-type]  # Flask's own Response
    return response


def _form(status: int, words: str, wanted: str) -> Response:
    return page(
        "sign_in.html",
        status,
        words=words,
        wanted=wanted,
        is_in_clear=not gate.is_secure() and not _is_from_here(),
        at=None,
    )


def _is_from_here() -> bool:
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # a unix socket, and a proxy before it
        return False
