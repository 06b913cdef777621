# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Groups: the rules of limits.md:26."""

from flask import Blueprint

from server.kinds import Calls, MaxBytes, MaxItems, MaxLength, Membership, Rate, Stated
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

GROUPS_PER_APP = Membership(
    "groups.groups_per_app",
    Stated(100000, "single app can have 100,000 groups", "limits.md:55"),
)

MEMBERS_PER_GROUP = Membership(
    "groups.members_per_group",
    by_edition={
        "community": Stated(
            2000,
            "single group can have 2,000 members in the Community edition",
            "limits.md:55",
        ),
        "enterprise": Stated(
            5000,
            "single group can have 5,000 members in the Enterprise edition",
            "limits.md:55",
        ),
    },
)

ADMINISTRATORS_PER_GROUP = Membership(
    "groups.administrators_per_group",
    Stated(99, "single group can have 99 administrators", "limits.md:55"),
)

GROUP_NAME = MaxLength(
    "groups.group_name",
    Stated(128, "group name length 128 characters", "limits.md:56"),
)

DESCRIPTION = MaxLength(
    "groups.description",
    Stated(512, "description length 512 characters", "limits.md:56"),
)

CUSTOM_TEXT = MaxLength(
    "groups.custom_text",
    Stated(1024, "custom text length 1,024 characters", "limits.md:56"),
)

ANNOUNCEMENT = MaxLength(
    "groups.announcement",
    Stated(512, "announcement length 512 characters", "limits.md:56"),
)

REQUEST_BODY = MaxBytes(
    "groups.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:56"),
)

GROUP_LIST = MaxItems(
    "groups.group_list",
    Stated(100, "group list 100 groups each time", "limits.md:57"),
)

JOINED_GROUP_LIST = MaxItems(
    "groups.joined_group_list",
    Stated(100, "joined group list 100 groups each time", "limits.md:57"),
)

GROUP_DETAILS = MaxItems(
    "groups.group_details",
    Stated(100, "group details 100 groups each time", "limits.md:57"),
)

MEMBER_LIST = MaxItems(
    "groups.member_list",
    Stated(100, "member list 100 members each time", "limits.md:57"),
)

SHARED_FILE_LIST = MaxItems(
    "groups.shared_file_list",
    Stated(1000, "shared file list 1,000 files each time", "limits.md:57"),
)

SHARED_FILE = MaxBytes(
    "groups.shared_file",
    Stated(10485760, "shared file size 10M bytes", "limits.md:57"),
)

INITIAL_MEMBERS = MaxItems(
    "groups.initial_members",
    Stated(100, "initial members 100 users each time", "limits.md:58"),
)

BATCH_ADD = MaxItems(
    "groups.batch_add",
    Stated(60, "batch add 60 users each time", "limits.md:58"),
)

BATCH_REMOVAL = MaxItems(
    "groups.batch_removal",
    Stated(100, "batch removal 100 users each time", "limits.md:58"),
)

BATCH_BLOCK = MaxItems(
    "groups.batch_block",
    Stated(60, "batch block 60 users each time", "limits.md:58"),
)

BATCH_UNBLOCK = MaxItems(
    "groups.batch_unblock",
    Stated(100, "batch unblock 100 users each time", "limits.md:58"),
)

BATCH_MUTE = MaxItems(
    "groups.batch_mute",
    Stated(60, "batch mute 60 users each time", "limits.md:58"),
)

BATCH_UNMUTE = MaxItems(
    "groups.batch_unmute",
    Stated(100, "batch unmute 100 users each time", "limits.md:58"),
)

BATCH_ALLOW = MaxItems(
    "groups.batch_allow",
    Stated(60, "batch allow 60 users each time", "limits.md:58"),
)

BATCH_DISALLOW = MaxItems(
    "groups.batch_disallow",
    Stated(60, "batch disallow 60 users each time", "limits.md:58"),
)
