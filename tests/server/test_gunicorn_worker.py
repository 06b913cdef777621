"""Connections, as callers that keep them open see them."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import facts
from tests.server.gunicorn import ROOT, Gunicorn, flask, serving

LARGEST = facts.BOUNDS["messages.request_body"][1]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gunicorn, str]]:
    state_dir: Path = tmp_path_factory.mktemp("connections") / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with serving(state_dir, workers="1", synchronous="NORMAL") as server:
        yield server, token


def post(
    server: Gunicorn, token: str, framing: str, body: bytes
) -> tuple[int, bool, bool]:
    """The status, whether the answer says that the connection closes, and if it did."""
    head = (
        f"POST /acme/chat/messages HTTP/1.1\r\nHost: chat.example\r\n{framing}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head.encode() + body)
        status, says_so = answer(connection)
        try:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: chat.example\r\n\r\n")
            closed = answer(connection)[0] != 200
        except (OSError, http.client.HTTPException):
            closed = True
    return status, says_so, closed


def answer(connection: socket.socket) -> tuple[int, bool]:
    """The status of the next answer, and whether it is said to be the last."""
    with http.client.HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status, response.headers["Connection"] == "close"


# Each is refused by what has come of it, and more is announced.
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (f"Content-Length: {3 * LARGEST}", b""),
        ("Transfer-Encoding: chunked", b"20000\r\n" + bytes(LARGEST + 1)),
    ],
)
def test_an_answer_to_a_body_that_nobody_reads_says_that_the_connection_closes(
    acme: tuple[Gunicorn, str], framing: str, body: bytes
) -> None:
    assert post(*acme, framing, body) == (413, True, True)


def test_a_call_refused_for_its_token_says_so_too(acme: tuple[Gunicorn, str]) -> None:
    server, _ = acme

    assert post(server, "none", f"Content-Length: {LARGEST}", b"") == (401, True, True)


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 2", b"{}"),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
    ],
)
def test_a_connection_is_kept_where_the_body_was_read(
    acme: tuple[Gunicorn, str], framing: str, body: bytes
) -> None:
    assert post(*acme, framing, body) == (400, False, False)


def test_a_connection_is_kept_where_little_is_unread(
    acme: tuple[Gunicorn, str],
) -> None:
    server, _ = acme

    assert post(server, "none", "Content-Length: 2", b"{}") == (401, False, False)
