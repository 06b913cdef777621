"""What a device is told, in which order, and when it is told no more."""

import time
import uuid

import pytest

from tests.server.streaming.sse import Chat, Client, Refused


@pytest.fixture
def user(chat: Chat) -> str:
    """Somebody to whom nothing has happened yet."""
    return someone(chat)


def someone(chat: Chat) -> str:
    name = f"u{uuid.uuid4().hex[:12]}"
    chat.add(name)
    return name


def test_what_waited_comes_first_and_then_what_comes(chat: Chat, user: str) -> None:
    first = chat.send("one", user)
    chat.send("two", user)

    with chat.listen(user) as device:
        device.wait_for(2)
        chat.send("three", user)

        assert device.texts(3) == ["one", "two", "three"]
        assert device.told[0].event == "message"
        assert device.told[0].id == device.told[0].data["msg_id"] == first
        assert device.told[0].data["to"] == user
        assert device.told[0].data["chat_type"] == "chat"
        assert "content-type: text/event-stream; charset=utf-8" in device.head.lower()
        assert device.retry == [2000]


def test_what_was_not_acknowledged_comes_again(chat: Chat, user: str) -> None:
    ids = [chat.send(text, user) for text in ("one", "two", "three")]
    with chat.listen(user) as device:
        device.wait_for(3)

    assert chat.ack(user, ids[1]) == 2
    with chat.listen(user) as again:
        assert again.texts(1) == ["three"]
    assert chat.ack(user, ids[2]) == 1
    assert chat.ack(user, ids[2]) == 0
    assert chat.waiting(user) == 0


def test_a_stream_resumes_exactly_after_an_id(chat: Chat, user: str) -> None:
    ids = [chat.send(text, user) for text in ("one", "two", "three")]

    with chat.listen(user, after=ids[0]) as device:
        assert device.texts(2) == ["two", "three"]
    chat.ack(user, ids[2])
    with chat.listen(user, after=ids[0]) as device:
        assert device.texts(2) == ["two", "three"]
    with chat.listen(user, after=f"92{0:017}") as device:
        chat.send("four", user)
        assert device.texts(1) == ["four"]


def test_each_device_gets_everything(chat: Chat, user: str) -> None:
    with chat.listen(user, "ios_1") as one, chat.listen(user, "web_2") as two:
        for n in range(20):
            number = chat.send(str(n), user)
            one.wait_for(n + 1)
            chat.ack(user, number)

        assert two.texts(20) == one.texts(20) == [str(n) for n in range(20)]
        listed = chat.call("GET", f"/users/{user}/resources")["data"]
        assert [each["res"] for each in listed] == ["ios_1", "web_2"]


def test_online_is_who_receives(chat: Chat, user: str) -> None:
    before = chat.status(user)
    number = chat.send("one", user)

    with chat.listen(user) as device:
        device.wait_for(1)
        during = chat.status(user), chat.waiting(user)
    ends = time.monotonic() + 10
    while chat.status(user) == "online":  # until the server has seen that it is closed
        assert time.monotonic() < ends

    assert (before, during) == ("offline", ("online", 0))
    assert chat.waiting(user) == 1
    chat.ack(user, number)
    assert chat.waiting(user) == 0


def test_what_is_for_those_online_passes(chat: Chat, user: str) -> None:
    chat.send("missed", user, routetype="ROUTE_ONLINE")

    with chat.listen(user) as device:
        chat.send("caught", user, routetype="ROUTE_ONLINE")
        assert device.texts(1) == ["caught"]
    with chat.listen(user) as again:
        chat.send("queued", user)
        assert again.texts(1) == ["queued"]


def test_the_senders_own_devices_are_told_if_asked(chat: Chat, user: str) -> None:
    with chat.listen(user) as device:
        chat.send("unseen", "bob", **{"from": user})
        chat.send("seen", "bob", **{"from": user}, sync_device=True)

        assert device.texts(1) == ["seen"]
        assert device.told[0].data["from"] == user


def make_group(chat: Chat, owner: str, *members: str) -> str:
    body = {
        "groupname": "g", "desc": "d", "public": True, "maxusers": 50,
        "owner": owner, "members": members,
    }  # fmt: skip
    return str(chat.call("POST", "/chatgroups", body)["data"]["groupid"])


def make_room(chat: Chat, owner: str, *members: str) -> str:
    body = {
        "name": "r", "description": "d", "maxusers": 50,
        "owner": owner, "members": members,
    }  # fmt: skip
    return str(chat.call("POST", "/chatrooms", body)["data"]["id"])


def test_a_group_is_told_of_messages_and_of_itself(chat: Chat, user: str) -> None:
    other = someone(chat)
    with chat.listen(user) as device:
        group = make_group(chat, "bob", user)
        chat.send("hello", group, kind="chatgroups")
        chat.call("POST", f"/chatgroups/{group}/users/{other}")
        chat.call("PUT", f"/chatgroups/{group}", {"groupname": "new"})
        chat.call("DELETE", f"/chatgroups/{group}/users/{other}")
        chat.call("DELETE", f"/chatgroups/{group}")

        told = device.wait_for(6)
        changes = [each.data.get("change") for each in told]
        assert changes == ["joined", None, "joined", "changed", "left", "destroyed"]
        assert {each.event for each in told} == {"group", "message"}
        assert told[1].text == "hello"
        assert told[2].data == {"id": group, "change": "joined", "users": [other]}


