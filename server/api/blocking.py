"""Account blocking: deactivate and activate users, put their devices out."""

from flask import Response
from marshmallow import Schema

from server import answers as told
from server import envelope
from server.answers import Said, answers
from server.api.users import User, entity
from server.auth import deny_with
from server.caller import caller
from server.errors import AdminOnly, ManagedUserNotFound
from server.rules import blocking as rules
from server.store import blocking as store

blueprint = rules.blueprint


@blueprint.post("/users/<username>/deactivate")
@answers(told.ok(action="Deactivate user", entities=[User]))
@deny_with(AdminOnly)
def deactivate(*, username: str) -> Response:
    """Close an account: no sign-in, no token, no connection, until it is activated."""
    app = caller().app
    found = store.deactivate(app.id, username)
    if found is None:
        raise ManagedUserNotFound(app.uuid)
    return envelope.ok(action="Deactivate user", entities=[entity(found)])


@blueprint.post("/users/<username>/activate")
@answers(told.ok(action="activate user"))
@deny_with(AdminOnly)
def activate(*, username: str) -> Response:
    """Open an account again."""
    store.activate(caller().app.id, username)
    return envelope.ok(action="activate user")


class Closed(Schema):
    result = told.truth()


def _closed(action: str) -> dict[str, Said]:
    return {
        "action": action,
        "uri": told.uri(),
        "entities": told.nothing(),
        "data": Closed,
        "count": told.count(),
    }


@blueprint.get("/users/<username>/disconnect")
@answers(told.ok(**_closed("get")))
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
@answers(told.ok(**_closed("get")))
@deny_with(AdminOnly)
def disconnect_device_by_get(*, username: str, resource: str) -> Response:
    """Close one device's connection, as older clients ask."""
    return envelope.ok(**_disconnected("get", username, resource))


@blueprint.delete("/users/<username>/disconnect/<resource>")
@answers(told.of_app(**_closed("delete")))
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


class Device(Schema):
    res = told.text()
    device_uuid = told.text()
    device_name = told.text()


@blueprint.get("/users/<username>/resources")
@answers(
    told.of_app(
        action="get",
        path=told.text(),
        uri=told.uri(),
        entities=told.nothing(),
        data=[Device],
    )
)
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
