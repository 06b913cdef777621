"""Many slow receivers at once: what they may take, and what they may not."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server.gunicorn import ROOT, Gunicorn, flask, read_all, serving
from tests.server.test_served_files import download, kept, request

SLOW = 40
THREADS = 54
"""Three quarters of them are forty, and a half that does not count."""


@pytest.fixture
def token(tmp_path: Path) -> str:
    state_dir = tmp_path / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    return flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()


def begin(server: Gunicorn, path: str, token: str) -> tuple[socket.socket, bytes]:
    """A receiver that takes the first bytes of the answer, and then none."""
    while True:
        connection = socket.socket()
        # Little room on the way, so that the server itself meets the slowness.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request("GET", path, token))
        head = connection.recv(1024)
        if b" 429 " not in head.split(b"\r\n")[0]:
            return connection, head
        connection.close()
        time.sleep(0.1)  # the app's own rate, which is not what is tried here


def test_forty_slow_downloads_leave_other_calls_as_they_are(
    tmp_path: Path, token: str
) -> None:
    with (
        serving(tmp_path / "state", workers="1", threads=str(THREADS)) as server,
        ExitStack() as receivers,
    ):
        path = kept(server.port, token, bytes(10_000_000))
        for _ in range(SLOW):
            connection, head = begin(server, path, token)
            receivers.enter_context(connection)
            assert head.startswith(b"HTTP/1.1 200 ")

        connection, head = begin(server, path, token)
        with connection:
            beyond = head + read_all(connection)
        status, _, found = server.call(
            "POST", "/acme/chat/users", {"username": "ada", "password": "x"}, token
        )
        missing = server.call("GET", "/acme/chat/users/nobody", token=token)

    assert beyond.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in beyond
    assert b'"error":"service_unavailable"' in beyond
    assert status == 200
    assert [each["username"] for each in found["entities"]] == ["ada"]
    assert missing[0] == 404
    assert missing[2]["error"] == "service_resource_not_found"


def test_a_receiver_that_takes_nothing_is_dropped_and_its_place_is_free(
    tmp_path: Path, token: str
) -> None:
    with (
        serving(
            tmp_path / "state",
            application="tests.server.hurried:app", workers="1", threads="4",
        ) as server,
        ExitStack() as receivers,
    ):  # fmt: skip
        path = kept(server.port, token, bytes(10_000_000))
        small = kept(server.port, token, b"x")
        stalled = [begin(server, path, token) for _ in range(3)]
        for connection, head in stalled:
            receivers.enter_context(connection)
            assert head.startswith(b"HTTP/1.1 200 ")
        assert b" 503 " in download(server.port, small, token)[0]

        ends = time.monotonic() + 15
        while download(server.port, small, token)[1] != b"x":
            assert time.monotonic() < ends
            time.sleep(0.05)

        for connection, _ in stalled:
            assert len(read_all(connection)) < 9_000_000
        assert "Traceback" not in server.log
