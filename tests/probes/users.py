"""The figures of Users."""

from werkzeug.test import TestResponse

from server.store import user_metadata
from server.store.models import App
from tests.conftest import Tenant
from tests.probes.base import CALLS, names, passes, populate, probe, refused_by

CALLS["users.calls"] = lambda tenant: tenant.get("/users/nobody")


def register(tenant: Tenant, **fields: object) -> TestResponse:
    return tenant.post("/users", json={"username": "new", "password": "pw"} | fields)


@probe("users.user_id")
def user_id(tenant: Tenant, figure: int) -> None:
    refused_by("users.user_id", register(tenant, username="x" * (figure + 1)))
    passes(register(tenant, username="x" * figure))


@probe("users.bulk_registration")
def bulk_registration(tenant: Tenant, figure: int) -> None:
    bulk = [{"username": name, "password": "pw"} for name in names(figure + 1)]
    refused_by("users.bulk_registration", tenant.post("/users", json=bulk))
    passes(tenant.post("/users", json=bulk[:-1]))


@probe("users.password")
def password(tenant: Tenant, figure: int) -> None:
    refused_by("users.password", register(tenant, password="x" * (figure + 1)))
    passes(register(tenant, password="x" * figure))


@probe("users.nickname")
def nickname(tenant: Tenant, figure: int) -> None:
    refused_by("users.nickname", register(tenant, nickname="x" * (figure + 1)))
    passes(register(tenant, nickname="x" * figure))


@probe("users.batch_status")
def batch_status(tenant: Tenant, figure: int) -> None:
    def ask(count: int) -> TestResponse:
        return tenant.post("/users/batch/status", json={"usernames": ["x"] * count})

    refused_by("users.batch_status", ask(figure + 1))
    passes(ask(figure))


@probe("users.batch_nickname")
def batch_nickname(tenant: Tenant, figure: int) -> None:
    one = {"username": "x", "push_nickname": "y"}
    over = tenant.put("/push/nickname", json=[one] * (figure + 1))
    refused_by("users.batch_nickname", over)
    passes(tenant.put("/push/nickname", json=[one] * figure))


@probe("users.batch_attributes")
def batch_attributes(tenant: Tenant, figure: int) -> None:
    def ask(count: int) -> TestResponse:
        body = {"targets": ["x"] * count, "properties": []}
        return tenant.post("/metadata/user/get", json=body)

    refused_by("users.batch_attributes", ask(figure + 1), 403)
    passes(ask(figure))


@probe("users.user_list")
def user_list(tenant: Tenant, figure: int) -> None:
    """A page of one more is asked for, and holds the figure."""
    populate(tenant, figure + 1)
    assert tenant.get(f"/users?limit={figure + 1}").json["count"] == figure


@probe("users.bulk_deletion")
def bulk_deletion(tenant: Tenant, figure: int) -> None:
    """One more is to be deleted; so many are."""
    populate(tenant, figure + 1)
    gone = tenant.delete(f"/users?limit={figure + 1}").json["entities"]
    assert len(gone) == figure


def write_attributes(tenant: Tenant, username: str, size: int) -> TestResponse:
    return tenant.put(
        f"/metadata/user/{username}",
        data="k=" + "x" * (size - 1),
        content_type="application/x-www-form-urlencoded",
    )


@probe("users.attributes")
def attributes(tenant: Tenant, figure: int) -> None:
    populate(tenant, 1)
    over = write_attributes(tenant, "p000000", figure + 1)
    refused_by("users.attributes", over, 403)
    passes(write_attributes(tenant, "p000000", figure))


@probe("users.app_attributes")
def app_attributes(tenant: Tenant, figure: int) -> None:
    """The app holds all but ten bytes of its figure, as if it had written them."""
    populate(tenant, 1)
    App.update(attribute_bytes=figure - 10).execute()
    over = write_attributes(tenant, "p000000", 11)
    refused_by("users.app_attributes", over, 403)
    passes(write_attributes(tenant, "p000000", 10))
    assert user_metadata.total(tenant.id) == figure


@probe("users.request_body")
def users_request_body(tenant: Tenant, figure: int) -> None:
    def ask(size: int) -> TestResponse:
        body = b'{"usernames":[]}'.ljust(size)
        return tenant.post(
            "/users/batch/status", data=body, content_type="application/json"
        )

    refused_by("users.request_body", ask(figure + 1), 413)
    passes(ask(figure))


@probe("users.users_per_app")
def users_per_app(tenant: Tenant, figure: int) -> None:
    """The app has all but one of its users, as if they were there."""
    App.update(user_count=figure - 1).execute()
    two = [{"username": name, "password": "pw"} for name in names(2)]
    refused_by("users.users_per_app", tenant.post("/users", json=two), 429)
    passes(register(tenant))
    refused_by("users.users_per_app", register(tenant, username="other"), 429)
