# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Messages: the rules of limits.md:25."""

from flask import Blueprint

from server.kinds import Calls, Kept, MaxBytes, MaxItems, MaxLength, Quota, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("messages", __name__)

CALLS = Calls(
    "messages.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:25",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:25",
        ),
    },
)
limit_every_route(blueprint, CALLS)

DAILY_SYSTEM_PUSH_MESSAGES = Quota(
    "messages.daily_system_push_messages",
    by_edition={
        "community": Stated(
            20000,
            'the limit of "daily system push messages" in the Community edition is 20,000 messages',
            "limits.md:25",
        ),
    },
)

MESSAGE_AND_EXTENSION = MaxBytes(
    "messages.message_and_extension",
    Stated(4096, "message + extended field length 4k bytes", "limits.md:25"),
)

TARGETS = MaxItems(
    "messages.targets",
    Stated(600, "targets 600 IDs each time", "limits.md:53"),
)

GROUP_TARGETS = MaxItems(
    "messages.group_targets",
    Stated(3, "group targets 3 IDs each time", "limits.md:53"),
)

CHAT_ROOM_TARGETS = MaxItems(
    "messages.chat_room_targets",
    Stated(10, "chat room targets 10 IDs each time", "limits.md:53"),
)

CUSTOM_EVENT = MaxLength(
    "messages.custom_event",
    Stated(32, "custom event length 32 characters", "limits.md:54"),
)

CUSTOM_EXTENSIONS = MaxItems(
    "messages.custom_extensions",
    Stated(16, "custom extensions 16 entries each time", "limits.md:54"),
)

REQUEST_BODY = MaxBytes(
    "messages.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:54"),
)

RECALLABLE_MESSAGE = Kept(
    "messages.recallable_message",
    Stated(120, "recallable message kept 2 minutes", "limits.md:54"),
)
