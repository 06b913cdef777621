"""What people look at: the reference and the limits document, as pages.

Nothing here weakens the API: the headers of these answers are theirs alone, they set
no cookie, and what a page tries it tries as any caller would, with the caller's token.
"""

from pathlib import Path

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from flask.typing import ResponseReturnValue

from server import reference
from server.pages import limits_document
from server.pages.contents import Contents, Section
from server.pages.contents import contents as contents_of

__all__ = ["blueprint", "init_app", "respond"]

blueprint = Blueprint("pages", __name__, template_folder="templates")

_ASSETS = Path(__file__).parent / "static"

_HEADERS = {
    # Our own scripts, styles and calls; nothing inline, nothing from elsewhere.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

_document = Path("limits.md")


def init_app(document: Path) -> None:
    """Show *document* as the limits."""
    global _document  # one app a process
    _document = document


def respond(template: str, status: int = 200, **context: object) -> Response:
    """A page, which a browser holds to our own assets."""
    html = render_template(template, **context)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers.update(_HEADERS)
    return response


def _contents() -> Contents:
    return contents_of(reference.published())


def _strayed() -> ResponseReturnValue | None:
    """Paths that end with a slash are served as well; what a page links to is not."""
    sent: str = request.environ.get("RAW_URI", "").partition("?")[0]
    if not sent.endswith("/"):
        return None
    name = sent.rstrip("/").rpartition("/")[2]
    return redirect(f"../{name}", 308)


@blueprint.get("/docs")
def docs() -> ResponseReturnValue:
    """What there is, and how to begin."""
    return _strayed() or respond("docs.html", contents=_contents(), at="", to="docs/")


@blueprint.get("/docs/assets/<name>")
def asset(*, name: str) -> Response:
    """A style, a script, a picture: all there are, and none from elsewhere."""
    response = send_from_directory(_ASSETS, name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/docs/limits")
def limits() -> ResponseReturnValue:
    """The limits document; each figure leads to its rule and whom it binds."""
    contents = _contents()
    document = limits_document.render(_document, lambda rule: f"#{rule}")
    return _strayed() or respond(
        "limits.html", contents=contents, at="limits", to="", document=document
    )


@blueprint.get("/docs/<name>")
def section(*, name: str) -> ResponseReturnValue:
    """The operations of one interface, or those outside the table."""
    contents = _contents()
    found: Section | None = contents.by_name.get(name)
    if found is None:
        return respond("missing.html", 404, contents=contents, at=None, to="")
    return _strayed() or respond(
        "section.html", contents=contents, at=name, to="", section=found
    )
