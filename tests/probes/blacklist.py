"""The figures of Blacklist."""

import orjson
from werkzeug.test import TestResponse

from server.store.models import Block, User
from tests.conftest import Tenant
from tests.probes.base import CALLS, passes, populate, probe, refused_by

PATH = "/users/p000000/blocks/users"

CALLS["blacklist.calls"] = lambda tenant: tenant.get("/users/nobody/blocks/users")


def block(tenant: Tenant, first: int, last: int) -> TestResponse:
    names = [f"p{n:06}" for n in range(first, last + 1)]
    return tenant.post(PATH, json={"usernames": names})


def fill(count: int) -> None:
    """Let the first user block so many others, as if by calls."""
    owner, *others = User.select().order_by(User.id).limit(count + 1)
    pairs = [(owner, each) for each in others]
    Block.insert_many(pairs, [Block.owner, Block.blocked]).execute()


@probe("blacklist.blocks_per_user")
def blocks_per_user(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 2)
    fill(figure - 1)
    over = block(tenant, figure, figure + 1)
    refused_by("blacklist.blocks_per_user", over, 403)
    passes(block(tenant, figure, figure))
    again = block(tenant, figure + 1, figure + 1)
    refused_by("blacklist.blocks_per_user", again, 403)


@probe("blacklist.batch_block")
def batch_block(tenant: Tenant, figure: int) -> None:
    populate(tenant, 2)

    def ask(count: int) -> TestResponse:
        return tenant.post(PATH, json={"usernames": ["p000001"] * count})

    refused_by("blacklist.batch_block", ask(figure + 1))
    passes(ask(figure))


@probe("blacklist.block_list")
def block_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, figure + 2)
    fill(figure + 1)
    assert tenant.get(f"{PATH}?pageSize={figure + 1}").json["count"] == figure
    assert tenant.get(PATH).json["count"] == figure + 1


@probe("blacklist.request_body")
def blacklist_request_body(tenant: Tenant, figure: int) -> None:
    populate(tenant, 2)

    def ask(size: int) -> TestResponse:
        body = orjson.dumps({"usernames": ["p000001"]}).ljust(size)
        return tenant.post(PATH, data=body, content_type="application/json")

    refused_by("blacklist.request_body", ask(figure + 1), 413)
    passes(ask(figure))
