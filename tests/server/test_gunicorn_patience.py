"""Callers who keep a connection and do not get on: they keep nobody else waiting."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest
from gunicorn.http.unreader import SocketUnreader

from server.gunicorn_patience import (
    MOST_HEAD_BYTES,
    PIECE_BYTES,
    SMALL_BODY_BYTES,
    is_whole,
)
from tests.server.gunicorn import ROOT, Gunicorn, flask, parse, read_all, serving

THREADS = 4
"""Of the one worker: three may wait for slow callers."""
HEAD = b"POST /acme/chat/messages HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (HEAD + b"Content-Length: 3\r\n\r\n", False),
        (HEAD + b"content-LENGTH:3\r\n\r\n{}", False),
        (HEAD + b"Content-Length: 3 \r\n\r\n{ }", True),
        (HEAD + b"X-Content-Length: 3\r\n\r\n", True),
        (HEAD + b"Content-Length: %d\r\n\r\n" % SMALL_BODY_BYTES, False),
        # For a thread at once: what is long, framed otherwise, asked for, or wrong.
        (HEAD + b"Content-Length: %d\r\n\r\n" % (SMALL_BODY_BYTES + 1), True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", True),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", True),
        (HEAD + b"Content-Length: three\r\n\r\n", True),
        (b"x" * (MOST_HEAD_BYTES + 1), True),
    ],
)
def test_a_thread_begins_when_all_has_come(content: bytes, whole: bool) -> None:
    assert is_whole(content) is whole


@contextmanager
def acme(tmp_path: Path, **settings: str) -> Iterator[tuple[Gunicorn, str]]:
    state_dir = tmp_path / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with serving(
        state_dir, workers="1", threads=str(THREADS), synchronous="NORMAL", **settings
    ) as server:
        yield server, token


@pytest.fixture(scope="module")
def patient(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Gunicorn, str]]:
    with acme(tmp_path_factory.mktemp("patient")) as found:
        yield found


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gunicorn, str]]:
    """It gives heads and bodies a second."""
    place = tmp_path_factory.mktemp("brisk")
    with acme(place, head_seconds="1", body_seconds="1") as found:
        yield found


def send(server: Gunicorn, content: bytes) -> socket.socket:
    connection = socket.create_connection(server.place(), 30)
    connection.sendall(content)
    return connection


def post(token: str, *headers: str, path: str = "messages") -> bytes:
    lines = [
        f"POST /acme/chat/{path} HTTP/1.1", "Host: chat.example",
        f"Authorization: Bearer {token}", "Content-Type: application/json", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def upload_head(token: str) -> bytes:
    head = post(token, "Content-Length: 1000000", path="chatfiles")
    return head.replace(b"application/json", b"multipart/form-data; boundary=x")


def beginnings(token: str) -> dict[str, bytes]:
    """What a caller sends before it falls silent."""
    return {
        "nothing": b"",
        "part of a head": b"POST /acme/chat/messages HTTP/1.1\r\nHost: a\r\nX: ",
        "part of a small body": post(token, "Content-Length: 900") + b'{"target',
        "a body that nobody may send": upload_head("none"),
    }


@pytest.mark.parametrize("what", beginnings(""))
def test_silent_callers_keep_no_thread(
    patient: tuple[Gunicorn, str], what: str
) -> None:
    """Three times as many as there are threads."""
    server, token = patient
    content = beginnings(token)[what]
    with ExitStack() as stack:
        for _ in range(3 * THREADS):
            stack.enter_context(send(server, content))

        began = time.monotonic()
        status = server.call("GET", "/acme/chat/users/nobody", token=token)[0]

        assert status == 404
        # The first of gunicorn's own waits takes 5 s, and one of ours is never so long.
        assert time.monotonic() - began < 4


def test_callers_who_send_a_large_body_slowly_leave_threads_for_others(
    patient: tuple[Gunicorn, str],
) -> None:
    server, token = patient
    with ExitStack() as stack:
        slow = [
            stack.enter_context(send(server, upload_head(token) + b"--x\r\n"))
            for _ in range(2 * THREADS)
        ]
        began = time.monotonic()
        status = server.call("GET", "/acme/chat/users/nobody", token=token)[0]
        assert status == 404
        assert time.monotonic() - began < 4

        for connection in slow:
            connection.settimeout(2)
        refused = [answer for each in slow if (answer := answer_or_none(each))]

    assert len(refused) == 2 * THREADS - 3
    for answer in refused:
        status, headers, body = parse(answer)
        assert (status, body["error"]) == (503, "service_unavailable")
        assert headers["retry-after"] == "2"


def answer_or_none(connection: socket.socket) -> bytes | None:
    try:
        return read_all(connection)
    except TimeoutError:
        return None


@pytest.mark.parametrize("pause", [0.0, 0.3])
@pytest.mark.parametrize("size", [200, SMALL_BODY_BYTES + 200])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_call_that_comes_in_parts_is_answered(
    patient: tuple[Gunicorn, str], size: int, pause: float, chunked: bool
) -> None:
    server, token = patient
    content = orjson.dumps({"username": "ada", "password": "x" * size})
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content) if chunked else content
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(content)}"
    whole = post(token, how, "Connection: close", path="users") + framed

    with send(server, b"") as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), len(whole) // 5):
            connection.sendall(whole[start : start + len(whole) // 5])
            time.sleep(pause)
        status, _, body = parse(read_all(connection))

    # The table says how long a password is: it was read, and refused for that.
    assert status == (400 if size > 100 else 200), body
    assert body["error"] == "illegal_argument"


def test_calls_in_one_packet_are_answered_one_after_the_other(
    patient: tuple[Gunicorn, str],
) -> None:
    server, _ = patient
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    with send(server, one * 3 + last[:30]) as connection:
        time.sleep(0.1)
        connection.sendall(last[30:])
        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 4


def test_a_head_without_end_is_too_large(patient: tuple[Gunicorn, str]) -> None:
    server, _ = patient
    head = b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * (MOST_HEAD_BYTES // 6)

    with send(server, head) as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "content",
    [
        b"GET /healthz HTTP/1.1\r\nHost: ",
        HEAD + b"Content-Length: 10\r\n\r\n{",
    ],
)
def test_a_call_that_is_not_whole_in_time_is_told_so(
    brisk: tuple[Gunicorn, str], content: bytes
) -> None:
    server, _ = brisk

    with send(server, content) as connection:
        status, headers, body = parse(read_all(connection))

    assert status == 408
    assert headers["connection"] == "close"
    assert body["error"] == "request_timeout"


def test_a_byte_now_and_then_does_not_buy_time(brisk: tuple[Gunicorn, str]) -> None:
    server, _ = brisk
    began = time.monotonic()

    with send(server, b"GET / HTTP/1.1\r\nX: ") as connection:
        connection.settimeout(0.1)
        while time.monotonic() < began + 20:
            try:
                connection.sendall(b"x")
                if answer := connection.recv(100):
                    break
            except TimeoutError:
                continue

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_large_body_that_is_not_whole_in_time_is_told_so(
    brisk: tuple[Gunicorn, str],
) -> None:
    server, token = brisk

    with send(server, upload_head(token) + b"--x\r\n") as connection:
        status, headers, body = parse(read_all(connection))

    assert status == 408
    assert headers["connection"] == "close"
    assert body["error"] == "request_timeout"


def test_who_sends_nothing_is_let_go(brisk: tuple[Gunicorn, str]) -> None:
    server, _ = brisk

    with send(server, b"") as connection:
        assert read_all(connection) == b""
    with send(server, b"\r\n\r\n") as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in server.log


def test_receivers_of_answers_that_take_nothing_leave_threads_for_others(
    patient: tuple[Gunicorn, str],
) -> None:
    """The reference is large, and there for strangers."""
    server, token = patient
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with ExitStack() as stack:
        assert server.call("GET", "/openapi.json")[0] == 200  # it is made but once
        for _ in range(3 * THREADS):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(server.place())
            connection.sendall(asked * 50)
        server.wait_for_log("is let go")

        began = time.monotonic()
        status = server.call("GET", "/acme/chat/users/nobody", token=token)[0]

        assert status == 404
        assert time.monotonic() - began < 4
    assert "Traceback" not in server.log


def test_who_does_not_hang_up_keeps_nobody_waiting(
    patient: tuple[Gunicorn, str],
) -> None:
    server, token = patient
    asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(send(server, asked))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")

        began = time.monotonic()
        status = server.call("GET", "/acme/chat/users/nobody", token=token)[0]

        assert status == 404
        assert time.monotonic() - began < 4


def test_a_body_is_taken_in_pieces_of_the_size_that_is_read() -> None:
    """gunicorn's own are a megabyte, copied at each read."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for each in (ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(bytes(100_000))
        taken = SocketUnreader(ours).chunk(10_000_000)

    assert len(taken) == PIECE_BYTES
