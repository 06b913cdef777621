"""Taking messages back."""

import pytest

from server.store import events, message_recall, messages, users
from server.store.models import Message, Waiting
from tests import databases, facts, plans
from tests.conftest import Clock, Tenant

HELLO = {"type": "txt", "msg": "hello"}
WINDOW = facts.bound("messages.recallable_message")[0][1]
INVALID = "this is an invalid request."


def send(tenant: Tenant, *target: str, kind: str = "users") -> list[str]:
    whole = {"target_type": kind, "target": target, "msg": HELLO}
    answer = tenant.post("/messages?useMsgId=true", json=whole)
    assert answer.status_code == 200
    return list(answer.json["data"].values())


def withdrawal(number: str, **changes: object) -> dict[str, object]:
    whole = {"msg_id": number, "to": "alice", "chat_type": "chat"} | changes
    return {key: value for key, value in whole.items() if value is not ...}


def recall(tenant: Tenant, number: str, **changes: object):
    return tenant.post("/messages/msg_recall", json=withdrawal(number, **changes))


def reason(tenant: Tenant, number: str, **changes: object) -> str:
    answer = recall(tenant, number, **changes)
    assert answer.status_code == 200, answer.text
    ((told,), data) = answer.json["msgs"], answer.json["data"]
    assert data == {"msgs": [told]}
    assert told.keys() == {"msg_id", "recalled"}
    assert told["msg_id"] == number
    return told["recalled"]


def waiting(tenant: Tenant, name: str = "alice") -> int:
    return tenant.get(f"/users/{name}/offline_msg_count").json["data"][name]


def answered(tenant: Tenant, answer, path: str, **more: object) -> dict[str, object]:
    return {
        "action": "post",
        "application": tenant.row.uuid,
        "path": path,
        "uri": f"http://localhost/{tenant.key}{path}",
        "entities": [],
        "timestamp": 1_700_000_000_000,
        "duration": answer.json["duration"],
        "organization": "acme",
        "applicationName": "chat",
    } | more


def test_recalling_answers_as_the_reference_does(acme: Tenant) -> None:
    (number,) = send(acme, "alice")

    answer = recall(acme, number, to="Alice", force=False, **{"from": "linus"})

    assert answer.status_code == 200
    assert answer.json == answered(
        acme,
        answer,
        "/messages/msg_recall",
        data={
            "msg_id": number,
            "recalled": "yes",
            "chattype": "chat",
            "from": "linus",
            "to": "Alice",
        },
    )


def test_recalling_several_answers_for_each(acme: Tenant) -> None:
    one, two = send(acme, "alice", "bob")
    told = [
        {
            "msg_id": one,
            "recalled": "yes",
            "chattype": "chat",
            "from": "admin",
            "to": "alice",
        },
        {"msg_id": two, "recalled": "can't find msg to"},
        {"msg_id": one, "recalled": "not_found msg"},
    ]

    answer = acme.post(
        "/messages/recall",
        json={"msgs": [withdrawal(one), withdrawal(two), withdrawal(one)]},
    )

    assert answer.status_code == 200
    assert answer.json == answered(
        acme, answer, "/messages/recall", data={"msgs": told}, msgs=told
    )


def test_a_recalled_message_is_out_of_queue_and_history(acme: Tenant) -> None:
    one, two = send(acme, "alice", "bob")

    recall(acme, one)

    assert (waiting(acme), waiting(acme, "bob")) == (0, 1)
    status = acme.get(f"/users/alice/offline_msg_status/{one}").json["data"]
    assert status == {one: "delivered"}
    assert [str(each.id) for each in Message.select()] == [two]
    assert Waiting.select().count() == 1


@pytest.mark.parametrize(
    ("kind", "chat_type"), [("chatgroups", "groupchat"), ("chatrooms", "chatroom")]
)
def test_messages_of_groups_and_rooms(acme: Tenant, kind: str, chat_type: str) -> None:
    (number,) = send(acme, "70", kind=kind)

    as_chat = reason(acme, number, to="70")
    other = reason(acme, number, to="71", chat_type=chat_type)
    answer = recall(acme, number, to="70", chat_type=chat_type)

    assert (as_chat, other) == ("not_found msg", "can't find msg to")
    assert answer.json["data"]["recalled"] == "yes"
    assert answer.json["data"]["chattype"] == chat_type


