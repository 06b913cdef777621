# Generated from limits.md by `python -m codegen`. Change the table, not this file.
"""Blacklist: the rules of limits.md:20."""

from flask import Blueprint

from server.kinds import Calls, MaxBytes, MaxItems, Membership, Rate, Stated
from server.limiting import limit_every_route

blueprint = Blueprint("blacklist", __name__)

CALLS = Calls(
    "blacklist.calls",
    scope="app",
    rates={
        "community": Rate(
            10,
            "second",
            "single app call limit 10 times/second",
            "limits.md:20",
        ),
        "enterprise": Rate(
            30,
            "second",
            "single app call limit 30 times/second",
            "limits.md:20",
        ),
    },
)
limit_every_route(blueprint, CALLS)

BLOCKS_PER_USER = Membership(
    "blacklist.blocks_per_user",
    Stated(500, "single user can have 500 blocks", "limits.md:47"),
)

BATCH_BLOCK = MaxItems(
    "blacklist.batch_block",
    Stated(500, "batch block 500 users each time", "limits.md:47"),
)

BLOCK_LIST = MaxItems(
    "blacklist.block_list",
    Stated(50, "block list 50 users each time", "limits.md:47"),
)

REQUEST_BODY = MaxBytes(
    "blacklist.request_body",
    Stated(65536, "request body size 64k bytes", "limits.md:47"),
)
