"""Handlers of a case."""

from server.rules import files as rules

blueprint = rules.blueprint


@blueprint.post("/files")
def upload() -> str:
    """Upload."""
    return ""
