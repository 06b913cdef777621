"""Uploads that are cut off, or are not what they say, are refused and leave nothing."""

import contextlib
import json
import socket

import pytest

from server.settings import Settings
from tests.server.gunicorn import Gunicorn, read_all
from tests.wire.kept import Store
from tests.wire.player import Answer
from tests.wire.typed import END, JSON, Client, part

FILE = part('name="file"; filename="a.bin"', bytes(range(256)) * 40)
KIND = "multipart/form-data; boundary=limit"

# What is sent, under which type, and how long it is said to be (None: as long as it is).
LIES: dict[str, tuple[bytes, str, int | None]] = {
    "cut off": (FILE[:5000], KIND, len(FILE)),
    "cut off in a part's head": (FILE[:20], KIND, len(FILE)),
    "cut off in the last boundary": (FILE + END[:4], KIND, len(FILE + END)),
    "whole by its length, but not by its boundary": (FILE, KIND, None),
    "shorter than it is": (FILE + END, KIND, 5000),
    "another boundary": (FILE + END, KIND + "s", None),
    "no boundary": (FILE + END, "multipart/form-data", None),
    "an empty boundary": (FILE + END, "multipart/form-data; boundary=", None),
    "a boundary that cannot be": (FILE + END, "multipart/form-data; boundary=" + "x" * 5000, None),
    "no multipart at all": (b'{"file": "x"}', KIND, None),
    "nothing": (b"", KIND, None),
    "only its end": (END, KIND, None),
    "a part without a head": (b"--limit\r\n\r\nx\r\n" + END, KIND, None),
    "a head without an end": (b"--limit\r\n" + b"X-A: b\r\n" * 5_000, KIND, None),
    "a part of no name": (part("filename=x", b"x") + END, KIND, None),
    "json": (FILE + END, "application/json", None),
    "a form": (b"file=x", "application/x-www-form-urlencoded", None),
    "a length of a word": (FILE + END, KIND, -1),
    "chunks that lie": (b"ffff\r\n" + FILE[:100], KIND, -2),
    "chunks that are none": (b"zz\r\n" + FILE, KIND, -2),
}  # fmt: skip


@pytest.fixture
def client(server: Gunicorn, stored: None) -> Client:
    client = Client(server)
    client.cast.give("group crew owner ada")
    return client


def cut_off(client: Client, head: str, body: bytes) -> bytes:
    """What comes back to somebody who says no more."""
    with socket.create_connection(("127.0.0.1", client.server.port), 30) as connection:
        connection.sendall(client.raw(head, body))
        with contextlib.suppress(OSError):  # it may be closed already
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


@pytest.mark.parametrize("path", ["/chatfiles", "/chatgroups/<crew>/share_files"])
@pytest.mark.parametrize("lie", LIES)
def test_an_upload_that_lies_leaves_nothing(
    client: Client, path: str, lie: str
) -> None:
    body, kind, length = LIES[lie]
    framing = {
        None: f"Content-Length: {len(body)}",
        -1: "Content-Length: many",
        -2: "Transfer-Encoding: chunked",
    }.get(length, f"Content-Length: {length}")
    store = Store(Settings(state_dir=client.server.state_dir))

    raw = cut_off(
        client,
        f"POST /acme/lounge{path} HTTP/1.1\nHost: chat.acme.example\n{framing}\n"
        f"Content-Type: {kind}\nAuthorization: Bearer TOKEN\nConnection: close",
        body,
    )

    store.check_same()
    store.close()
    answer = Answer(raw)
    assert 400 <= answer.status < 500
    if lie != "a length of a word":  # HTTP itself is broken: gunicorn answers
        assert answer.headers["content-type"] == JSON
        assert json.loads(answer.body)["error_description"]


CHUNKS = (b"ffff\r\n{}", b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX")  # fmt: skip


@pytest.mark.parametrize("body", CHUNKS)
def test_json_in_chunks_that_lie_is_refused(client: Client, body: bytes) -> None:
    raw = cut_off(
        client,
        "POST /acme/lounge/users/batch/status HTTP/1.1\nHost: chat.acme.example\n"
        "Authorization: Bearer TOKEN\nTransfer-Encoding: chunked\nConnection: close",
        body,
    )

    answer = Answer(raw)
    assert answer.status in (400, 408)
    assert json.loads(answer.body)["error_description"]
