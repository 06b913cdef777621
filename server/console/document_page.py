"""The document as it binds: each figure with its rule, its operations and its use."""

from pathlib import Path

from flask import Response, request

from server import reference, rules
from server.caller import App
from server.console import figures, near, traffic
from server.console.frame import blueprint, fragment, page, parts
from server.pages import limits_document
from server.pages.contents import contents
from server.store import apps, audit

MOST_CHANGES = 10

_document = Path("limits.md")


def init_app(document: Path) -> None:
    """Show *document*."""
    global _document  # one app a process
    _document = document


@blueprint.get("/document")
def document() -> Response:
    """The document, then its rules; their use is one app's, or everyone's."""
    key = request.args.get("app", "").strip()
    chosen = _chosen(key)
    return page(
        "document.html",
        404 if key and chosen is None else 200,
        at="document",
        document=limits_document.render(_document, lambda rule: f"#{rule}"),
        contents=contents(reference.published()),
        digest=rules.DIGEST,
        changes=audit.page(action="rules", limit=MOST_CHANGES),
        asked=key,
        chosen=chosen,
        uses=_uses(chosen),
    )


@blueprint.get("/document/live")
def live_document() -> Response:
    """What changes by itself."""
    key = request.args.get("app", "")
    chosen = _chosen(key)
    told = _uses(None if key and chosen is None else chosen)
    return parts(
        **{
            f"use-{rule}": fragment("use_or_sum.html", use=use)
            for rule, use in told.items()
        }
    )


def _chosen(key: str) -> App | None:
    org, _, name = key.partition("/")
    return apps.find(org, name) if org and name else None


def _uses(chosen: App | None) -> dict[str, figures.Use | str]:
    """By rule: of the chosen app, or summed over all."""
    if chosen is not None:
        return {**figures.uses(chosen)}
    told: dict[str, figures.Use | str] = {}
    _, lines = traffic.lines()
    by_name = {line.name: line for line in lines}
    for interface in rules.INTERFACES:
        line = by_name[interface.name]
        told[f"{interface.name}.calls"] = (
            f"{line.now:,.1f} calls/s now, {line.refused_now:,.1f} of them refused"
        )
    used: dict[str, int] = {}
    for each in near.today():
        used[each.rule] = used.get(each.rule, 0) + each.used
    told |= {rule: f"{count:,} used today, over all" for rule, count in used.items()}
    return told
