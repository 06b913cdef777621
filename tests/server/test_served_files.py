"""Files as they are served: gunicorn, sockets, slow receivers, and nginx in front."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests import facts
from tests.server.gunicorn import ROOT, Gunicorn, flask, free_port, serving
from tests.waiting import wait_until

RATE = facts.BOUNDS["files.download_bandwidth"][1]
NGINX = shutil.which("nginx")
KIND = "multipart/form-data; boundary=limit"


def multipart(content: bytes) -> bytes:
    """As PHP's curl sends a file: a form field, without a file name."""
    head = b'--limit\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    return head + content + b"\r\n--limit--\r\n"


def request(
    method: str, path: str, token: str, body: bytes = b"", **headers: str
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: chat.example", "Connection: close"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gunicorn, str]]:
    state_dir = tmp_path_factory.mktemp("served") / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with serving(state_dir, workers="2", threads="4", synchronous="NORMAL") as server:
        yield server, token


def upload(
    port: int, token: str, body: bytes, **headers: str
) -> tuple[int, dict[str, object]]:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(
            request(
                "POST",
                "/acme/chat/chatfiles",
                token,
                body,
                Content_Type=KIND,
                **headers,
            )
        )
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), orjson.loads(content)


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def kept(port: int, token: str, content: bytes) -> str:
    status, answer = upload(port, token, multipart(content))
    assert status == 200, answer
    return f"/acme/chat/chatfiles/{answer['entities'][0]['uuid']}"


def download(
    port: int, path: str, token: str
) -> tuple[bytes, bytes, list[tuple[float, int]]]:
    """Head and body; how many bytes of the body had come, and when."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        began = time.monotonic()
        connection.sendall(request("GET", path, token))
        answer, came = b"", []
        while chunk := connection.recv(65_536):
            answer += chunk
            sent = len(answer.partition(b"\r\n\r\n")[2])
            came.append((time.monotonic() - began, sent))
    head, _, content = answer.partition(b"\r\n\r\n")
    return head, content, came


def test_an_upload_and_a_download_at_the_tables_pace(
    acme: tuple[Gunicorn, str],
) -> None:
    server, token = acme
    content = bytes(range(256)) * (RATE * 3 // 256)

    path = kept(server.port, token, content)
    head, found, came = download(server.port, path, token)

    assert b" 200 " in head.split(b"\r\n")[0]
    assert found == content
    assert all(sent <= RATE * seconds + RATE for seconds, sent in came)
    assert 1.9 < came[-1][0] < 4


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_cut_off_leaves_nothing(
    acme: tuple[Gunicorn, str], chunked: bool
) -> None:
    server, token = acme
    root = server.state_dir / "files"
    before = files_below(root)
    body = multipart(bytes(500_000))
    kind = {"Transfer_Encoding": "chunked"} if chunked else {}
    framed = (b"%x\r\n" % len(body) if chunked else b"") + body
    whole = request(
        "POST", "/acme/chat/chatfiles", token, framed, Content_Type=KIND, **kind
    )

    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(whole[:300_000])
        wait_until(lambda: files_below(root) > before)

    wait_until(lambda: files_below(root) == before)
    assert "a bug met" not in server.log


def test_receivers_that_take_nothing_do_not_stop_the_rest(
    acme: tuple[Gunicorn, str],
) -> None:
    """More than a worker has threads; then they hang up, and their threads are free."""
    server, token = acme
    path = kept(server.port, token, bytes(10_000_000))
    stalled, refused = [], 0
    for _ in range(12):
        connection = socket.create_connection(("127.0.0.1", server.port), 20)
        connection.sendall(request("GET", path, token))
        refused += connection.recv(12) == b"HTTP/1.1 503"
        stalled.append(connection)

    assert refused >= 12 - 2 * 3
    assert server.call("GET", "/acme/chat/users/nobody", token=token)[0] == 404
    for connection in stalled:
        connection.close()
    small = kept(server.port, token, b"x")
    ends = time.monotonic() + 10
    while download(server.port, small, token)[1] != b"x":
        assert time.monotonic() < ends
        time.sleep(0.1)


CONFIGURATION = """
daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/error.log;
events {{}}
http {{
  access_log off; client_max_body_size 20m;
  client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_set_header Host $host; }}
    location /internal-files/ {{
      internal; alias {files}/; add_header X-Content-Type-Options nosniff always;
    }}
  }}
}}
"""


@contextmanager
def nginx(place: Path, server: Gunicorn) -> Iterator[int]:
    port = free_port()
    configuration = place / "nginx.conf"
    files = server.state_dir / "files"
    configuration.write_text(
        CONFIGURATION.format(place=place, port=port, behind=server.port, files=files)
    )
    process = subprocess.Popen([str(NGINX), "-c", str(configuration), "-p", str(place)])
    try:
        ends = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert time.monotonic() < ends
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(
    NGINX is None and not os.environ.get("NGINX_REQUIRED"),
    reason="there is no nginx here to hand files to",
)
def test_nginx_sends_the_bytes_at_the_tables_pace(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    content = bytes(range(256)) * (RATE * 4 // 256)
    place = tmp_path / "nginx"
    place.mkdir()
    with (
        serving(state_dir, workers="1", x_accel="/internal-files/") as server,
        nginx(place, server) as port,
    ):
        path = kept(port, token, content)
        head, found, came = download(port, path, token)
        from_outside, _, _ = download(
            port, f"/internal-files/files/{path[-36:-34]}/{path[-36:]}", token
        )
        stranger, _, _ = download(port, path, "")

    assert found == content
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"application/octet-stream" in head
    # nginx counts in whole seconds, so it may be a second's worth ahead.
    assert all(sent <= RATE * seconds + 2 * RATE for seconds, sent in came)
    assert came[-1][0] > 1.5
    assert b" 404 " in from_outside.split(b"\r\n")[0]
    assert b" 401 " in stranger.split(b"\r\n")[0]
