"""The clients that README shows, as they stand there, in Python and in Chromium."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import unquote

import pytest

from tests.databases import only_sqlite
from tests.server.gunicorn import ROOT
from tests.server.streaming.sse import Chat
from tests.server.streaming.test_proof import NGINX, chatting, nginx

EXAMPLES = ROOT / "examples"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# The page tells what it shows, by a name that leads back to the test.
REPORT = """
<script>
  new MutationObserver(([change]) =>
    change.addedNodes.forEach((item) => setTimeout(() => fetch(`/seen/${item.textContent}`)))
  ).observe(document.querySelector("#messages"), { childList: true });
</script>
"""


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    with chatting(tmp_path, "threads", workers="1", threads="8") as chat:
        chat.add("alice")
        yield chat


def test_the_client_in_python(chat: Chat) -> None:
    url = f"http://127.0.0.1:{chat.server.port}/acme/chat/users/alice/stream"
    chat.send("one", "alice")
    command = [sys.executable, EXAMPLES / "receive.py", url, chat.user_token("alice")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        first = client.stdout.readline()
        chat.send("two", "alice")
        second = client.stdout.readline()
        chat.call("GET", "/users/alice/disconnect")
        client.communicate(timeout=20)

    assert (first, second) == ("one\n", "two\n")
    assert client.returncode == 0
    assert chat.waiting("alice") == 0


@contextmanager
def page() -> Iterator[tuple[int, Queue[str]]]:
    """A server of the page: its port, and what the page said that it shows."""
    seen: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = b""
            if self.path.startswith("/seen/"):
                seen.put(unquote(self.path.removeprefix("/seen/")))
            elif self.path == "/receive.html":
                whole = (EXAMPLES / "receive.html").read_text()
                before, script, rest = whole.partition("<script")
                content = (before + REPORT + script + rest).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


@only_sqlite
@pytest.mark.skipif(
    (CHROMIUM is None and not os.environ.get("CHROMIUM_REQUIRED"))
    or (NGINX is None and not os.environ.get("NGINX_REQUIRED")),
    reason="needs Chromium, and nginx to serve the page beside the server",
)
def test_the_client_in_a_browser(chat: Chat, tmp_path: Path) -> None:
    """It shows what comes, survives the loss of its stream, and acknowledges."""
    chat.send("one", "alice")
    with (
        page() as (page_port, seen),
        nginx(tmp_path / "nginx", chat.server, chat.server, page_port) as port,
    ):
        hash_ = f"/acme/chat/users/alice/stream,{chat.user_token('alice')}"
        browser = subprocess.Popen(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}/profile",
                "--remote-debugging-port=0",
                f"http://127.0.0.1:{port}/page/receive.html#{hash_}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            shown = [seen.get(timeout=60)]
            chat.send("two", "alice")
            shown.append(seen.get(timeout=20))
            chat.server.process.send_signal(signal.SIGHUP)  # its stream ends
            chat.send("three", "alice")
            shown.append(seen.get(timeout=20))
            last = chat.send("four", "alice")
            shown.append(seen.get(timeout=20))
            ends = time.monotonic() + 20
            while is_queued(chat, last):
                assert time.monotonic() < ends
                time.sleep(0.1)
        finally:
            browser.terminate()
            browser.wait(20)
    assert shown == ["one", "two", "three", "four"]


def is_queued(chat: Chat, number: str) -> bool:
    """Whether nobody has acknowledged it; the status says so only to those offline."""
    database = sqlite3.connect(chat.server.state_dir / "weir.db")
    with closing(database):
        sql = "SELECT count(*) FROM waiting WHERE message_id = ?"
        return bool(database.execute(sql, [number]).fetchone()[0])


def test_readme_shows_them() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in ("receive.py", "receive.html"):
        assert (EXAMPLES / name).read_text() in readme
