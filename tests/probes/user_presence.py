"""The figures of Users that are of presence."""

from werkzeug.test import TestResponse

from server.clock import now_ms
from server.store.models import PresenceWatch, User
from tests.conftest import Tenant
from tests.probes.base import names, passes, populate, probe, refused_by

PATH = "/users/p000000/presence"


@probe("users.presence_extension")
def presence_extension(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)

    def ask(ext: str) -> TestResponse:
        return tenant.post(f"{PATH}/ios_1/1", json={"ext": ext})

    refused_by("users.presence_extension", ask("x" * (figure - 1) + "é"))
    passes(ask("x" * (figure - 2) + "é"))


@probe("users.presence_name")
def presence_name(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    long = "x" * (figure + 1)
    for path in (f"{long}/1", f"ios_1/{long}"):
        refused = tenant.post(f"{PATH}/{path}", json={})
        refused_by("users.presence_name", refused)
    passes(tenant.post(f"{PATH}/{long[1:]}/{long[1:]}", json={}))


@probe("users.batch_presence")
def batch_presence(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    for path in ("", "/60"):
        for count in (figure + 1, figure):
            answer = tenant.post(PATH + path, json={"usernames": names(count)})
            if count > figure:
                refused_by("users.batch_presence", answer)
            else:
                passes(answer)
    refused = tenant.delete(PATH, json=names(figure + 1))
    refused_by("users.batch_presence", refused)
    passes(tenant.delete(PATH, json={"users": names(figure)}))


@probe("users.presence_list")
def presence_list(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 2)
    watcher, *watched = User.select().order_by(User.id)
    rows = [(watcher, each, now_ms() + 60_000) for each in watched]
    fields = [PresenceWatch.user, PresenceWatch.watched, PresenceWatch.expires]
    PresenceWatch.insert_many(rows, fields).execute()
    query = {"pageSize": figure + 1}
    found = passes(tenant.get(f"{PATH}/sublist", query_string=query)).json["result"]
    assert found["totalnum"] == str(figure + 1)
    assert len(found["sublist"]) == figure


@probe("users.presence_subscription")
def presence_subscription(tenant: Tenant, figure: int) -> None:
    populate(tenant, 2)

    def ask(seconds: int) -> TestResponse:
        return tenant.post(f"{PATH}/{seconds}", json={"usernames": ["p000001"]})

    refused_by("users.presence_subscription", ask(figure + 1))
    passes(ask(figure))
