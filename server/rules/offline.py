# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Offline: the rules of limits.md:22."""

from flask import Blueprint

from server.kinds import Calls, Kept, MaxBytes, MaxLength, Membership, Rate, Stated
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
    Stated(604800, "offline message kept 7 days", "limits.md:49"),
)

PASSING_EVENT = Kept(
    "offline.passing_event",
    Stated(600, "passing event kept 10 minutes", "limits.md:49"),
)

STREAM_TICKET = Kept(
    "offline.stream_ticket",
    Stated(60, "stream ticket kept 60 seconds", "limits.md:49"),
)

DEVICES_PER_USER = Membership(
    "offline.devices_per_user",
    Stated(10, "single user can have 10 devices", "limits.md:50"),
)

DEVICE_NAME = MaxLength(
    "offline.device_name",
    Stated(64, "device name length 64 characters", "limits.md:50"),
)

REQUEST_BODY = MaxBytes(
    "offline.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:50"),
)
