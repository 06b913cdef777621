"""A line for each call: what it tells, what it does not, and where it goes."""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from flask import Flask

from server import access_log, logs, metrics
from server.log_stream import File, Stream
from server.settings import Settings
from tests.conftest import ALICES_PASSWORD, Clock, Tenant
from tests.probes.messages import send


@pytest.fixture
def log(app: Flask, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "access.log"
    access_log.start(Settings(access_log=str(path)))
    yield path
    access_log.stop()


def lines(log: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in log.read_bytes().splitlines()]


def test_a_line_tells_what_came_and_what_became_of_it(
    acme: Tenant, log: Path, clock: Clock
) -> None:
    answer = acme.as_user("alice").get(
        "/metadata/user/alice?limit=1", headers={"X-Request-Id": "a-1"}
    )

    (line,) = lines(log)
    assert answer.headers["X-Request-Id"] == "a-1"
    assert 0 <= line.pop("ms") < 10_000
    assert line.pop("time").startswith("2023-11-14T22:13:20.0")
    assert line == {
        "request_id": "a-1",
        "app": "acme/chat",
        "edition": "community",
        "interface": "users",
        "operation": "GET /metadata/user/{username}",
        "caller": "user:alice",
        "status": 200,
        "remote": "127.0.0.1",
    }


def test_the_time_is_when_it_was_counted_to_the_microsecond(
    acme: Tenant, log: Path, clock: Clock
) -> None:
    acme.get("/users/alice")
    clock.forward(0.000_007)
    acme.get("/users/alice")

    first, second = (line["time"] for line in lines(log))
    assert len(first) == len(second) == len("2026-11-23T06:37:23.123456Z")
    assert int(second[-7:-1]) - int(first[-7:-1]) == 7


def test_a_refusal_names_its_rule_and_a_send_its_recipients(
    acme: Tenant, log: Path
) -> None:
    message = {"target_type": "users", "msg": {"type": "txt", "msg": "x"}}
    acme.post("/messages", json=message | {"target": ["a", "b", "b", "c"]})
    acme.post("/messages", json=message | {"target": ["a"] * 601})
    for _ in range(9):
        send(acme)

    sent, too_many, *_, refused = lines(log)
    assert (sent["quota"], "rule" in sent) == (3, False)
    assert (too_many["status"], too_many["rule"]) == (400, "messages.targets")
    assert (refused["status"], refused["rule"]) == (429, "messages.calls")
    assert "quota" not in refused
    assert "quota" not in too_many


def test_who_has_no_good_token_is_no_caller(acme: Tenant, log: Path) -> None:
    acme.as_nobody().get("/users/alice")
    acme.token = "nonsense"
    acme.get("/users/alice")

    for line in lines(log):
        assert (line["status"], line["app"]) == (401, "acme/chat")
        assert "caller" not in line


def test_pages_and_unknown_apps_and_paths_have_no_app(acme: Tenant, log: Path) -> None:
    client = acme.client
    client.get("/healthz")
    client.get("/nobody/none/users/alice")
    client.get("/no/such/path/at/all")
    client.open("/acme/chat/users/alice", method="BREW")
    acme.get("/limits")

    health, nobody, path, brew, limits = lines(log)
    for line in (health, nobody, path, brew):
        assert not {"app", "edition", "interface", "caller"} & set(line)
    assert health["operation"] == "GET /healthz"
    assert nobody["operation"] == "GET /users/{username}"
    assert path["operation"] == "GET (no route)"
    assert brew["operation"] == "BREW (no route)"
    assert limits["app"] == "acme/chat"
    assert "interface" not in limits


def test_a_signed_address_and_what_signs_in_stay_secret(
    acme: Tenant, log: Path
) -> None:
    acme.client.get("/history/acme/chat/2023111422.gz?Expires=1&Signature=s3cret")
    grant = {"grant_type": "password", "username": "alice", "password": ALICES_PASSWORD}
    acme.post("/token", json=grant)

    written = log.read_text()
    assert "GET /history/{tenant}/{name}/{time}.gz" in written
    for secret in ("s3cret", "2023111422", ALICES_PASSWORD, acme.token):
        assert secret not in written


@pytest.mark.parametrize(
    "sent",
    ["", " ", "a b", "x" * 129, 'a"b', "a\tb", "é", "a\\nb", "<script>", "a,b"],
)
def test_an_id_that_could_do_harm_is_replaced(
    acme: Tenant, log: Path, sent: str
) -> None:
    answer = acme.get("/users/alice", headers={"X-Request-Id": sent})

    ours = answer.headers["X-Request-Id"]
    assert len(ours) == 32
    assert int(ours, 16)
    assert lines(log)[0]["request_id"] == ours


def test_every_answer_has_an_id_of_its_own(acme: Tenant) -> None:
    ids = {
        answer.headers["X-Request-Id"]
        for answer in (
            acme.get("/users/alice"),
            acme.get("/nothing"),
            acme.client.get("/healthz"),
            acme.client.get("/nobody/none/users"),
            acme.client.open("/acme/chat/users", method="BREW"),
            acme.as_nobody().get("/users/alice"),
        )
    }

    assert len(ids) == 6


HOSTILE = 'eve\n{"status":200}\x1b[2J\x85\u2028\u202e"'


def test_nobody_begins_a_line_of_their_own() -> None:
    line = {
        "time": access_log.utc(1), "request_id": "r", "operation": f"GET {HOSTILE}",
        "caller": f"user:{HOSTILE}", "app": "a/b", "status": 200, "ms": 1.0,
    }  # fmt: skip

    as_json, as_text = access_log._json(line), access_log._text(line)

    assert orjson.loads(as_json)["caller"] == f"user:{HOSTILE}"
    assert as_json.count(b"\n") == 1
    assert b"\x1b" not in as_json
    assert as_text.decode().strip().isprintable()
    assert "\\x1b[2J" in as_text.decode()


def test_a_lone_surrogate_costs_no_answer() -> None:
    line = {
        "time": access_log.utc(1), "operation": "GET /", "caller": "user:\ud800",
        "status": 200, "ms": 1.0,
    }  # fmt: skip

    assert b"\\ud800" in access_log._json(line)
    assert b"\\ud800" in access_log._text(line)


def test_off_writes_nothing_and_ids_are_returned_all_the_same(acme: Tenant) -> None:
    access_log.start(Settings(access_log="off"))

    assert not access_log.is_on()
    assert acme.get("/users/alice").headers["X-Request-Id"]


def test_a_file_that_cannot_be_written_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(logs.UnusableLog, match=r"WEIR_ACCESS_LOG: .*No such file"):
        access_log.start(Settings(access_log=str(tmp_path / "nowhere" / "log")))

    assert not access_log.is_on()


def test_a_file_is_readable_by_its_owner_alone(log: Path) -> None:
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_line_that_nobody_takes_is_counted(acme: Tenant, log: Path) -> None:
    before = metrics.totals()[metrics.LOG_LOST]
    handler = logging.getLogger("weir.access").handlers[0]
    os.close(handler.stream.fileno())

    assert acme.get("/users/alice").status_code == 200

    assert metrics.totals()[metrics.LOG_LOST] == before + 1
    handler.stream._fd = -1  # closed already


def test_a_log_that_cannot_be_opened_again_is_no_end_of_the_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "logs"
    place.mkdir()
    file = File(str(place / "log"))
    (place / "log").unlink()
    place.rmdir()

    file.close()
    file.stream = file._open()  # as gunicorn does

    assert not file.write(b"lost\n")
    assert "calls are not logged" in caplog.text
    file.close()


def pipe_that_is_full() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65_536)
    os.set_blocking(writing, True)
    return reading, writing


@pytest.mark.parametrize("way", ["opened anew", "asked first"])
def test_a_pipe_that_nobody_reads_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    reading, writing = pipe_that_is_full()
    if way == "asked first":
        monkeypatch.setattr("server.log_stream._AGAIN_FLAGS", os.O_DIRECTORY)
    stream = Stream(writing)

    assert not stream.write(b"lost\n")
    os.read(reading, 65_536)
    assert stream.write(b"taken\n")

    assert os.read(reading, 100).endswith(b"taken\n")
    assert os.get_blocking(writing)
    os.close(reading)
    assert not stream.write(b"nobody is there\n")
    stream.close()
    os.close(writing)


def test_a_stream_that_was_never_open_takes_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)

    assert not Stream(writing).write(b"lost\n")


def test_a_socket_that_nobody_reads_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    stream = Stream(ours.fileno())

    assert stream.write(b"taken\n")
    assert theirs.recv(100) == b"taken\n"
    while stream.write(b"x" * 999 + b"\n"):
        pass

    stream.close()
    ours.close()
    theirs.close()
