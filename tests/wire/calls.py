"""One good call of each operation, in an app furnished for it."""

import io
import re
from dataclasses import dataclass

from werkzeug.test import TestResponse

from server.kinds import Membership
from server.store import users
from tests.conftest import Clock, Tenant, alices_hash
from tests.wire import operations

# But a user's own stream, which app tokens do not open, and presence, where devices,
# words and watched names are the app's own and none is wrong: they have tests of their
# own (tests/server/streaming, tests/server/api/test_user_presence.py).
EVERY = [
    each
    for each in operations.SERVED.split("\n")
    if each and "/stream" not in each and "/presence" not in each
]
FORM = "application/x-www-form-urlencoded"

# {0} is the owner of what there is, {1} a member and administrator, {2} only a user.
BODIES: dict[str, object] = {
    "POST {A}/token": {"grant_type": "password", "username": "{0}", "password": "open sesame"},
    "POST {A}/users": {"username": "new", "password": "secret", "nickname": "New"},
    "PUT {A}/users/{username}/password": {"newpassword": "secret"},
    "PUT {A}/users/{username}": {
        "nickname": "N",
        "notification_display_style": 1,
        "notification_no_disturbing": True,
        "notification_no_disturbing_start": 22,
        "notification_no_disturbing_end": 7,
    },
    "POST {A}/users/batch/status": {"usernames": ["{0}"]},
    "POST {A}/metadata/user/get": {"targets": ["{0}"], "properties": ["ext"]},
    "POST {A}/users/{owner_username}/blocks/users": {"usernames": ["{1}"]},
    "POST {A}/mutes": {"username": "{0}", "chat": 60, "groupchat": 60, "chatroom": 60},
    "PUT {A}/user/{owner_username}/contacts/users/{contact_username}": {"remark": "r"},
    "POST {A}/users/{username}/contacts/import": {"usernames": ["{2}"]},
    "PUT {A}/push/nickname": [{"username": "{0}", "push_nickname": "N"}],
    "POST {A}/messages": {
        "target_type": "users",
        "target": ["{0}"],
        "msg": {"type": "txt", "msg": "hi"},
        "from": "{1}",
        "ext": {},
    },
    "POST {A}/messages/users": {"to": ["{0}"], "type": "txt", "body": {"msg": "hi"}},
    "POST {A}/messages/chatgroups": {"to": ["{gid}"], "type": "txt", "body": {"msg": "hi"}},
    "POST {A}/messages/chatrooms": {"to": ["{rid}"], "type": "txt", "body": {"msg": "hi"}},
    "POST {A}/messages/msg_recall": {"msg_id": "{msg_id}", "to": "{0}", "chat_type": "chat"},
    "POST {A}/messages/recall": {
        "msgs": [{"msg_id": "{msg_id}", "to": "{0}", "chat_type": "chat"}]
    },
    "POST {A}/chatgroups": {
        "groupname": "g",
        "desc": "d",
        "owner": "{0}",
        "members": ["{1}"],
        "public": True,
        "maxusers": 200,
        "allowinvites": False,
        "members_only": False,
        "invite_need_confirm": True,
        "custom": "c",
    },
    "PUT {A}/chatgroups/{gid}": {
        "groupname": "g",
        "description": "d",
        "maxusers": 200,
        "membersonly": False,
        "allowinvites": False,
    },
    "POST {A}/chatgroups/{gid}/announcement": {"announcement": "a"},
    "POST {A}/chatgroups/{gid}/users": {"usernames": ["{2}"]},
    "POST {A}/chatgroups/{gid}/admin": {"newadmin": "{3}"},
    "POST {A}/chatgroups/{gid}/blocks/users": {"usernames": ["{1}"]},
    "DELETE {A}/chatgroups/{gid}/blocks/users": {"usernames": ["{4}"]},
    "POST {A}/chatgroups/{gid}/mute": {"usernames": ["{1}"], "mute_duration": 60000},
    "POST {A}/chatgroups/{gid}/white/users": {"usernames": ["{1}"]},
    "POST {A}/chatrooms": {
        "name": "r",
        "description": "d",
        "owner": "{0}",
        "members": ["{1}"],
        "maxusers": 200,
        "custom": "c",
    },
    "PUT {A}/chatrooms/{rid}": {"name": "r", "description": "d", "maxusers": 200},
    "POST {A}/chatrooms/{rid}/users": {"usernames": ["{2}"]},
    "POST {A}/chatrooms/{rid}/admin": {"newadmin": "{3}"},
    "POST {A}/chatrooms/{rid}/mute": {"usernames": ["{1}"], "mute_duration": 60000},
    "POST {A}/chatrooms/super_admin": {"superadmin": "{1}"},
    "POST {A}/chatrooms/{rid}/announcement": {"announcement": "a"},
    "POST {A}/chatrooms/{rid}/blocks/users": {"usernames": ["{1}"]},
    "POST {A}/chatrooms/{rid}/white/users": {"usernames": ["{1}"]},
}  # fmt: skip
UPLOADS = ("POST {A}/chatfiles", "POST {A}/chatgroups/{gid}/share_files")
METADATA = "PUT {A}/metadata/user/{username}"


