"""Handlers of a case."""

from server.rules import users as rules

blueprint = rules.blueprint


@blueprint.get("/users/<username>")
def read(username: str) -> str:
    """Read one user."""
    return username if rules.USER_IDS.allows(len(username)) else ""
