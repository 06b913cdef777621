"""Calls that never end are let go, and their worker with them; slow ones are not."""

import socket
import time
from pathlib import Path

from tests.faults.workers import BRISK, NEVER_ENDS
from tests.server.gunicorn import parse, read_all
from tests.server.test_gunicorn_patience import acme, send, upload_head
from tests.waiting import wait_until

LONGER_SECONDS = 4.0
"""Than a call may do nothing under this configuration."""
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b\r\n--x--\r\n'
SAID = "a call has done nothing for 3 s"


def whole_upload() -> bytes:
    """As long as the head of ``upload_head`` says."""
    return MULTIPART % bytes(1_000_000 - len(MULTIPART % b""))


def test_who_sends_and_takes_slowly_is_not_stuck(tmp_path: Path) -> None:
    upload = whole_upload()
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with acme(tmp_path, conf=str(BRISK)) as (server, token), socket.socket() as taker:
        workers = server.workers()
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        taker.connect(server.place())
        taker.sendall(asked * 10)
        with send(server, upload_head(token) + upload[:500_000]) as sender:
            time.sleep(LONGER_SECONDS)
            sender.sendall(upload[500_000:])
            sender.shutdown(socket.SHUT_WR)
            status, _, answer = parse(read_all(sender))
        taker.settimeout(20)
        taken = b""
        while taken.count(b"HTTP/1.1 200 OK") < 10:
            taken += taker.recv(1 << 20)

        assert status == 200, answer
        assert SAID not in server.log
        assert server.workers() == workers


def test_a_call_that_never_ends_is_let_go_and_the_others_end(tmp_path: Path) -> None:
    upload = whole_upload()
    with acme(tmp_path, conf=str(BRISK), application="tests.faults.stuck_app:app") as (
        server,
        token,
    ):
        workers = server.workers()
        with (
            send(server, NEVER_ENDS) as never,
            send(server, upload_head(token) + upload[:500_000]) as sender,
        ):
            assert read_all(never) == b""
            sender.sendall(upload[500_000:])
            status, _, answer = parse(read_all(sender))
        wait_until(lambda: server.workers() not in ([], workers))

        assert status == 200, answer
        assert server.call("GET", "/healthz")[0] == 200
        assert "_never.wait()" in server.log
        assert "WORKER TIMEOUT" not in server.log  # it ended by itself
        assert "Traceback" not in server.log
