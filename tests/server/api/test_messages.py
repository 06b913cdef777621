"""Sending messages."""

import orjson
import pytest

from server.store.models import Message
from tests import facts
from tests.conftest import Clock, Tenant

HELLO = {"type": "txt", "msg": "hello"}


def message(**changes: object) -> dict[str, object]:
    whole = {"target_type": "users", "target": ["alice"], "msg": HELLO} | changes
    return {key: value for key, value in whole.items() if value is not ...}


def kept() -> list[Message]:
    return list(Message.select().order_by(Message.id))


def test_sending_answers_as_the_reference_does(acme: Tenant) -> None:
    answer = acme.post("/messages", json=message(target=["alice", "Bob"]))

    assert answer.status_code == 200
    assert answer.json == {
        "action": "post",
        "application": acme.row.uuid,
        "path": "/messages",
        "uri": "http://localhost/acme/chat/messages",
        "entities": [],
        "data": {"alice": "success", "Bob": "success"},
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "organization": "acme",
        "applicationName": "chat",
    }
    one, two = kept()
    assert (one.target, two.target) == ("alice", "bob")
    assert one.sender == "admin"
    assert one.chat_type == "chat"
    assert one.timestamp == 1_700_000_000_000
    assert orjson.loads(one.body) == HELLO
    assert one.ext is None


def test_ids_are_digits_that_grow(acme: Tenant, clock: Clock) -> None:
    seen = []
    for step in (0, 0.001, -5, 0):
        clock.forward(step)
        answer = acme.post(
            "/messages?useMsgId=true", json=message(target=["alice", "bob"])
        )
        assert answer.json["params"] == {"useMsgId": ["true"]}
        seen += [int(answer.json["data"][name]) for name in ("alice", "bob")]

    assert seen == sorted(set(seen))
    assert seen == [row.id for row in kept()]
    assert max(seen) < 2**63


@pytest.mark.parametrize("value", ["false", "1", "", "True"])
def test_any_other_use_msg_id_means_success(acme: Tenant, value: str) -> None:
    answer = acme.post(f"/messages?useMsgId={value}", json=message())

    assert answer.json["data"] == {"alice": "success"}


def test_one_user_in_two_spellings_gets_one_message(acme: Tenant) -> None:
    answer = acme.post(
        "/messages?useMsgId=true", json=message(target=["Ada", "ada", "Ada"])
    )

    assert set(answer.json["data"]) == {"Ada", "ada"}
    assert answer.json["data"]["Ada"] == answer.json["data"]["ada"]
    assert len(kept()) == 1


def test_nobody_is_checked_for_existence(acme: Tenant) -> None:
    for kind, target in (("users", "nobody"), ("chatgroups", 17), ("chatrooms", "x")):
        answer = acme.post("/messages", json=message(target_type=kind, target=[target]))
        assert answer.json["data"] == {str(target): "success"}


def test_what_is_kept_is_what_was_sent(acme: Tenant) -> None:
    body = {"type": "text", "msg": "hi", "extra": {"deep": [1, 2]}}
    ext = {"em_apns_ext": {"em_push_content": "you"}, "n": 1.5, "b": False}

    acme.post(
        "/messages",
        json=message(
            msg=body,
            ext=ext,
            sync_device=True,
            routetype="ROUTE_ONLINE",
            msg_timestamp=1_600_000_000_123,
            chatroom_msg_level="high",
            top_level="ignored",
            **{"from": "Linus"},
        ),
    )

    (row,) = kept()
    assert orjson.loads(row.body) == body | {"type": "txt"}
    assert orjson.loads(row.ext) == ext
    assert row.sender == "linus"
    assert row.timestamp == 1_600_000_000_123
    assert row.online_only
    assert row.sync_device
    assert row.level == "high"


URL = "http://x/acme/chat/chatfiles/1"


@pytest.mark.parametrize(
    "msg",
    [
        {"type": "img", "url": URL, "filename": "a.png", "size": {"width": 1, "height": 2}},
        {"type": "audio", "url": URL, "filename": "a.amr", "length": 6},
        {"type": "video", "url": URL, "length": 0},
        {"type": "file", "url": URL, "filename": "a.txt"},
        {"type": "loc", "lat": "59.3", "lng": 18.07, "addr": "Pier 4"},
        {"type": "cmd", "action": "refresh", "param": {"a": 1}},
        {"type": "custom", "customEvent": "a-Z0_9/. x"},
        {"type": "custom", "customEvent": "x" * 32, "customExts": {f"k{n}": "v" for n in range(16)}},
    ],
)  # fmt: skip
def test_every_type_is_sent(acme: Tenant, msg: dict[str, object]) -> None:
    answer = acme.post("/messages", json=message(msg=msg))

    assert answer.status_code == 200
    assert orjson.loads(kept()[0].body) == msg


