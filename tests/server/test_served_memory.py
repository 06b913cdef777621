"""A worker's memory, as the kernel counts it, while as many threads take uploads as may."""

import re
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.server.gunicorn import ROOT, flask, read_all, serving
from tests.server.test_served_files import KIND, multipart, request

FILE = 10 * 1024 * 1024
UPLOADS, THREADS = 16, 22
"""Three quarters of the threads may wait for what comes slowly."""
MOST_MB = 150


def test_sixteen_uploads_at_once_are_not_in_memory(tmp_path: Path) -> None:
    """They would be 160 MB; each is a byte from its end when memory is looked at."""
    state_dir = tmp_path / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    body = multipart(bytes(range(256)) * (FILE // 256))
    whole = request("POST", "/acme/chat/chatfiles", token, body, Content_Type=KIND)

    with (
        serving(state_dir, workers="1", threads=str(THREADS)) as server,
        ExitStack() as stack,
    ):
        senders = [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), 60)
            )
            for _ in range(UPLOADS)
        ]
        for sender in senders:
            sender.sendall(whole[:-1])
        (worker,) = server.workers()
        for sender in senders:
            sender.sendall(whole[-1:])
            assert read_all(sender).startswith(b"HTTP/1.1 200 ")
        status = Path(f"/proc/{worker}/status").read_text()

    (peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    assert int(peak_kb) / 1024 < MOST_MB
