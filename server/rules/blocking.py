# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Blocking: the rules of limits.md:21."""

from flask import Blueprint

from server.kinds import Calls, MaxBytes, MaxItems, Rate, Stated
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

MUTE_LIST = MaxItems(
    "blocking.mute_list",
    Stated(50, "mute list 50 mutes each time", "limits.md:48"),
)

REQUEST_BODY = MaxBytes(
    "blocking.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:48"),
)