def test_custom_extensions_become_strings(acme: Tenant) -> None:
    msg = {
        "type": "custom",
        "customEvent": "award",
        "customExts": {"a": 1, "b": True, "c": 1.5, "d": "x"},
    }

    acme.post("/messages", json=message(msg=msg))

    assert orjson.loads(kept()[0].body)["customExts"] == {
        "a": "1", "b": "true", "c": "1.5", "d": "x"
    }  # fmt: skip


TARGET_TYPES = "target_type can only be 'users' or 'chatgroups' or 'chatrooms'"
INVALID = "this is an invalid request."


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"target_type": ...}, "target_type must be provided"),
        ({"target_type": None}, "target_type must be provided"),
        ({"target_type": "everyone"}, TARGET_TYPES),
        ({"target_type": 1}, TARGET_TYPES),
        ({"target_type": "x", "target": []}, TARGET_TYPES),
        ({"target": ...}, "target must be provided"),
        ({"target": []}, "target must be provided"),
        ({"target": "alice"}, "target must be provided"),
        ({"target": [None]}, INVALID),
        ({"target": [True]}, INVALID),
        ({"target": [["a"]]}, INVALID),
        ({"target": [""]}, INVALID),
        ({"target": ["x"] * 601}, "target exceeds the limit of 600"),
        ({"target": [], "from": ""}, "target must be provided"),
        ({"from": ""}, "from can't be empty"),
        ({"from": 5}, INVALID),
        ({"from": "", "msg": ...}, "from can't be empty"),
        ({"msg": ...}, "msg must be provided"),
        ({"msg": None}, "msg must be provided"),
        ({"msg": "hello"}, "msg must be provided"),
        ({"msg": {}}, "type must be provided"),
        ({"msg": {"type": "smoke"}}, "unsupported message type: smoke"),
        ({"msg": {"type": ["txt"]}}, "unsupported message type: ['txt']"),
        ({"msg": {"type": "txt"}}, "msg must be provided"),
        ({"msg": {"type": "txt", "msg": None}}, "msg must be provided"),
        ({"msg": {"type": "txt", "msg": 5}}, INVALID),
        ({"msg": {"type": "img", "url": URL}}, "filename must be provided"),
        ({"msg": {"type": "img", "filename": "x"}}, "url must be provided"),
        ({"msg": {"type": "audio", "url": URL, "filename": "x"}}, "length must be provided"),
        ({"msg": {"type": "audio", "url": URL, "filename": "x", "length": "6"}}, INVALID),
        ({"msg": {"type": "audio", "url": URL, "filename": "x", "length": -6}}, INVALID),
        ({"msg": {"type": "loc", "lat": 1, "lng": 2}}, "addr must be provided"),
        ({"msg": {"type": "loc", "lat": True, "lng": 2, "addr": "x"}}, INVALID),
        ({"msg": {"type": "cmd"}}, "action must be provided"),
        ({"msg": {"type": "custom"}}, "customEvent must be provided"),
        ({"msg": {"type": "custom", "customEvent": ""}}, "customEvent is not legal"),
        ({"msg": {"type": "custom", "customEvent": "a\n"}}, "customEvent is not legal"),
        ({"msg": {"type": "custom", "customEvent": "x" * 33}}, "customEvent exceeds the limit of 32"),
        ({"msg": {"type": "custom", "customEvent": "x", "customExts": {"a": {}}}}, "customExts values must be strings"),
        ({"msg": {"type": "custom", "customEvent": "x", "customExts": {"a": None}}}, "customExts values must be strings"),
        ({"msg": {"type": "custom", "customEvent": "x", "customExts": {f"k{n}": "" for n in range(17)}}}, "customExts exceeds the limit of 16"),
        ({"ext": None}, "ext can't be null"),
        ({"ext": "x"}, INVALID),
        ({"sync_device": "maybe"}, INVALID),
        ({"msg_timestamp": "yesterday"}, INVALID),
        ({"msg_timestamp": -1}, INVALID),
        ({"msg_timestamp": 2**63}, INVALID),
        ({"chatroom_msg_level": "urgent"}, INVALID),
    ],
)  # fmt: skip
def test_a_message_that_is_refused_is_told_why(
    acme: Tenant, changes: dict[str, object], description: str
) -> None:
    answer = acme.post("/messages", json=message(**changes))

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == description
    assert kept() == []


def test_six_hundred_targets_are_one_call(globex: Tenant) -> None:
    answer = globex.post(
        "/messages", json=message(target=[f"u{n}" for n in range(600)])
    )

    assert len(answer.json["data"]) == 600
    assert len(kept()) == 600


