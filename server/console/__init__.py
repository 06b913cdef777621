"""The console: what an operator sees of the server while it runs, and may change.

Server-rendered pages under ``/console``, for operators who signed in with their key.
They read what the server counts anyway, so where nobody looks they cost nothing; what
they show live is asked for by small scripts of ours, and each page is whole without.
"""

from pathlib import Path

from server.console import (
    app_page,
    audit_page,
    document_page,
    frame,
    gate,
    kept,
    overview,
    sign_in,
)
from server.settings import Settings

__all__ = ["blueprint", "init_app"]

blueprint = frame.blueprint
_MODULES = (sign_in, overview, app_page, document_page, audit_page)


def init_app(settings: Settings, document: Path) -> None:
    """Show this installation, and *document* as the limits."""
    kept.forget()
    gate.init_app(settings)
    overview.init_app(settings)
    document_page.init_app(document)
