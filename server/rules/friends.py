# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Friends: the rules of limits.md:19."""

from flask import Blueprint

from server.kinds import Calls, MaxBytes, MaxItems, MaxLength, Membership, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("friends", __name__)

CALLS = Calls(
    "friends.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:19",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:19",
        ),
    },
)
limit_every_route(blueprint, CALLS)

USER_ID = MaxLength(
    "friends.user_id",
    Stated(64, "user ID length 64 characters", "limits.md:19"),
)

CONTACTS_PER_USER = Membership(
    "friends.contacts_per_user",
    by_edition={
        "community": Stated(
            1000,
            "single user can have 1,000 contacts in the Community edition",
            "limits.md:45",
        ),
        "enterprise": Stated(
            3000,
            "single user can have 3,000 contacts in the Enterprise edition",
            "limits.md:45",
        ),
    },
)

CONTACT_LIST = MaxItems(
    "friends.contact_list",
    Stated(50, "contact list 50 contacts each time", "limits.md:46"),
)

CONTACT_IMPORT = MaxItems(
    "friends.contact_import",
    Stated(10, "contact import 10 users each time", "limits.md:46"),
)

REMARK = MaxLength(
    "friends.remark",
    Stated(100, "remark length 100 characters", "limits.md:46"),
)

REQUEST_BODY = MaxBytes(
    "friends.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:46"),
)