def test_a_room_is_for_those_who_are_there(chat: Chat, user: str) -> None:
    stranger = someone(chat)
    room = make_room(chat, "bob", user)
    chat.send("missed", room, kind="chatrooms")

    with chat.listen(user) as device, chat.listen(stranger) as outside:
        chat.send("caught", room, kind="chatrooms")
        chat.send("own", room, kind="chatrooms", **{"from": user})
        last = chat.send("again", room, kind="chatrooms")
        chat.send("end", stranger)
        told = device.wait_for(2)

        assert [each.text for each in told] == ["caught", "again"]
        assert told[0].data["chat_type"] == "chatroom"
        assert outside.texts(1) == ["end"]
    with chat.listen(user, after=told[0].id or "") as resumed:
        assert resumed.wait_for(1)[0].id == last
    with chat.listen(user) as fresh:
        chat.send("queued", user)
        assert fresh.texts(1) == ["queued"]


def test_a_recall_waits_for_whoever_may_have_received(chat: Chat, user: str) -> None:
    number = chat.send("oops", user)
    with chat.listen(user) as device:
        device.wait_for(1)
        chat.call(
            "POST", "/messages/msg_recall",
            {"msg_id": number, "to": user, "chat_type": "chat"},
        )  # fmt: skip
        told = device.wait_for(2)[1]

    assert (told.event, told.data["msg_id"]) == ("recall", number)
    with chat.listen(user) as again:
        assert again.wait_for(1)[0] == told
    chat.ack(user, told.id or "")
    with chat.listen(user) as last:
        chat.send("fine", user)
        assert last.texts(1) == ["fine"]


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("GET", "disconnect", None, "disconnected"),
        ("DELETE", "disconnect/ios_1", None, "disconnected"),
        ("POST", "deactivate", None, "user_deactivated"),
        ("PUT", "password", {"newpassword": "y"}, "password_changed"),
        ("DELETE", "", None, "user_deleted"),
    ],
)
def test_a_stream_that_may_not_go_on_is_told_why(
    chat: Chat, user: str, method: str, path: str, body: object, reason: str
) -> None:
    bystander = someone(chat)
    with chat.listen(user, "ios_1") as device, chat.listen(bystander) as other:
        chat.call(method, f"/users/{user}/{path}".rstrip("/"), body)
        called = time.monotonic()
        told = device.until_over()
        took = time.monotonic() - called
        chat.send("still", bystander)

        assert [(each.event, each.data) for each in told] == [
            ("kicked", {"reason": reason})
        ]
        assert took < 5  # a heartbeat, which would find it too, comes after 15
        assert other.texts(1) == ["still"]


def test_one_of_two_devices_is_put_out(chat: Chat, user: str) -> None:
    with chat.listen(user, "ios_1") as one, chat.listen(user, "web_2") as two:
        chat.call("DELETE", f"/users/{user}/disconnect/ios_1")
        one.until_over()
        chat.send("still", user)

        assert two.texts(1) == ["still"]
        assert chat.status(user) == "online"


def test_a_device_that_connects_anew_has_one_stream(chat: Chat, user: str) -> None:
    with chat.listen(user, "ios_1") as old, chat.listen(user, "ios_1") as new:
        assert old.until_over()[-1].data == {"reason": "replaced"}
        chat.send("here", user)
        assert new.texts(1) == ["here"]


def test_a_ticket_opens_the_stream_without_a_header(chat: Chat, user: str) -> None:
    answer = chat.call(
        "POST", f"/users/{user}/stream/ticket", None, chat.user_token(user)
    )
    port = chat.server.port
    path = f"/{chat.key}/users/{user}/stream?ticket={answer['data']['ticket']}"
    first = chat.send("one", user)
    chat.send("two", user)

    with Client(port, path) as device:
        assert device.texts(2) == ["one", "two"]
    with Client(port, f"{path}&last_event_id={first}") as device:
        assert device.texts(1) == ["two"]
    with pytest.raises(Refused) as refused:
        Client(port, path.replace(user, "bob"))
    assert refused.value.status == 401


def test_nobody_reads_what_is_anothers(chat: Chat, user: str) -> None:
    for token in (chat.user_token("bob"), chat.token, "wt1.usr.x"):
        with pytest.raises(Refused) as refused:
            chat.listen(user, token=token)
        assert refused.value.status == 401
        assert refused.value.body["error_description"]


def test_a_long_queue_comes_in_order(chat: Chat, user: str) -> None:
    """More than one look reads at once."""
    for n in range(250):
        chat.send(str(n), user)
    with chat.listen(user) as device:
        assert device.texts(250) == [str(n) for n in range(250)]
