# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""History: the rules of limits.md:23."""

from flask import Blueprint

from server.kinds import Calls, Kept, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("history", __name__)

CALLS = Calls(
    "history.calls",
    scope="app",
    rates={
        "community": Rate(
            1,
            "minute",
            "single app call limit 1 time/minute",
            "limits.md:23",
        ),
        "enterprise": Rate(
            1,
            "minute",
            "single app call limit 1 time/minute",
            "limits.md:23",
        ),
    },
)
limit_every_route(blueprint, CALLS)

HISTORY_FILE = Kept(
    "history.history_file",
    Stated(259200, "history file kept 3 days", "limits.md:51"),
)

SIGNED_ADDRESS = Kept(
    "history.signed_address",
    Stated(1800, "signed address kept 30 minutes", "limits.md:51"),
)
