"""The figures of Friends."""

import orjson
from werkzeug.test import TestResponse

from server.store.database import Statement, writing
from server.store.models import User
from tests.conftest import Tenant
from tests.probes.base import CALLS, names, passes, populate, probe, refused_by

CALLS["friends.calls"] = lambda tenant: tenant.get("/users/nobody/contacts/users")


_FRIENDS = Statement(
    """
    INSERT INTO contact (owner_id, friend_id)
    SELECT ?, id FROM user WHERE id <> ? ORDER BY id LIMIT ?
    """
)
_THEIRS = Statement(
    """
    INSERT INTO contact (owner_id, friend_id)
    SELECT friend_id, owner_id FROM contact WHERE owner_id = ?
    """
)


def befriend(tenant: Tenant, owner: str, contact: str) -> TestResponse:
    return tenant.post(f"/users/{owner}/contacts/users/{contact}")


def fill(owner: str, count: int) -> None:
    """Give *owner* the first *count* users as contacts, as if they were added."""
    found = User.get(username=owner)
    with writing(found.app_id):
        _FRIENDS.run(found.id, found.id, count)
        _THEIRS.run(found.id)


@probe("friends.user_id")
def user_id(tenant: Tenant, figure: int) -> None:
    User.create(
        app=tenant.id, username="x" * figure, uuid="u", token_key=b"", created=0,
        modified=0,
    )  # fmt: skip
    over = tenant.get(f"/users/{'x' * (figure + 1)}/contacts/users")
    refused_by("friends.user_id", over, 404)
    passes(tenant.get(f"/users/{'x' * figure}/contacts/users"))


@probe("friends.contacts_per_user")
def contacts_per_user(tenant: Tenant, figure: int) -> None:
    """All but one of the contacts are there, as if they were added."""
    populate(tenant, figure + 2)
    full, last, over = f"p{figure + 1:06}", f"p{figure - 1:06}", f"p{figure:06}"
    fill(full, figure - 1)
    passes(befriend(tenant, full, last))
    for pair in ((full, over), (over, full)):
        refused_by("friends.contacts_per_user", befriend(tenant, *pair), 403)


@probe("friends.contact_list")
def contact_list(tenant: Tenant, figure: int) -> None:
    populate(tenant, figure + 2)
    fill("p000000", figure + 1)
    path = "/user/p000000/contacts?limit="
    refused_by("friends.contact_list", tenant.get(f"{path}{figure + 1}"))
    assert passes(tenant.get(f"{path}{figure}")).json["count"] == figure


@probe("friends.contact_import")
def contact_import(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)

    def ask(count: int) -> TestResponse:
        body = {"usernames": names(count)}
        return tenant.post("/users/p000000/contacts/import", json=body)

    refused_by("friends.contact_import", ask(figure + 1))
    passes(ask(figure))


@probe("friends.remark")
def remark(tenant: Tenant, figure: int) -> None:
    populate(tenant, 2)
    fill("p000000", 1)

    def ask(length: int) -> TestResponse:
        path = "/user/p000000/contacts/users/p000001"
        return tenant.put(path, json={"remark": "x" * length})

    refused_by("friends.remark", ask(figure + 1))
    passes(ask(figure))


@probe("friends.request_body")
def friends_request_body(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)

    def ask(size: int) -> TestResponse:
        body = orjson.dumps({"usernames": ["x"]}).ljust(size)
        return tenant.post(
            "/users/p000000/contacts/import", data=body, content_type="application/json"
        )

    refused_by("friends.request_body", ask(figure + 1), 413)
    passes(ask(figure))
