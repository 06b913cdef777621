# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Chatrooms: the rules of limits.md:27."""

from flask import Blueprint

from server.kinds import Calls, MaxBytes, MaxItems, MaxLength, Membership, Rate, Stated
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

CHAT_ROOMS_PER_APP = Membership(
    "chatrooms.chat_rooms_per_app",
    Stated(100000, "single app can have 100,000 chat rooms", "limits.md:59"),
)

MEMBERS_PER_CHAT_ROOM = Membership(
    "chatrooms.members_per_chat_room",
    Stated(5000, "single chat room can have 5,000 members", "limits.md:59"),
)

ADMINISTRATORS_PER_CHAT_ROOM = Membership(
    "chatrooms.administrators_per_chat_room",
    Stated(99, "single chat room can have 99 administrators", "limits.md:59"),
)

CHAT_ROOM_NAME = MaxLength(
    "chatrooms.chat_room_name",
    Stated(128, "chat room name length 128 characters", "limits.md:60"),
)

DESCRIPTION = MaxLength(
    "chatrooms.description",
    Stated(512, "description length 512 characters", "limits.md:60"),
)

CUSTOM_TEXT = MaxLength(
    "chatrooms.custom_text",
    Stated(1024, "custom text length 1,024 characters", "limits.md:60"),
)

ANNOUNCEMENT = MaxLength(
    "chatrooms.announcement",
    Stated(512, "announcement length 512 characters", "limits.md:60"),
)

REQUEST_BODY = MaxBytes(
    "chatrooms.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:60"),
)

CHAT_ROOM_LIST = MaxItems(
    "chatrooms.chat_room_list",
    Stated(100, "chat room list 100 chat rooms each time", "limits.md:61"),
)

WHOLE_CHAT_ROOM_LIST = MaxItems(
    "chatrooms.whole_chat_room_list",
    Stated(1000, "whole chat room list 1,000 chat rooms each time", "limits.md:61"),
)

CHAT_ROOM_DETAILS = MaxItems(
    "chatrooms.chat_room_details",
    Stated(100, "chat room details 100 chat rooms each time", "limits.md:61"),
)

MEMBER_PAGE = MaxItems(
    "chatrooms.member_page",
    Stated(1000, "member page 1,000 members each time", "limits.md:61"),
)

MEMBER_LIST = MaxItems(
    "chatrooms.member_list",
    Stated(100, "member list 100 members each time", "limits.md:61"),
)

SUPER_ADMIN_LIST = MaxItems(
    "chatrooms.super_admin_list",
    Stated(1000, "super admin list 1,000 users each time", "limits.md:61"),
)

BATCH_ADD = MaxItems(
    "chatrooms.batch_add",
    Stated(60, "batch add 60 users each time", "limits.md:62"),
)

BATCH_REMOVAL = MaxItems(
    "chatrooms.batch_removal",
    Stated(100, "batch removal 100 users each time", "limits.md:62"),
)

BATCH_BLOCK = MaxItems(
    "chatrooms.batch_block",
    Stated(60, "batch block 60 users each time", "limits.md:62"),
)

BATCH_UNBLOCK = MaxItems(
    "chatrooms.batch_unblock",
    Stated(60, "batch unblock 60 users each time", "limits.md:62"),
)

BATCH_MUTE = MaxItems(
    "chatrooms.batch_mute",
    Stated(60, "batch mute 60 users each time", "limits.md:62"),
)

BATCH_UNMUTE = MaxItems(
    "chatrooms.batch_unmute",
    Stated(100, "batch unmute 100 users each time", "limits.md:62"),
)

BATCH_ALLOW = MaxItems(
    "chatrooms.batch_allow",
    Stated(60, "batch allow 60 users each time", "limits.md:62"),
)

BATCH_DISALLOW = MaxItems(
    "chatrooms.batch_disallow",
    Stated(60, "batch disallow 60 users each time", "limits.md:62"),
)
