# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Groups: the rules of limits.md:26."""

from flask import Blueprint

from server.kinds import Calls, Membership, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("groups", __name__)

CALLS = Calls(
    "groups.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:26",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:26",
        ),
    },
)
limit_every_route(blueprint, CALLS)

JOINED_GROUPS = Membership(
    "groups.joined_groups",
    Stated(500, "single user can join 500 groups", "limits.md:26"),
)
