# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Offline: the rules of limits.md:22."""

from flask import Blueprint

from server.kinds import Calls, Kept, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("offline", __name__)

CALLS = Calls(
    "offline.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:22",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:22",
        ),
    },
)
limit_every_route(blueprint, CALLS)

OFFLINE_MESSAGE = Kept(
    "offline.offline_message",
    Stated(604800, "offline message kept 7 days", "limits.md:48"),
)