def test_a_message_is_recallable_as_long_as_the_table_says(
    acme: Tenant, clock: Clock
) -> None:
    one, two, three = [send(acme, "alice")[0] for _ in range(3)]
    clock.forward(WINDOW - 1)
    in_time = recall(acme, one)
    clock.forward(1)

    assert in_time.json["data"]["recalled"] == "yes"
    assert reason(acme, two) == "exceed recall time limit"
    assert reason(acme, two, force="false") == "exceed recall time limit"
    assert recall(acme, three, force=True).json["data"]["recalled"] == "yes"
    assert [str(each.id) for each in Message.select()] == [two]


def test_a_time_of_the_senders_own_does_not_make_a_message_old(acme: Tenant) -> None:
    whole = {"target_type": "users", "target": ["alice"], "msg": HELLO}
    sent = acme.post("/messages?useMsgId=true", json=whole | {"msg_timestamp": 1})

    answer = recall(acme, sent.json["data"]["alice"])

    assert answer.json["data"]["recalled"] == "yes"


@pytest.mark.parametrize("number", ["0", "17", "x", "", "-1", "9" * 19, "9" * 30, "٣"])
@pytest.mark.parametrize("force", [True, False])
def test_what_nobody_knows_is_not_found(acme: Tenant, number: str, force: bool) -> None:
    send(acme, "alice")

    assert reason(acme, number, force=force) == "not_found msg"
    assert Message.select().count() == 1


def test_another_apps_message_is_not_found(acme: Tenant, globex: Tenant) -> None:
    (number,) = send(acme, "alice")

    assert reason(globex, number, force=True) == "not_found msg"
    assert recall(acme, number).json["data"]["recalled"] == "yes"


def test_an_id_is_not_given_again_after_a_recall(acme: Tenant, clock: Clock) -> None:
    first, second, last = send(acme, "alice", "bob", "carol")
    recall(acme, last, to="carol")
    recall(acme, first)
    clock.forward(-5)

    (number,) = send(acme, "alice")
    recall(acme, number)
    (after,) = send(acme, "alice")

    ids = [int(each) for each in (first, second, last, number, after)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"msg_id": ...}, "msg_id must be provided"),
        ({"msg_id": None}, "msg_id must be provided"),
        ({"msg_id": 17}, INVALID),
        ({"to": ...}, "to must be provided"),
        ({"to": ["alice"]}, INVALID),
        ({"chat_type": ...}, "chat_type must be provided"),
        ({"chat_type": "users"}, INVALID),
        ({"from": ""}, "from can't be empty"),
        ({"from": 1}, INVALID),
        ({"force": "maybe"}, INVALID),
    ],
)
def test_a_withdrawal_that_is_none(
    acme: Tenant, changes: dict[str, object], description: str
) -> None:
    (number,) = send(acme, "alice")
    wrong = withdrawal(number, **changes)

    answers = [
        acme.post("/messages/msg_recall", json=wrong),
        acme.post("/messages/recall", json={"msgs": [withdrawal(number), wrong]}),
    ]

    for each in answers:
        assert each.status_code == 400
        assert each.json["error"] == "illegal_argument"
        assert each.json["error_description"] == description
    assert Message.select().count() == 1


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({}, "msgs must be provided"),
        ({"msgs": None}, "msgs must be provided"),
        ({"msgs": []}, "msgs must be provided"),
        ({"msgs": ["x"]}, INVALID),
        ({"msgs": [None]}, INVALID),
        ({"msgs": {"msg_id": "1"}}, INVALID),
        ([], INVALID),
    ],
)
def test_withdrawals_that_are_none(
    acme: Tenant, body: object, description: str
) -> None:
    answer = acme.post("/messages/recall", json=body)

    assert answer.status_code == 400
    assert answer.json["error_description"] == description


@pytest.mark.parametrize("path", ["/messages/msg_recall", "/messages/recall"])
@pytest.mark.parametrize("who", ["alice", None])
def test_recalling_needs_an_app_token(acme: Tenant, who: str | None, path: str) -> None:
    denied = acme.as_user(who) if who else acme.as_nobody()

    answer = denied.post(path, json={})

    assert answer.status_code == 401
    assert answer.json["error_description"] == "Unable to authenticate (OAuth)"


def test_a_deleted_users_message_can_be_recalled(acme: Tenant) -> None:
    (number,) = send(acme, "alice")
    users.delete(acme.id, "alice")

    assert recall(acme, number).json["data"]["recalled"] == "yes"


@pytest.mark.parametrize(
    "statement",
    [
        message_recall._FIND, message_recall._REMOVE, events._FORGET_LESSER,
        pytest.param(messages._INSERT, marks=databases.only_sqlite),
    ],
)  # fmt: skip
def test_a_message_is_found_by_its_id(acme: Tenant, statement) -> None:
    plans.assert_by_index(statement)
