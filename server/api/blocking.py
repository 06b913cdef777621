"""Account blocking: deactivate and activate users, put their devices out."""

from flask import Response

from server import envelope
from server.api.users import entity
from server.auth import deny_with
from server.caller import caller
from server.errors import AdminOnly, ManagedUserNotFound
from server.rules import blocking as rules
from server.store import blocking as store

blueprint = rules.blueprint


@blueprint.post("/users/<username>/deactivate")
@deny_with(AdminOnly)
def deactivate(*, username: str) -> Response:
    """Close an account: no sign-in, no token, no connection, until it is activated."""
    app = caller().app
    found = store.deactivate(app.id, username)
    if found is None:
        raise ManagedUserNotFound(app.uuid)
    return envelope.ok(action="Deactivate user", entities=[entity(found)])


@blueprint.post("/users/<username>/activate")
@deny_with(AdminOnly)
def activate(*, username: str) -> Response:
    """Open an account again."""
    store.activate(caller().app.id, username)
    return envelope.ok(action="activate user")


@blueprint.get("/users/<username>/disconnect")
def disconnect(*, username: str) -> Response:
    """Close every connection of a user; true for one who has none, too."""
    store.disconnect(caller().app.id, username)
    return envelope.ok(
        action="get",
        uri=envelope.here(),
        entities=[],
        data={"result": True},
        count=0,
    )


@blueprint.get("/users/<username>/disconnect/<resource>")
@deny_with(AdminOnly)
def disconnect_device_by_get(*, username: str, resource: str) -> Response:
    """Close one device's connection, as older clients ask."""
    return envelope.ok(**_disconnected("get", username, resource))


@blueprint.delete("/users/<username>/disconnect/<resource>")
@deny_with(AdminOnly)
def disconnect_device(*, username: str, resource: str) -> Response:
    """Close one device's connection."""
    return envelope.of_app(**_disconnected("delete", username, resource))


def _disconnected(action: str, username: str, resource: str) -> dict[str, object]:
    closed = store.disconnect_device(caller().app.id, username, resource)
    return {
        "action": action,
        "uri": envelope.here(),
        "entities": [],
        "data": {"result": closed},
        "count": 0,
    }


@blueprint.get("/users/<username>/resources")
@deny_with(AdminOnly)
def list_devices(*, username: str) -> Response:
    """The devices on which a user is receiving now."""
    path = f"/users/{username}/resources"
    return envelope.of_app(
        action="get",
        path=path,
        uri=envelope.base() + path,
        entities=[],
        data=[
            {
                "res": each.resource,
                "device_uuid": each.uuid,
                "device_name": each.name,
            }
            for each in store.devices(caller().app.id, username)
        ],
    )
