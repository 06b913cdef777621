# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Blocking: the rules of limits.md:21."""

from flask import Blueprint

from server.kinds import Calls, Rate
from server.limiting import limit_every_route

blueprint = Blueprint("blocking", __name__)

CALLS = Calls(
    "blocking.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:21",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:21",
        ),
    },
)
limit_every_route(blueprint, CALLS)
