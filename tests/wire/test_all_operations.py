"""A whole day of an app, through every operation, against gunicorn with four workers."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract import Contract
from tests.server.gunicorn import ROOT, Gunicorn, flask, serving
from tests.wire import operations
from tests.wire.sdk import Answer, Sdk

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "----weir"
PICTURE = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    place = tmp_path_factory.mktemp("wire") / "state"
    with serving(place, workers="4", guard_calls="1000", time_zone="UTC") as server:
        yield server


@dataclass
class Described(Sdk):
    """One that holds every answer against the document the server itself gives."""

    contract: Contract | None = None

    def ask(self, operation: str, *given: object, **options: Any) -> Answer:
        answer = super().ask(operation, *given, **options)
        if self.contract is None:
            told = self.get("/openapi.json").body
            assert isinstance(told, dict)
            self.contract = Contract(told)
        method, path = operation.split(" ", 1)
        media = answer.headers["content-type"]
        self.contract.check(
            method, f"/{{org}}/{{app}}{path}", answer.status, media, answer.body
        )
        return answer


def sdk(server: Gunicorn, app: str, kind: type[Sdk] = Described) -> Sdk:
    """A client of a new app."""
    printed = flask(
        ROOT,
        server.state_dir,
        "apps",
        "create",
        app,
        "--edition",
        "enterprise",
        "--json",
    )
    made = json.loads(printed)
    client = kind(server.port, app, made["client_id"], made["client_secret"])
    client.sign_in()
    return client


def upload(name: str | None, content: bytes) -> dict[str, object]:
    file_name = f'; filename="{name}"' if name else ""
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"{file_name}\r\n\r\n'
    ).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()  # fmt: skip
    return {
        "body": body,
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    }


def users(client: Sdk) -> None:
    client.call("POST /users", {"username": "ada", "password": "x"})
    people = [
        {"username": name, "password": "x"}
        for name in ("linus", "grace", "ken", "joan")
    ]
    assert len(client.call("POST /users", people)["entities"]) == 4
    assert (
        client.call("GET /users/{username}", username="ADA")["entities"][0]["username"]
        == "ada"
    )
    assert client.call("GET /users", query="?limit=2")["cursor"]
    client.call("PUT /users/{username}", {"nickname": "Countess"}, username="ada")
    client.call("PUT /users/{username}/password", {"newpassword": "y"}, username="ada")
    assert client.call("GET /users/{username}/status", username="ada")["data"] == {
        "ada": "offline"
    }
    client.call("POST /users/batch/status", {"usernames": ["ada", "nobody"]})
    client.call("PUT /push/nickname", [{"username": "ken", "push_nickname": "K"}])
    presence(client)
    client.call(
        "PUT /metadata/user/{username}", b"mail=a%40b.c", headers=FORM, username="ada"
    )
    assert client.call("GET /metadata/user/{username}", username="ada")["data"] == {
        "mail": "a@b.c"
    }
    client.call("POST /metadata/user/get", {"targets": ["ada"], "properties": ["mail"]})
    assert client.call("GET /metadata/user/capacity")["data"] == 9
    client.call("DELETE /metadata/user/{username}", username="ada")


def presence(client: Sdk) -> None:
    of = "/users/{username}/presence"
    asked = {"usernames": ["linus"]}
    client.call(f"POST {of}/{{expiry}}", asked, username="ada", expiry=60)
    client.call(
        f"POST {of}/{{resource}}/{{status}}",
        {"ext": "in a meeting"},
        username="linus",
        resource="ios_1",
        status="busy",
    )
    told = client.call(f"POST {of}", asked, username="ada")["result"]
    assert told[0]["status"] == {"ios_1": "busy"}
    listed = client.call(f"GET {of}/sublist", username="ada")["result"]
    assert listed["totalnum"] == "1"
    assert client.call(f"DELETE {of}", ["linus"], username="ada")["result"] == "ok"


def friends(client: Sdk) -> None:
    pair = {"owner_username": "ada", "contact_username": "linus"}
    client.call(
        "POST /users/{owner_username}/contacts/users/{contact_username}", **pair
    )
    one = client.call(
        "GET /users/{owner_username}/contacts/users", owner_username="linus"
    )
    assert one["data"] == ["ada"]
    client.call(
        "PUT /user/{owner_username}/contacts/users/{contact_username}",
        {"remark": "kernel"},
        **pair,
    )
    paged = client.call(
        "GET /user/{username}/contacts", query="?needReturnRemark=true", username="ada"
    )
    assert paged["data"]["contacts"] == [{"username": "linus", "remark": "kernel"}]
    client.call("GET /users/{username}/contacts", username="ada")
    client.call(
        "POST /users/{username}/contacts/import",
        {"usernames": ["ken", "nobody"]},
        username="ada",
    )
    client.call(
        "DELETE /users/{owner_username}/contacts/users/{contact_username}", **pair
    )
    client.call("DELETE /contacts/users/{username}", username="ada")
    listed = client.call(
        "GET /users/{owner_username}/contacts/users", owner_username="ada"
    )
    assert listed["data"] == []


def blacklist(client: Sdk) -> None:
    added = client.call(
        "POST /users/{owner_username}/blocks/users",
        {"usernames": ["ken", "joan"]},
        owner_username="ada",
    )
    assert added["data"] == ["ken", "joan"]
    client.call(
        "DELETE /users/{owner_username}/blocks/users/{blocked_username}",
        owner_username="ada", blocked_username="ken",
    )  # fmt: skip
    left = client.call("GET /users/{owner_username}/blocks/users", owner_username="ada")
    assert left["data"] == ["joan"]


def blocking(client: Sdk) -> None:
    off = client.call("POST /users/{username}/deactivate", username="joan")
    assert off["entities"][0]["activated"] is False
    client.call("POST /users/{username}/activate", username="joan")
    gone = client.call("GET /users/{username}/disconnect", username="joan")
    assert gone["data"] == {"result": True}
    device = {"username": "joan", "resource": "ios_1"}
    client.call("GET /users/{username}/disconnect/{resource}", **device)
    client.call("DELETE /users/{username}/disconnect/{resource}", **device)
    assert client.call("GET /users/{username}/resources", username="joan")["data"] == []
    client.call("POST /mutes", {"username": "joan", "chat": 60, "groupchat": -1})
    muted = client.call("GET /mutes/{username}", username="joan")["data"]
    assert (muted["groupchat"], muted["chatroom"]) == (-1, 0)
    assert len(client.call("GET /mutes")["data"]["data"]) == 2
    said = {
        "target_type": "users",
        "target": ["ada"],
        "msg": {"type": "txt", "msg": "x"},
        "from": "joan",
    }
    assert client.ask("POST /messages", said).status == 403


def groups(client: Sdk) -> str:
    gid = client.call(
        "POST /chatgroups",
        {
            "groupname": "night shift",
            "desc": "on-call",
            "owner": "ada",
            "members": ["linus"],
        },
    )["data"]["groupid"]
    at = {"gid": gid}
    assert client.call("GET /chatgroups")["data"][0]["groupid"] == gid
    assert client.call("GET /publicchatgroups")["data"][0]["groupid"] == gid
    assert client.call("GET /privatechatgroups")["data"] == []
    joined = client.call("GET /users/{username}/joined_chatgroups", username="linus")
    assert joined["data"] == [{"groupid": gid, "groupname": "night shift"}]
    assert (
        client.call("GET /chatgroups/{gid}", **at)["data"][0]["affiliations_count"] == 2
    )
    assert client.call("PUT /chatgroups/{gid}", {"name": "day shift"}, **at)[
        "data"
    ] == {"groupname": True}
    client.call("POST /chatgroups/{gid}/announcement", {"announcement": "10:00"}, **at)
    told = client.call("GET /chatgroups/{gid}/announcement", **at)
    assert told["data"] == {"announcement": "10:00"}
    client.call("POST /chatgroups/{gid}/users/{username}", username="grace", **at)
    client.call("POST /chatgroups/{gid}/users", {"usernames": ["ken", "joan"]}, **at)
    page = client.call(
        "GET /chatgroups/{gid}/users", query="?pagenum=1&pagesize=2", **at
    )
    assert page["params"] == {"pagenum": ["1"], "pagesize": ["2"]}
    assert page["count"] == 2
    client.call("POST /chatgroups/{gid}/admin", {"newadmin": "linus"}, **at)
    assert client.call("GET /chatgroups/{gid}/admin", **at)["data"] == ["linus"]
    client.call("DELETE /chatgroups/{gid}/admin/{oldadmin}", oldadmin="linus", **at)
    client.call(
        "POST /chatgroups/{gid}/mute",
        {"usernames": ["ken"], "mute_duration": 60000},
        **at,
    )
    assert client.call("GET /chatgroups/{gid}/mute", **at)["data"][0]["user"] == "ken"
    client.call(
        "DELETE /chatgroups/{gid}/mute/{usernames}", usernames="ken,%20grace", **at
    )
    assert client.call("POST /chatgroups/{gid}/ban", **at)["data"] == {"mute": True}
    assert client.call("DELETE /chatgroups/{gid}/ban", **at)["data"] == {"mute": False}
    client.call("POST /chatgroups/{gid}/white/users/{username}", username="ken", **at)
    client.call("POST /chatgroups/{gid}/white/users", {"usernames": ["grace"]}, **at)
    assert sorted(client.call("GET /chatgroups/{gid}/white/users", **at)["data"]) == [
        "grace",
        "ken",
    ]
    client.call(
        "DELETE /chatgroups/{gid}/white/users/{usernames}", usernames="ken,grace", **at
    )
    client.call("POST /chatgroups/{gid}/disable", **at)
    client.call("POST /chatgroups/{gid}/enable", **at)
    inside = client.call(
        "GET /chatgroups/{gid}/user/{username}/is_joined", username="ken", **at
    )
    assert inside["data"] is True
    client.call("POST /chatgroups/{gid}/blocks/users/{username}", username="ken", **at)
    client.call(
        "POST /chatgroups/{gid}/blocks/users", {"usernames": ["grace", "joan"]}, **at
    )
    assert len(client.call("GET /chatgroups/{gid}/blocks/users", **at)["data"]) == 3
    client.call(
        "DELETE /chatgroups/{gid}/blocks/users/{usernames}", usernames="ken", **at
    )
    client.call(
        "DELETE /chatgroups/{gid}/blocks/users/{usernames}", usernames="grace", **at
    )
    client.call("DELETE /chatgroups/{gid}/blocks/users", {"usernames": ["joan"]}, **at)
    client.call("POST /chatgroups/{gid}/users", {"usernames": ["ken", "joan"]}, **at)
    removed = client.call(
        "DELETE /chatgroups/{gid}/users/{usernames}", usernames="ken,joan", **at
    )
    assert [each["result"] for each in removed["data"]] == [True, True]
    shared(client, gid)
    client.call("PUT /chatgroups/{gid}", {"newowner": "linus"}, **at)
    return str(gid)


def shared(client: Sdk, gid: str) -> None:
    at = {"gid": gid}
    kept = client.call(
        "POST /chatgroups/{gid}/share_files", **upload("rota.xlsx", PICTURE), **at
    )
    file_id = kept["data"]["file_id"]
    assert client.call("GET /chatgroups/{gid}/share_files", **at)["data"][0][
        "file_size"
    ] == len(PICTURE)
    got = client.ask(
        "GET /chatgroups/{gid}/share_files/{file_id}", file_id=file_id, **at
    )
    assert got.body == PICTURE
    client.call("DELETE /chatgroups/{gid}/share_files/{file_id}", file_id=file_id, **at)


def chatrooms(client: Sdk) -> str:
    rid = client.call(
        "POST /chatrooms",
        {
            "name": "launch",
            "description": "all hands",
            "owner": "ada",
            "members": ["linus"],
        },
    )["data"]["id"]
    at = {"rid": rid}
    assert client.call("GET /chatrooms")["data"][0]["id"] == rid
    assert (
        client.call("GET /users/{username}/joined_chatrooms", username="ada")["count"]
        == 1
    )
    assert (
        client.call("GET /chatrooms/{rid}", **at)["data"][0]["affiliations_count"] == 2
    )
    assert client.call("PUT /chatrooms/{rid}", {"name": "party"}, **at)["data"] == {
        "groupname": True
    }
    client.call("POST /chatrooms/{rid}/users/{username}", username="grace", **at)
    client.call("POST /chatrooms/{rid}/users", {"usernames": ["ken", "joan"]}, **at)
    assert client.call("GET /chatrooms/{rid}/users", **at)["count"] == 5
    client.call("POST /chatrooms/{rid}/admin", {"newadmin": "linus"}, **at)
    assert client.call("GET /chatrooms/{rid}/admin", **at)["data"] == ["linus"]
    client.call("DELETE /chatrooms/{rid}/admin/{oldadmin}", oldadmin="linus", **at)
    client.call(
        "POST /chatrooms/{rid}/mute", {"usernames": ["ken"], "mute_duration": -1}, **at
    )
    assert client.call("GET /chatrooms/{rid}/mute", **at)["data"] == [
        {"expire": 4638873600000, "user": "ken"}
    ]
    client.call("DELETE /chatrooms/{rid}/mute/{usernames}", usernames="ken", **at)
    client.call("POST /chatrooms/super_admin", {"superadmin": "ada"})
    assert client.call("GET /chatrooms/super_admin")["data"] == ["ada"]
    client.call("DELETE /chatrooms/super_admin/{superadmin}", superadmin="ada")
    client.call(
        "POST /chatrooms/{rid}/announcement", {"announcement": "Doors at 8"}, **at
    )
    assert client.call("GET /chatrooms/{rid}/announcement", **at)["data"] == {
        "announcement": "Doors at 8"
    }
    client.call("POST /chatrooms/{rid}/blocks/users/{username}", username="ken", **at)
    client.call("POST /chatrooms/{rid}/blocks/users", {"usernames": ["joan"]}, **at)
    assert len(client.call("GET /chatrooms/{rid}/blocks/users", **at)["data"]) == 2
    client.call(
        "DELETE /chatrooms/{rid}/blocks/users/{usernames}", usernames="ken,joan", **at
    )
    assert client.call("POST /chatrooms/{rid}/ban", **at)["data"] == {"mute": True}
    client.call("DELETE /chatrooms/{rid}/ban", **at)
    client.call("POST /chatrooms/{rid}/white/users/{username}", username="grace", **at)
    client.call("POST /chatrooms/{rid}/white/users", {"usernames": ["linus"]}, **at)
    assert len(client.call("GET /chatrooms/{rid}/white/users", **at)["data"]) == 2
    client.call(
        "DELETE /chatrooms/{rid}/white/users/{usernames}", usernames="linus,grace", **at
    )
    client.call(
        "DELETE /chatrooms/{rid}/users/{usernames}", usernames="grace,linus", **at
    )
    return str(rid)


def messages(client: Sdk, gid: str, rid: str) -> None:
    body = {
        "target_type": "users",
        "target": ["linus"],
        "msg": {"type": "txt", "msg": "hi"},
    }
    waiting = "GET /users/{owner_username}/offline_msg_count"
    before = client.call(waiting, owner_username="linus")["data"]["linus"]
    ids = client.call("POST /messages", body, query="?useMsgId=true")["data"]
    flat = {"type": "txt", "body": {"msg": "hi"}, "from": "ada"}
    client.call("POST /messages/users", flat | {"to": ["linus"]})
    client.call("POST /messages/chatgroups", flat | {"to": [gid]})
    client.call("POST /messages/chatrooms", flat | {"to": [rid]})
    assert client.call(waiting, owner_username="linus")["data"]["linus"] == before + 3
    told = client.call(
        "GET /users/{username}/offline_msg_status/{msg_id}",
        username="linus",
        msg_id=ids["linus"],
    )
    assert told["data"] == {ids["linus"]: "undelivered"}
    recall = {
        "msg_id": ids["linus"],
        "to": "linus",
        "chat_type": "chat",
        "force": False,
    }
    assert client.call("POST /messages/msg_recall", recall)["data"]["recalled"] == "yes"
    client.call("POST /messages/recall", {"msgs": [recall]})
    assert client.call(waiting, owner_username="linus")["data"]["linus"] == before + 2


def files(client: Sdk) -> None:
    kept = client.call("POST /chatfiles", **upload(None, PICTURE))
    (entity,) = kept["entities"]
    assert entity["type"] == "chatfile"
    got = client.ask(
        "GET /chatfiles/{uuid}",
        headers={"Accept": "application/json"},
        uuid=entity["uuid"],
    )
    assert got.body == PICTURE


def history(client: Sdk, other: Sdk) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    sent = {
        "target_type": "users",
        "target": ["ada"],
        "msg": {"type": "txt", "msg": "earlier"},
    }
    client.call(
        "POST /messages", sent | {"msg_timestamp": int(an_hour_ago.timestamp() * 1000)}
    )
    while datetime.now(UTC).minute == 0 and datetime.now(UTC).second < 30:
        time.sleep(1)  # the hour has only just ended
    told = client.call(
        "GET /chatmessages/{time}", time=an_hour_ago.strftime("%Y%m%d%H")
    )
    address = urlsplit(told["data"][0]["url"])
    got = client.get(f"{address.path}?{address.query}")
    assert got.status == 200
    assert got.headers["content-type"] == "application/gzip"
    assert other.ask("GET /chatmessages").status == 400


def cleaning_up(client: Sdk, gid: str, rid: str) -> None:
    client.call("DELETE /chatgroups/{gid}", gid=gid)
    client.call("DELETE /chatrooms/{rid}", rid=rid)
    client.call("DELETE /users/{username}", username="ada")
    assert len(client.call("DELETE /users", query="?limit=100")["entities"]) == 4


def a_day(
    client: Sdk, other: Sdk, begins: Callable[[str], object] = lambda _: None
) -> None:
    """Everything, interface by interface; *begins* is told which comes."""
    for part in (users, friends, blacklist, blocking):
        begins(part.__name__)
        part(client)
    begins("groups")
    gid = groups(client)
    begins("chatrooms")
    rid = chatrooms(client)
    begins("messages, offline")
    messages(client, gid, rid)
    begins("files")
    files(client)
    begins("history")
    history(client, other)
    begins("deletions")
    cleaning_up(client, gid, rid)


def missing(*clients: Sdk) -> set[str]:
    """The operations that none of them has called."""
    called = {each for client in clients for each in client.called}
    return set(operations.SERVED.split("\n")) - {""} - called


def test_a_day_of_an_app_calls_every_operation(server: Gunicorn) -> None:
    client, other = sdk(server, "wire/one"), sdk(server, "wire/two")

    a_day(client, other)

    assert missing(client, other) == set()
    assert "a bug met" not in server.log
