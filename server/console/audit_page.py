"""The audit: who changed what."""

from flask import Response, request

from server.console.frame import blueprint, page
from server.store import audit

PAGE = 50
_DIGITS = 19


@blueprint.get("/audit")
def changes() -> Response:
    """The latest first, a page a time; of one subject, if asked."""
    subject = request.args.get("of", "").strip()
    asked = request.args.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < _DIGITS else None
    found = audit.page(subject=subject or None, before=before, limit=PAGE + 1)
    return page(
        "audit.html",
        at="audit",
        subject=subject,
        entries=found[:PAGE],
        is_first=before is None,
        before=found[PAGE - 1].id if len(found) > PAGE else None,
    )
