# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Blacklist: the rules of limits.md:20."""

from flask import Blueprint

from server.kinds import Calls, Rate
from server.limiting import limit_every_route

blueprint = Blueprint("blacklist", __name__)

CALLS = Calls(
    "blacklist.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:20",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:20",
        ),
    },
)
limit_every_route(blueprint, CALLS)
