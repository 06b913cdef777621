"""An hour's messages as a file: every one of them once, for whoever has its address."""

import gzip
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import orjson
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from server.app import create_app
from server.settings import Settings
from server.store import apps, database, history, tokens
from server.store.database import Statement
from server.store.models import Message
from tests import databases, facts, plans
from tests.conftest import Clock, Tenant, make_tenant
from tests.probes.messages import send
from tests.server.api.test_files import kept, on_disk

KEPT_SECONDS = facts.BOUNDS["history.history_file"][1]
SIGNED_SECONDS = facts.BOUNDS["history.signed_address"][1]
# The clock of the tests: 2023-11-15 06:13:20 where clocks are eight hours ahead.
NOW_MS = 1_700_000_000_000
HOUR = "2023111505"
BEGINS_MS = 1_699_995_600_000
ENDS_MS = BEGINS_MS + 3_600_000


@pytest.fixture
def ask(acme: Tenant, clock: Clock) -> Iterator[object]:
    """Ask for an hour, a minute after the last time."""

    def asking(hour: str = HOUR) -> TestResponse:
        clock.forward(60)
        return acme.get(f"/chatmessages/{hour}")

    return asking


def keep(app_id: int, count: int, began: int = BEGINS_MS, **fields: object) -> None:
    """As many messages as if they had been sent, a millisecond apart."""
    (last,) = Statement("SELECT coalesce(max(id), 0) FROM message").one()
    rows = [
        {
            "id": last + 1 + n, "app": app_id, "chat_type": "chat", "sender": "linus",
            "target": "ada", "timestamp": began + n, "body": '{"msg":"x","type":"txt"}',
        } | fields
        for n in range(count)
    ]  # fmt: skip
    with database.database.atomic():
        for at in range(0, count, 500):
            Message.insert_many(rows[at : at + 500]).execute()


def url_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    (only,) = answer.json["data"]
    assert set(only) == {"url"}
    return only["url"]


def fetch(acme: Tenant, url: str) -> TestResponse:
    parts = urlsplit(url)
    return acme.client.get(f"{parts.path}?{parts.query}", buffered=True)


def records(acme: Tenant, answer: TestResponse) -> list[dict[str, object]]:
    got = fetch(acme, url_of(answer))
    assert got.status_code == 200, got.text
    lines = gzip.decompress(got.data)
    assert lines.endswith(b"\n")
    return [orjson.loads(line) for line in lines.splitlines()]


def test_the_answer_is_as_in_the_reference(acme: Tenant, ask, clock: Clock) -> None:
    keep(acme.id, 1)

    body = ask().json

    url = urlsplit(body.pop("data")[0]["url"])
    assert body == {
        "action": "get",
        "application": acme.row.uuid,
        "uri": f"http://localhost/acme/chat/chatmessages/{HOUR}",
        "timestamp": NOW_MS + 60_000,
        "duration": body["duration"],
        "organization": "acme",
        "applicationName": "chat",
    }
    assert (url.scheme, url.netloc) == ("http", "localhost")
    assert url.path == f"/history/acme/chat/{HOUR}.gz"
    query = parse_qs(url.query, strict_parsing=True)
    assert set(query) == {"Expires", "Signature"}
    assert query["Expires"] == [str(NOW_MS // 1000 + 60 + SIGNED_SECONDS)]


def test_the_file_is_gzip_and_is_not_unpacked_on_the_way(acme: Tenant, ask) -> None:
    keep(acme.id, 1)

    answer = fetch(acme, url_of(ask()))

    assert answer.content_type == "application/gzip"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert "RateLimit" not in answer.headers


def test_a_record_is_as_in_the_reference(acme: Tenant, ask) -> None:
    sent = send(
        acme, **{"from": "Linus"}, target=["ada"], msg={"type": "txt", "msg": "lunch at noon?"},
        ext={"mood": "hungry"}, msg_timestamp=BEGINS_MS + 117,
    )  # fmt: skip
    assert sent.status_code == 200

    (record,) = records(acme, ask())

    assert record == {
        "msg_id": str(Message.get().id),
        "timestamp": BEGINS_MS + 117,
        "direction": "outgoing",
        "from": "linus",
        "to": "ada",
        "chat_type": "chat",
        "payload": {
            "bodies": [{"msg": "lunch at noon?", "type": "txt"}],
            "ext": {"mood": "hungry"},
            "from": "linus",
            "to": "ada",
        },
    }


def test_ext_is_empty_where_none_was_sent(acme: Tenant, ask) -> None:
    keep(acme.id, 1)

    assert records(acme, ask())[0]["payload"]["ext"] == {}


def bodies(acme: Tenant, ask, *told: dict[str, object]) -> list[dict[str, object]]:
    for n, body in enumerate(told):
        keep(acme.id, 1, BEGINS_MS + n, body=orjson.dumps(body).decode())
    return [each["payload"]["bodies"][0] for each in records(acme, ask())]


def test_file_length_comes_from_the_upload_that_the_url_names(
    acme: Tenant, globex: Tenant, ask
) -> None:
    ours, foreign = kept(acme, b"x" * 42)["uuid"], kept(globex, b"x" * 17)["uuid"]
    here = "https://chat.example/acme/chat/chatfiles/"

    def image(url: str, **more: object) -> dict[str, object]:
        return {"type": "img", "url": url, "filename": "a.png"} | more

    told = [
        image(here + ours, secret="s", size={"width": 8, "height": 6}),
        {"type": "audio", "url": here + ours, "filename": "a", "length": 6},
        {"type": "video", "url": here + ours, "length": 6, "file_length": 1},
        {"type": "file", "url": here + ours, "filename": "a"},
    ]
    as_sent = [
        image(here + foreign),
        image("https://chat.example/globex/chat/chatfiles/" + foreign),
        image("https://elsewhere.example/" + ours, file_length=5),
        image("", file_length=5),
        {"type": "txt", "msg": here + ours},
    ]

    found = bodies(acme, ask, *told, *as_sent)

    assert found == [each | {"file_length": 42} for each in told] + as_sent


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("59.32", 59.32), ("-18", -18), (" 7.5 ", 7.5), ("+1e1", 10), (59.32, 59.32), (18, 18),
        ("north", "north"), ("", ""), ("nan", "nan"), ("1e999", "1e999"), ("1_0", "1_0"), ("١", "١"),
    ],
)  # fmt: skip
def test_degrees_are_numbers_where_they_are_any(
    acme: Tenant, ask, said: object, told: object
) -> None:
    (found,) = bodies(
        acme, ask, {"type": "loc", "addr": "Pier 4", "lat": said, "lng": "18.07"}
    )

    assert found == {"type": "loc", "addr": "Pier 4", "lat": told, "lng": 18.07}