def sized(size: int, ext: dict[str, str] | None) -> dict[str, object]:
    """A message whose parts take *size* bytes together."""
    empty = len(orjson.dumps({"type": "txt", "msg": ""}))
    rest = size - empty - (len(orjson.dumps(ext)) if ext else 0)
    return message(msg={"type": "txt", "msg": "x" * rest}, ext=ext or ...)


@pytest.mark.parametrize("ext", [None, {"a": "b"}])
def test_a_message_has_at_most_the_bytes_of_the_table(
    acme: Tenant, ext: dict[str, str] | None
) -> None:
    most = facts.BOUNDS["messages.message_and_extension"][1]

    over = acme.post("/messages", json=sized(most + 1, ext))
    full = acme.post("/messages", json=sized(most, ext))

    assert over.status_code == 413
    assert over.json["error"] == "Request Entity Too Large"
    assert over.json["error_description"] == "Request Entity Too Large"
    assert over.json["rule"] == "messages.message_and_extension"
    assert full.status_code == 200
    assert len(kept()) == 1


def test_bytes_are_counted_not_characters(acme: Tenant) -> None:
    answer = acme.post(
        "/messages", json=message(msg={"type": "txt", "msg": "名" * 1400})
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("kind", "chat_type", "most"),
    [("users", "chat", 600), ("chatgroups", "groupchat", 3), ("chatrooms", "chatroom", 10)],
)  # fmt: skip
def test_the_flat_form(acme: Tenant, kind: str, chat_type: str, most: int) -> None:
    flat = {"from": "ada", "type": "txt", "body": {"msg": "green", "type": "img"}}
    targets = [str(n) for n in range(most)]

    answer = acme.post(f"/messages/{kind}", json=flat | {"to": targets})
    over = acme.post(f"/messages/{kind}", json=flat | {"to": [*targets, "x"]})

    assert answer.json["path"] == f"/messages/{kind}"
    assert answer.json["uri"] == f"http://localhost/acme/chat/messages/{kind}"
    assert answer.json["data"] == {row.target: str(row.id) for row in kept()}
    assert len(kept()) == most
    assert kept()[0].chat_type == chat_type
    assert orjson.loads(kept()[0].body) == {"msg": "green", "type": "txt"}
    assert over.status_code == 400
    assert over.json["error_description"] == f"to exceeds the limit of {most}"


@pytest.mark.parametrize(
    ("missing", "description"),
    [("to", "to must be provided"), ("type", "type must be provided"), ("body", "body must be provided")],
)  # fmt: skip
def test_the_flat_form_names_what_is_missing(
    acme: Tenant, missing: str, description: str
) -> None:
    flat = {"to": ["a"], "type": "txt", "body": {"msg": "x"}}
    del flat[missing]

    answer = acme.post("/messages/users", json=flat)

    assert answer.json["error_description"] == description


@pytest.mark.parametrize("who", ["nobody", "alice"])
def test_sending_needs_an_app_token(acme: Tenant, who: str) -> None:
    tenant = acme.as_nobody() if who == "nobody" else acme.as_user(who)

    answer = tenant.post("/messages", json=message())

    assert answer.status_code == 401
    assert answer.json["error"] == "unauthorized"
    assert answer.json["exception"] == "ChatSecurityException"
    assert answer.json["error_description"] == "Unable to authenticate (OAuth)"
    assert kept() == []


def test_the_daily_quota_is_all_or_nothing(acme: Tenant, clock: Clock) -> None:
    most = facts.BOUNDS["messages.daily_system_push_messages"][1]
    batch = [f"u{n}" for n in range(500)]
    for _ in range(most // len(batch) - 1):
        clock.forward(1)
        assert acme.post("/messages", json=message(target=batch)).status_code == 200
    clock.forward(1)
    assert acme.post("/messages", json=message(target=batch[:-1])).status_code == 200

    over = acme.post("/messages", json=message(target=["a", "b"]))
    last = acme.post("/messages", json=message(target=["a"]))
    spent = acme.post("/messages", json=message(target=["a"]))

    assert over.status_code == spent.status_code == 429
    assert over.json["error"] == "resource_limited"
    assert over.json["error_description"] == (
        "You have exceeded the limit of the community edition."
        " Please upgrade to the enterprise edition."
    )
    assert over.json["rule"] == "messages.daily_system_push_messages"
    assert int(over.headers["Retry-After"]) <= 86_400
    assert last.status_code == 200
    assert len(kept()) == most
    clock.forward(int(spent.headers["Retry-After"]))
    assert acme.post("/messages", json=message()).status_code == 200


def test_the_quota_binds_the_community_edition_alone(globex: Tenant) -> None:
    batch = [f"u{n}" for n in range(600)]
    for _ in range(30):
        globex.post("/messages", json=message(target=batch))

    assert len(kept()) == 18_000
    assert globex.get("/limits").status_code == 200
