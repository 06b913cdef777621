"""The systemd unit and the nginx configuration of README.md, as they stand there."""

import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.hosts.fleet import Fleet
from tests.readme import block
from tests.server.gunicorn import (
    Gunicorn,
    environment,
    free_port,
    parse,
    read_all,
    wait_until_healthy,
)
from tests.trees import copy_of_the_tree

NAME = "chat.example.com"
AROUND = """
daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  {text}
}}
"""


def need(program: str, package: str) -> None:
    """Skip without it, unless PACKAGE_REQUIRED is set."""
    if shutil.which(program) is None:
        reason = f"needs {program} (apt-get install {package})"
        assert not os.environ.get(f"{package.upper()}_REQUIRED"), reason
        pytest.skip(reason)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = copy_of_the_tree(tmp_path)
    (tree / ".venv").symlink_to(sys.prefix)
    return tree


def unit(tree: Path) -> str:
    return block("weir.service").replace("/srv/weir", str(tree))


def test_systemd_understands_the_whole_unit(tree: Path) -> None:
    need("systemd-analyze", "systemd")
    file = tree / "weir.service"
    file.write_text(unit(tree))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", file],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    # What it does not understand it only warns of.
    assert "weir.service" not in verified.stderr
    assert verified.returncode == 0, verified.stderr


def test_the_service_tells_that_it_is_ready_and_reloads(tree: Path) -> None:
    """As systemd would run it, its sandbox left out."""
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(unit(tree))
    service = parser["Service"]
    port, state = free_port(), tree / "var"
    assert service["ReadWritePaths"] == str(state)
    state.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tree / "notify"))
        told.settimeout(60)
        with (tree / "log").open("wb") as log:
            process = subprocess.Popen(
                shlex.split(service["ExecStart"]), cwd=service["WorkingDirectory"],
                env=environment(state, port) | {"NOTIFY_SOCKET": str(tree / "notify")},
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            assert told.recv(1000).startswith(b"READY=1")
            server = Gunicorn(process, port, state, tree / "log")
            wait_until_healthy(server)
            before = server.workers()
            reload = service["ExecReload"].replace("$MAINPID", str(process.pid))
            subprocess.run(shlex.split(reload), check=True)
            ends = time.monotonic() + 30
            while set(server.workers()) & set(before) or not server.workers():
                assert time.monotonic() < ends
                time.sleep(0.05)
            wait_until_healthy(server)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(int(service["TimeoutStopSec"]))
    assert process.returncode == 0


def certificate(place: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", place / "key", "-out", place / "pem"],
        check=True, capture_output=True,
    )  # fmt: skip


@contextmanager
def nginx(place: Path, hosts: list[Gunicorn]) -> Iterator[int]:
    """The block of README.md, its addresses and files those of this test."""
    port = free_port()
    text = block("weir.conf")
    for old, new in (
        ("10.0.0.11:8000", f"127.0.0.1:{hosts[0].port}"),
        ("10.0.0.12:8000", f"127.0.0.1:{hosts[1].port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        (f"/etc/ssl/{NAME}.pem", f"{place}/pem"),
        (f"/etc/ssl/private/{NAME}.key", f"{place}/key"),
    ):
        assert old in text
        text = text.replace(old, new)
    file = place / "nginx.conf"
    file.write_text(AROUND.format(place=place, text=text))
    command = ["nginx", "-p", place, "-c", file]
    tried = subprocess.run(
        [*command, "-t"], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 0, tried.stderr
    assert "[warn]" not in tried.stderr
    process = subprocess.Popen(command)
    try:
        ends = time.monotonic() + 20
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
        process.wait(20)


def ask(place: Path, port: int, head: str, body: bytes = b"") -> tuple[int, object]:
    """One call over TLS, which trusts the test's certificate only."""
    context = ssl.create_default_context(cafile=str(place / "pem"))
    whole = f"{head}\r\nHost: {NAME}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", port), 30) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        connection.sendall(whole.encode() + body)
        status, _, answer = parse(read_all(connection))
    return status, answer


def test_nginx_in_front_of_two_hosts(tmp_path: Path, behind_nginx: Fleet) -> None:
    need("nginx", "nginx")
    pair, (app,) = behind_nginx, behind_nginx.apps
    certificate(tmp_path)
    allowed = f"Authorization: Bearer {app.token}"
    with nginx(tmp_path, pair.hosts) as port:
        status, answer = ask(
            tmp_path, port,
            f"GET /{app.key}/users HTTP/1.1\r\n{allowed}\r\n"
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Host: evil.example",
        )  # fmt: skip
        assert status == 200
        assert answer["uri"].startswith(f"https://{NAME}/")

        form = b'--limit\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        status, answer = ask(
            tmp_path, port,
            f"POST /{app.key}/chatfiles HTTP/1.1\r\n{allowed}\r\n"
            "Content-Type: multipart/form-data; boundary=limit",
            form + bytes(3_000_000) + b"\r\n--limit--\r\n",
        )  # fmt: skip
        assert status == 200, answer

        for pid in pair.pids(0):
            os.kill(pid, signal.SIGKILL)
        pair.hosts[0].process.wait()
        one = f"GET /{app.key}/limits HTTP/1.1\r\n{allowed}"
        assert [ask(tmp_path, port, one)[0] for _ in range(10)] == [200] * 10

    logged = [
        orjson.loads(line)
        for host in range(2)
        for line in (pair.place / f"access-{host}").read_text().splitlines()
    ]
    through = [line for line in logged if line["operation"] == "GET /users"]
    # Who called is whom nginx saw, not whom the caller says it forwards for.
    assert [line["remote"] for line in through] == ["127.0.0.1"]
