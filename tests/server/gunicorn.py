"""A real gunicorn, started for a test and stopped after it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests import databases
from tests.server import flask_command
from tests.server.flask_command import ROOT


@dataclass
class Gunicorn:
    """One that runs: where it listens, its master, where its log goes."""

    process: subprocess.Popen[bytes]
    port: int
    state_dir: Path
    log_path: Path
    address: str = "127.0.0.1"

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def place(self) -> tuple[str, int]:
        return self.address, self.port

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [
            int(child)
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def wait_for_log(self, words: str, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while words not in self.log:
            assert time.monotonic() < ends, self.log
            time.sleep(0.02)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], object]:
        """Status, headers (lower case) and JSON of one call on a new connection."""
        content = b"" if body is None else orjson.dumps(body)
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n"
        )
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if body is not None:
            head += (
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            )
        for name, value in (headers or {}).items():
            head += f"{name}: {value}\r\n"
        return parse(self.raw(head.encode() + b"\r\n" + content))

    def raw(self, request: bytes, seconds: float = 20) -> bytes:
        """Send bytes, read until the server closes."""
        with socket.create_connection(self.place(), seconds) as connection:
            connection.sendall(request)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    chunks = []
    while chunk := connection.recv(65_536):
        chunks.append(chunk)
    return b"".join(chunks)


def parse(answer: bytes) -> tuple[int, dict[str, str], object]:
    """Status, headers (lower case) and JSON.

    Raises ConnectionResetError when the server ended before its answer did, as
    one that is killed or started anew may: callers take it for no answer.
    """
    head, end, content = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if end)
    if not end or len(content) < int(headers.get("content-length", 0)):
        raise ConnectionResetError(f"an answer cut short: {answer!r}")
    return int(lines[0].split()[1]), headers, orjson.loads(content)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(state_dir: Path, port: int, /, **settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if "WEIR" not in name}
    found = databases.url_for(state_dir)
    if found:
        clean["WEIR_DATABASE_URL"] = found
    return (
        clean
        | {"WEIR_STATE_DIR": str(state_dir), "WEIR_BIND": f"127.0.0.1:{port}"}
        | {"PYTHONUNBUFFERED": "1"}
        | {f"WEIR_{name.upper()}": value for name, value in settings.items()}
    )


def flask(tree: Path, state_dir: Path, *arguments: str) -> str:
    """What a ``flask`` command of the tree prints."""
    settings = environment(state_dir, 0, bind="127.0.0.1:1")
    if tree == ROOT:
        return flask_command.printed(arguments, settings)
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=tree, env=settings, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


@contextmanager
def serving(
    state_dir: Path,
    *,
    tree: Path = ROOT,
    application: str = "wsgi:app",
    conf: str = "server/gunicorn_conf.py",
    address: str = "127.0.0.1",
    within: Sequence[str] = (),
    **settings: str,
) -> Iterator[Gunicorn]:
    """The server of *tree* on a free port, under its own gunicorn configuration.

    *within* is what its command begins with, to run on a host of a test's network.
    """
    port = free_port()
    log_path = state_dir.with_name(f"{state_dir.name}-{port}.log")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", "gunicorn", "-c", conf, application],
            cwd=tree, env=environment(state_dir, port, bind=f"{address}:{port}", **settings),
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    server = Gunicorn(process, port, state_dir, log_path, address)
    try:
        wait_until_healthy(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()


def wait_until_healthy(server: Gunicorn, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while True:
        assert server.process.poll() is None, server.log
        try:
            if server.call("GET", "/healthz")[0] == 200:
                return
        except OSError:
            assert time.monotonic() < ends, server.log
            time.sleep(0.05)