@dataclass
class Furnished:
    """An app with users, a group, a room, files and a message; and its clock."""

    tenant: Tenant
    clock: Clock
    names: tuple[str, ...]
    params: dict[str, str]

    def fill(self, text: str, **instead: str) -> str:
        """``{0}``, ``{gid}`` and the like; the app stands before it."""
        known = self.params | dict(enumerate_texts(self.names)) | instead
        return re.sub(r"\{(\w+)\}", lambda place: known[place[1]], text)

    def body(self, operation: str, **instead: str) -> object:
        return self.filled(BODIES[operation], **instead)

    def filled(self, value: object, **instead: str) -> object:
        if isinstance(value, dict):
            return {key: self.filled(each, **instead) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each, **instead) for each in value]
        return self.fill(value, **instead) if isinstance(value, str) else value

    def call(
        self, operation: str, *, token: str | None = None, **instead: str
    ) -> TestResponse:
        """The good call, but for what is *instead*."""
        method, path = operation.split(" ", 1)
        instead = self._of(operation) | instead
        path = self.fill(path.replace("{A}", f"/{self.tenant.key}"), **instead)
        options: dict[str, object] = {}
        if operation in BODIES:
            options["json"] = self.body(operation)
        elif operation in UPLOADS:
            options["data"] = {"file": (io.BytesIO(b"x"), "a.txt")}
        elif operation == METADATA:
            options |= {"data": "nickname=N", "content_type": FORM}
        return self.send(method, path, token=token, **options)

    def _of(self, operation: str) -> dict[str, str]:
        """Whom this operation is about, where it is not who the others are."""
        _, _, nobody_yet, member, blocked = self.names
        for ending, name, value in (
            ("POST ../users/{username}", "username", nobody_yet),
            ("POST ../blocks/users/{username}", "username", member),
            ("POST ../white/users/{username}", "username", member),
            ("DELETE ../blocks/users/{usernames}", "usernames", blocked),
        ):
            method, _, rest = ending.partition(" ..")
            if re.fullmatch(
                rf"{method} \{{A\}}/chat\w+/\{{\w+\}}{re.escape(rest)}", operation
            ):
                return {name: value}
        return {}

    def send(
        self, method: str, path: str, *, token: str | None = None, **options: object
    ) -> TestResponse:
        """A call of a whole path, in a minute of its own: no rate is met."""
        self.clock.forward(61)
        said = self.tenant.token if token is None else token
        headers = {"Authorization": f"Bearer {said}"}
        return self.tenant.client.open(path, method=method, headers=headers, **options)


def enumerate_texts(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(str(n), value) for n, value in enumerate(values)]


def furnish(tenant: Tenant, clock: Clock, names: tuple[str, ...]) -> Furnished:
    """*names*: the owner, an administrator, nobody yet, a member, one who is blocked."""
    new = [users.NewUser(name, alices_hash()) for name in names]
    users.add(tenant.id, new, at_most=Membership("none"))
    app = Furnished(tenant, clock, names, {})

    def made(line: str, **options: object) -> object:
        method, path = line.split(" ", 1)
        answer = app.send(method, f"/{tenant.key}{path}", **options)
        assert answer.status_code == 200, (line, answer.text)
        return answer.json

    owner, admin, _, member, blocked = names
    inside = {"owner": owner, "members": [admin, member, blocked]}
    group = made("POST /chatgroups", json=inside | {"groupname": "g", "desc": "d"})
    room = made("POST /chatrooms", json=inside | {"name": "r", "description": "d"})
    gid, rid = group["data"]["groupid"], room["data"]["id"]
    for place in (f"/chatgroups/{gid}", f"/chatrooms/{rid}"):
        made(f"POST {place}/admin", json={"newadmin": admin})
        made(f"POST {place}/blocks/users/{blocked}")
    made("POST /chatrooms/super_admin", json={"superadmin": owner})
    made(f"POST /users/{owner}/contacts/users/{admin}")
    made(f"POST /users/{owner}/blocks/users", json={"usernames": [member]})
    file = made("POST /chatfiles", data={"file": (io.BytesIO(b"x"), "a.txt")})
    shared = made(
        f"POST /chatgroups/{gid}/share_files", data={"file": (io.BytesIO(b"x"), "a")}
    )
    message = made(
        "POST /messages/users",
        json={"to": [owner], "type": "txt", "body": {"msg": "hi"}},
    )
    app.params |= {
        "username": owner, "owner_username": owner, "contact_username": admin,
        "blocked_username": member, "resource": "ios_50771", "time": "2023111401",
        "usernames": admin, "oldadmin": admin, "superadmin": owner,
        "gid": gid, "rid": rid, "uuid": file["entities"][0]["uuid"],
        "file_id": shared["data"]["file_id"], "msg_id": message["data"][owner],
    }  # fmt: skip
    return app
