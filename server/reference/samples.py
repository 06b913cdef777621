"""Examples: a value for any schema of the document, with names people know."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_GROUP, _MESSAGE = "66016455491585", "1056124830471850116"
_UUID = "a1d4c9e0-5b80-11ec-8c3f-0242ac130003"
_APP = "http://127.0.0.1:8000/demo/chat"

NAMED: Mapping[str, Any] = {
    "username": "ada",
    "password": "secret",
    "newpassword": "secret",
    "oldpassword": "secret",
    "nickname": "Ada",
    "push_nickname": "Ada",
    "uuid": _UUID,
    "device_uuid": _UUID,
    "created": 1_700_000_000_000,
    "modified": 1_700_000_000_000,
    "timestamp": 1_700_000_000_000,
    "duration": 3,
    "application": "6f1c2a30-5b7e-11ec-9a41-0242ac130003",
    "organization": "demo",
    "applicationName": "chat",
    "uri": _APP,
    "path": "/users",
    "url": f"{_APP}/history",
    "count": 1,
    "cursor": "dXNlcnM6MTA",
    "usernames": ["linus", "grace"],
    "members": ["linus", "grace"],
    "newmembers": ["linus", "grace"],
    "success": ["linus"],
    "failed": ["nobody"],
    "targets": ["ada"],
    "upto": _MESSAGE,
    "properties": ["mail"],
    "grant_type": "client_credentials",
    "client_id": "YXA6...",
    "client_secret": "YXA6...",
    "access_token": "lt1.app...",
    "expires_in": 5_184_000,
    "target_type": "users",
    "target": ["ada"],
    "to": ["ada"],
    "from": "linus",
    "sender": "linus",
    "msg": {"type": "txt", "msg": "lunch?"},
    "type": "txt",
    "body": {"msg": "lunch?"},
    "msg_id": _MESSAGE,
    "chat_type": "chat",
    "groupname": "Night shift",
    "name": "Night shift",
    "desc": "Who is on call",
    "description": "Who is on call",
    "owner": "ada",
    "maxusers": 200,
    "announcement": "Tea at four",
    "newadmin": "linus",
    "oldadmin": "linus",
    "superadmin": "ada",
    "mute_duration": 60_000,
    "remark": "from work",
    "notification_no_disturbing_start": 22,
    "notification_no_disturbing_end": 7,
    "groupid": _GROUP,
    "chatroomid": _GROUP,
    "id": _GROUP,
    "user": "linus",
    "chat": 3600,
    "file_name": "rota.pdf",
    "file": "(the bytes of a file)",
}


def of(schema: Any, components: Mapping[str, Json], *, asked: bool = False) -> Any:
    """A value that *schema* takes; *asked*: of a request, with the needed fields."""
    return _Sampler(components, asked=asked).value("", schema)


class _Sampler:
    def __init__(self, components: Mapping[str, Json], *, asked: bool) -> None:
        self._components = components
        self._asked = asked

    def value(self, name: str, schema: Any) -> Any:
        if "$ref" in schema:
            return self.value(name, self._components[schema["$ref"].split("/")[-1]])
        if "enum" in schema:
            named = NAMED.get(name)
            return named if named in schema["enum"] else schema["enum"][0]
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if "properties" in schema:
            return self._object(schema)
        if name in NAMED and _fits(NAMED[name], kind):
            return NAMED[name]
        if "anyOf" in schema:
            return self.value(name, schema["anyOf"][0])
        return self._plain(name, kind, schema)

    def _object(self, schema: Json) -> Json:
        properties: Json = schema["properties"]
        wanted = list(properties)
        if self._asked:
            needed = list(schema.get("required", ()))
            if "anyOf" in schema:
                needed += schema["anyOf"][0].get("required", ())
            wanted = [each for each in properties if each in needed] or wanted[:1]
        elif "error" not in properties:
            needed = schema.get("required", ())
            wanted = [each for each in properties if each in needed] or wanted[:1]
        return {each: self.value(each, properties[each]) for each in wanted}

    def _plain(self, name: str, kind: str | None, schema: Json) -> Any:
        if kind == "array":
            if schema.get("maxItems") == 0:
                return []
            return [self.value(name.removesuffix("s"), schema.get("items", {}))]
        if kind == "object":
            inner = schema.get("additionalProperties")
            return {"ada": self.value("", inner)} if isinstance(inner, dict) else {}
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        return {"boolean": True, "string": name or "success"}.get(kind or "")


def _fits(value: object, kind: str | None) -> bool:
    kinds: Mapping[str | None, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "array": (list,),
        "object": (dict,),
        None: (object,),
    }
    return isinstance(value, kinds.get(kind, ()))
