# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Friends: the rules of limits.md:19."""

from flask import Blueprint

from server.kinds import Calls, MaxLength, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("friends", __name__)

CALLS = Calls(
    "friends.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:19",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:19",
        ),
    },
)
limit_every_route(blueprint, CALLS)

USER_ID = MaxLength(
    "friends.user_id",
    Stated(64, "user ID length 64 characters", "limits.md:19"),
)
