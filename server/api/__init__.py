"""The handlers. A module here is listed below; an interface has one blueprint."""

from server.api import (
    limits,
    messages,
    ops,
    tokens,
    user_metadata,
    user_settings,
    user_status,
    users,
)

# An interface in several files has one blueprint, hence the dict.
BLUEPRINTS = tuple(
    dict.fromkeys(
        module.blueprint
        for module in (users, user_settings, user_status, user_metadata, messages)
    )
)
"""The interfaces of the table, under ``/{org}/{app}``."""

APP_BLUEPRINTS = (tokens.blueprint, limits.blueprint)
"""Under ``/{org}/{app}`` too, but no part of the table."""

SERVER_BLUEPRINTS = (ops.blueprint,)
"""The server's own pages."""