def test_other_bodies_are_told_as_they_are_kept(acme: Tenant, ask) -> None:
    told = [
        {"type": "cmd", "action": "refresh", "param": {"a": 1}},
        {"type": "custom", "customEvent": "award", "customExts": {"item": "medal"}},
        {"type": "txt", "msg": "ü\u2028\n", "more": [None]},
    ]

    assert bodies(acme, ask, *told) == told


def test_every_message_of_the_hour_is_there_once_and_no_other(
    acme: Tenant, globex: Tenant, ask
) -> None:
    """More than a batch at one moment; the moments around the hour's edges."""
    keep(acme.id, 1, BEGINS_MS - 1)
    keep(acme.id, 2_500)
    keep(acme.id, 1, ENDS_MS - 1, chat_type="groupchat", target="17")
    keep(acme.id, 1, ENDS_MS)
    keep(globex.id, 5)
    Message.update(timestamp=BEGINS_MS).where(
        Message.timestamp.between(BEGINS_MS, BEGINS_MS + 2_200)
    ).execute()
    expected = [
        str(row.id)
        for row in Message.select()
        .where(Message.app == acme.id, Message.timestamp >= BEGINS_MS, Message.timestamp < ENDS_MS)
        .order_by(Message.timestamp, Message.id)
    ]  # fmt: skip

    found = records(acme, ask())

    assert len(expected) == 2_501
    assert [each["msg_id"] for each in found] == expected
    assert found[0]["timestamp"] == BEGINS_MS
    assert found[-1]["chat_type"] == "groupchat"


def test_a_message_of_the_hour_that_comes_later_is_in_the_next_file(
    acme: Tenant, ask
) -> None:
    keep(acme.id, 1)
    first = records(acme, ask())

    assert send(acme, msg_timestamp=BEGINS_MS).status_code == 200

    again = records(acme, ask())
    assert len(first) == 1
    assert len(again) == 2
    assert first[0] in again


def test_a_message_that_was_recalled_is_not_in_the_next_file(acme: Tenant, ask) -> None:
    keep(acme.id, 3)
    gone, *_ = records(acme, ask())

    recalled = acme.post(
        "/messages/msg_recall",
        json={
            "msg_id": gone["msg_id"],
            "to": "ada",
            "chat_type": "chat",
            "force": True,
        },
    )

    assert recalled.json["data"]["recalled"] == "yes"
    left = records(acme, ask())
    assert len(left) == 2
    assert gone not in left


