"""The figures of Account blocking."""

import orjson
from werkzeug.test import TestResponse

from server.store.models import Mute, User
from tests.conftest import Tenant
from tests.probes.base import CALLS, passes, populate, probe, refused_by

CALLS["blocking.calls"] = lambda tenant: tenant.get("/mutes")


@probe("blocking.mute_list")
def mute_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, figure + 1)
    rows = [(tenant.id, each, "chat", -1) for each in User.select()]
    fields = [Mute.app, Mute.user, Mute.chat_type, Mute.until]
    Mute.insert_many(rows, fields).execute()
    first = tenant.get(f"/mutes?pageSize={figure + 1}").json["data"]["data"]
    assert len(first) == figure
    rest = tenant.get(f"/mutes?pageNum=2&pageSize={figure + 1}").json["data"]["data"]
    assert len(rest) == 1


@probe("blocking.request_body")
def blocking_request_body(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)

    def ask(size: int) -> TestResponse:
        body = orjson.dumps({"username": "p000000", "chat": 1}).ljust(size)
        return tenant.post("/mutes", data=body, content_type="application/json")

    refused_by("blocking.request_body", ask(figure + 1), 413)
    passes(ask(figure))
