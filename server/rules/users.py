# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Users: the rules of limits.md:18."""

from flask import Blueprint

from server.kinds import (
    Calls,
    Kept,
    MaxBytes,
    MaxItems,
    MaxLength,
    Membership,
    Rate,
    Stated,
)
from server.limiting import limit_every_route

blueprint = Blueprint("users", __name__)

CALLS = Calls(
    "users.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:18",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:18",
        ),
    },
)
limit_every_route(blueprint, CALLS)

USER_ID = MaxLength(
    "users.user_id",
    Stated(64, "user ID length 64 characters", "limits.md:18"),
)

BULK_REGISTRATION = MaxItems(
    "users.bulk_registration",
    Stated(60, "bulk registration 60 IDs each time", "limits.md:18"),
)

PASSWORD = MaxLength(
    "users.password",
    Stated(64, "password length 64 characters", "limits.md:40"),
)

NICKNAME = MaxLength(
    "users.nickname",
    Stated(100, "nickname length 100 characters", "limits.md:40"),
)

USER_LIST = MaxItems(
    "users.user_list",
    Stated(100, "user list 100 users each time", "limits.md:41"),
)

BATCH_STATUS = MaxItems(
    "users.batch_status",
    Stated(100, "batch status 100 users each time", "limits.md:41"),
)

BATCH_NICKNAME = MaxItems(
    "users.batch_nickname",
    Stated(100, "batch nickname 100 users each time", "limits.md:41"),
)

BULK_DELETION = MaxItems(
    "users.bulk_deletion",
    Stated(500, "bulk deletion 500 users each time", "limits.md:41"),
)

ATTRIBUTES = MaxBytes(
    "users.attributes",
    Stated(2048, "attributes size 2k bytes", "limits.md:42"),
)

APP_ATTRIBUTES = MaxBytes(
    "users.app_attributes",
    Stated(10737418240, "app attributes size 10G bytes", "limits.md:42"),
)

BATCH_ATTRIBUTES = MaxItems(
    "users.batch_attributes",
    Stated(100, "batch attributes 100 users each time", "limits.md:42"),
)

PRESENCE_EXTENSION = MaxBytes(
    "users.presence_extension",
    Stated(64, "presence extension size 64 bytes", "limits.md:43"),
)

PRESENCE_NAME = MaxLength(
    "users.presence_name",
    Stated(64, "presence name length 64 characters", "limits.md:43"),
)

BATCH_PRESENCE = MaxItems(
    "users.batch_presence",
    Stated(100, "batch presence 100 users each time", "limits.md:43"),
)

PRESENCE_LIST = MaxItems(
    "users.presence_list",
    Stated(500, "presence list 500 users each time", "limits.md:43"),
)

PRESENCE_SUBSCRIPTION = Kept(
    "users.presence_subscription",
    Stated(2592000, "presence subscription kept 30 days", "limits.md:43"),
)

USERS_PER_APP = Membership(
    "users.users_per_app",
    by_edition={
        "community": Stated(
            1000000,
            "single app can have 1,000,000 users in the Community edition",
            "limits.md:44",
        ),
    },
)

REQUEST_BODY = MaxBytes(
    "users.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:44"),
)