def test_a_file_is_made_once(
    acme: Tenant, ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    lines = history._lines
    monkeypatch.setattr(history, "_lines", lambda *of: made.append(of) or lines(*of))
    keep(acme.id, 1)

    for _ in range(3):
        ask()
    hour = history.hour(HOUR)
    threads = [
        threading.Thread(target=history.make, args=(acme.row, hour)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_threads_that_ask_together_make_one_file(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, entered = [], threading.Event()
    lines = history._lines

    def slow(*of: object) -> Iterator[bytes]:
        made.append(of)
        entered.wait(0.2)
        return lines(*of)

    monkeypatch.setattr(history, "_lines", slow)
    keep(acme.id, 3)

    def make() -> None:
        history.make(acme.row, history.hour(HOUR))
        database.disconnect()

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_nothing_is_left_of_a_file_that_could_not_be_made(
    acme: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(acme.id, 3)
    monkeypatch.setattr(history.history_records, "line", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        history.make(acme.row, history.hour(HOUR))

    assert on_disk(settings) == []


UNSUPPORTED = "This chatmessage request is not supported"


@pytest.mark.parametrize(
    "time",
    ["2023111524", "2023131500", "2023023000", "0000010100", "202311150", "20231115051",
     "20231115xx", "２０２３１１１５０５", "-023111505", "2023111505.gz", "%00"],
)  # fmt: skip
def test_what_is_no_hour(acme: Tenant, time: str) -> None:
    answer = acme.get(f"/chatmessages/{time}")

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["exception"] == "java.lang.IllegalArgumentException"
    assert answer.json["error_description"] == UNSUPPORTED


def test_the_retired_query_is_refused(acme: Tenant, clock: Clock) -> None:
    for query in ("", "?ql=select+*+where+timestamp>1&limit=5&cursor=x"):
        clock.forward(60)
        answer = acme.get(f"/chatmessages{query}")

        assert answer.status_code == 400
        assert answer.json["error"] == "illegal_argument"
        assert answer.json["error_description"] == UNSUPPORTED


def unstored(time: str) -> str:
    return (
        f"illegal arguments: appkey: acme#chat, time: {time},"
        " maybe chat message history is expired or unstored"
    )


@pytest.mark.parametrize(
    "time", ["2023111506", "2023111507", "9999123123", "2023111205", "0001010100"]
)
def test_an_hour_that_is_not_over_or_long_gone(acme: Tenant, time: str) -> None:
    keep(acme.id, 1, NOW_MS)

    answer = acme.get(f"/chatmessages/{time}")

    assert answer.status_code == 400
    assert answer.json["error"] == "illegal_argument"
    assert answer.json["error_description"] == unstored(time)


def test_an_hour_is_to_be_had_shortly_after_its_end(acme: Tenant, clock: Clock) -> None:
    """Sends that began in it may still be on their way to disk for some seconds."""
    keep(acme.id, 1, ENDS_MS)
    to_the_end = (ENDS_MS + 3_600_000 - NOW_MS) / 1000

    clock.forward(to_the_end + 9.999)
    assert acme.get("/chatmessages/2023111506").status_code == 400
    clock.forward(60)
    assert acme.get("/chatmessages/2023111506").status_code == 200


def test_an_hour_is_gone_when_its_time_is_over(acme: Tenant, clock: Clock) -> None:
    keep(acme.id, 1)
    clock.forward((ENDS_MS - NOW_MS) / 1000 + KEPT_SECONDS)
    url = url_of(acme.get(f"/chatmessages/{HOUR}"))
    assert fetch(acme, url).status_code == 200

    clock.forward(60)

    answer = acme.get(f"/chatmessages/{HOUR}")
    assert answer.json["error_description"] == unstored(HOUR)
    assert fetch(acme, url).status_code == 404


def test_an_hour_without_messages(acme: Tenant, globex: Tenant) -> None:
    keep(globex.id, 1)

    answer = acme.get(f"/chatmessages/{HOUR}")

    assert answer.status_code == 404
    assert answer.json["error"] == "storage_object_not_found"
    assert answer.json["error_description"] == (
        "Failed to find chat message history download url for appkey: acme#chat,"
        f" time: {HOUR}"
    )


def test_who_may(acme: Tenant, globex: Tenant) -> None:
    over = tokens.issue(acme.id, None, 1, acme.row.token_key)
    for stranger in (
        acme.as_nobody(),
        acme.as_user("alice"),
        Tenant(acme.client, acme.key, acme.credentials, globex.token),
        Tenant(acme.client, acme.key, acme.credentials, "rubbish"),
        Tenant(acme.client, acme.key, acme.credentials, acme.token[:-2] + "xx"),
        Tenant(acme.client, acme.key, acme.credentials, over),
    ):
        answer = stranger.get(f"/chatmessages/{HOUR}")
        assert answer.status_code == 401
        body = answer.json
        assert set(body) == {"error", "exception", "timestamp", "duration"}
        assert body["error"] == "unauthorized"
        assert body["exception"] == "org.apache.shiro.authz.UnauthorizedException"


def test_what_counts_against_the_minute(acme: Tenant, clock: Clock) -> None:
    assert acme.as_nobody().get(f"/chatmessages/{HOUR}").status_code == 401
    assert acme.get(f"/chatmessages/{HOUR}").status_code == 404

    refused = acme.get(f"/chatmessages/{HOUR}")
    assert refused.status_code == 429
    assert refused.json["error"] == "reach_limit"
    clock.forward(60)
    assert acme.get("/chatmessages/x").status_code == 400
    assert acme.get(f"/chatmessages/{HOUR}").status_code == 429


def test_an_address_is_good_for_its_time_and_nothing_else(
    acme: Tenant, globex: Tenant, ask, clock: Clock
) -> None:
    keep(acme.id, 1)
    keep(acme.id, 1, BEGINS_MS - 1)
    keep(globex.id, 1)
    assert globex.get(f"/chatmessages/{HOUR}").status_code == 200
    assert ask("2023111504").status_code == 200
    url = url_of(ask())
    expires = parse_qs(urlsplit(url).query)["Expires"][0]

    for altered in (
        url.replace(HOUR, "2023111504"),
        url.replace("acme", "globex"),
        url.replace(f"Expires={expires}", f"Expires={int(expires) + 1}"),
        url.replace(f"Expires={expires}", f"Expires=0{expires}"),
        url.replace("Expires=", "x="),
        url.replace("Signature=", "x="),
        url[:-1] + ("A" if url[-1] not in "ABCD" else "Z"),
        url.partition("?")[0],
        url.partition("?")[0] + "?Expires=x&Signature=%ff%C3%A9",
    ):
        refused = fetch(acme, altered)
        assert refused.status_code == 403, altered
        assert refused.json["error"] == "forbidden_op"
        assert refused.json["error_description"]
    clock.forward(SIGNED_SECONDS)
    assert fetch(acme, url).status_code == 200
    clock.forward(1)
    assert fetch(acme, url).status_code == 403


def test_the_address_is_the_public_one(
    settings: Settings, tmp_path: Path, clock: Clock
) -> None:
    public = Settings(
        state_dir=tmp_path / "public", database_url=databases.url_for(tmp_path / "public"),
        counters_url="memory://", synchronous="NORMAL",
        public_url="https://files.example/weir",
    )  # fmt: skip
    acme = make_tenant(create_app(public), "acme/chat", "community")
    keep(acme.id, 1)

    url = url_of(acme.get(f"/chatmessages/{HOUR}"))
    database.disconnect()

    assert url.startswith(f"https://files.example/weir/history/acme/chat/{HOUR}.gz?")


def test_no_org_is_called_as_the_files_path(app: Flask) -> None:
    with pytest.raises(apps.UnusableName):
        apps.create("history", "chat", "community")


@pytest.mark.parametrize(
    ("zone", "text", "begins", "minutes"),
    [
        (timezone(timedelta(hours=8)), "1970010108", 0, 60),
        (timezone(timedelta(hours=-3, minutes=-30)), "1970010100", 12_600_000, 60),
        (ZoneInfo("Europe/Berlin"), "2023102902", 1_698_537_600_000, 120),
        (ZoneInfo("Europe/Berlin"), "2023032601", 1_679_788_800_000, 60),
        (ZoneInfo("Europe/Berlin"), "2023032603", 1_679_792_400_000, 60),
    ],
)  # fmt: skip
def test_hours_of_a_zone_leave_no_moment_out(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    zone: object,
    text: str,
    begins: int,
    minutes: int,
) -> None:
    """An hour that clocks repeat is one file of two."""
    monkeypatch.setattr(history, "_time_zone", zone)

    assert history.hour(text) == history.Hour(begins, begins + minutes * 60_000)


def test_an_hour_that_clocks_leave_out_is_none(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_time_zone", ZoneInfo("Europe/Berlin"))

    assert history.hour("2023032602") is None


def test_what_reads_the_messages_uses_their_index(acme: Tenant) -> None:
    for statement in (history._WHICH, history._NEXT):
        plans.assert_by_index(statement, in_order=True)
        assert "message_app_id_timestamp_id" in "".join(plans.steps_of(statement))


def test_the_clock_of_these_tests_is_as_they_say(acme: Tenant) -> None:
    zone = timezone(timedelta(hours=8))
    assert datetime.fromtimestamp(BEGINS_MS / 1000, zone).strftime("%Y%m%d%H") == HOUR
