"""A club for the tests of groups and rooms: Ada owns it, Linus and Grace are in it.

Globex has these three and Ken; its rate leaves room for thirty calls a test.
"""

from werkzeug.test import TestResponse

from server.kinds import Membership
from server.store import users
from tests.conftest import Tenant

CAST = ("ada", "linus", "grace", "ken")
DENIED = {
    "error": "group_authorization",
    "exception": "com.easemob.group.exception.GroupAuthorizationException",
    "error_description": "this token is bad, or has expired!",
}
FORBIDDEN = "com.easemob.group.exception.ForbiddenOpException"
NOWHERE = "70481920999999"


def populate(tenant: Tenant, names: tuple[str, ...] | list[str] = CAST) -> None:
    new = [users.NewUser(name, None) for name in names]
    users.add(tenant.id, new, at_most=Membership("none"))


def new_group(tenant: Tenant, **fields: object) -> str:
    populate(tenant)
    body = {
        "groupname": "night shift",
        "desc": "on-call",
        "owner": "ada",
        "members": ["linus", "grace"],
    }
    answer = tenant.post("/chatgroups", json=body | fields)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["groupid"]


def new_room(tenant: Tenant, **fields: object) -> str:
    populate(tenant)
    body = {
        "name": "launch party",
        "description": "all hands",
        "owner": "ada",
        "members": ["linus", "grace"],
    }
    answer = tenant.post("/chatrooms", json=body | fields)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["id"]


def check(answer: TestResponse, data: object, **more: object) -> None:
    """The whole answer: its data, and the envelope with nothing else in it."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json; charset=utf-8"
    body = answer.json
    assert body["data"] == data
    keys = {
        "action", "application", "uri", "entities", "data", "timestamp", "duration",
        "organization", "applicationName",
    }  # fmt: skip
    if answer.request.query_string:
        keys.add("params")
    assert set(body) == keys | set(more)
    assert {key: body[key] for key in more} == more
    assert body["action"] == answer.request.method.lower()
    assert body["entities"] == []
    assert body["uri"].startswith("http://localhost/globex/chat/")
    assert "?" not in body["uri"]


def refused(
    answer: TestResponse, status: int, error: str, text: str, exception: str = ""
) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json["error"] == error
    assert answer.json["error_description"] == text
    if exception:
        assert answer.json["exception"] == exception


def forbidden(answer: TestResponse, text: str) -> None:
    refused(answer, 403, "forbidden_op", text, FORBIDDEN)


def unknown(answer: TestResponse, muc_id: str) -> None:
    text = f"grpID {muc_id} does not exist!"
    exception = "com.easemob.group.exception.ResourceNotFoundException"
    refused(answer, 404, "resource_not_found", text, exception)


def unread(answer: TestResponse, muc_id: str) -> None:
    text = f"do not find this group:{muc_id}"
    exception = "com.easemob.group.exception.ServiceResourceNotFoundException"
    refused(answer, 404, "service_resource_not_found", text, exception)


def nobody(answer: TestResponse, name: str) -> None:
    text = f"username {name} doesn't exist!"
    refused(answer, 404, "resource_not_found", text)


def illegal(answer: TestResponse, text: str = "this is an invalid request.") -> None:
    refused(answer, 400, "illegal_argument", text)
