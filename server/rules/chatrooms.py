# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Chatrooms: the rules of limits.md:27."""

from flask import Blueprint

from server.kinds import Calls, Membership, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("chatrooms", __name__)

CALLS = Calls(
    "chatrooms.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:27",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:27",
        ),
    },
)
limit_every_route(blueprint, CALLS)

JOINED_CHAT_ROOMS = Membership(
    "chatrooms.joined_chat_rooms",
    Stated(500, "single user can join 500 chat rooms", "limits.md:27"),
)
