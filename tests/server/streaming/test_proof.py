"""Streams when things break: killed processes, full servers, readers that stop."""

import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.gunicorn import ROOT, Gunicorn, flask, free_port, serving
from tests.server.streaming.conftest import CONFS
from tests.server.streaming.sse import Chat, Client, Refused, Told

NGINX = shutil.which("nginx")


@contextmanager
def chatting(place: Path, conf: str, **settings: str) -> Iterator[Chat]:
    state_dir = place / "state"
    flask(ROOT, state_dir, "apps", "create", "acme/chat", "--edition", "enterprise")
    token = flask(ROOT, state_dir, "apps", "token", "acme/chat").strip()
    with serving(state_dir, conf=CONFS[conf], **settings) as server:
        yield Chat(server, token)


class Device(threading.Thread):
    """Connects again and again, acknowledges now and then; what it was told, in order."""

    def __init__(self, chat: Chat, user: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.chat, self.user = chat, user
        self.chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self.ids: list[int] = []
        self.acknowledged = 0
        self.broken: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            try:
                with self.chat.listen(self.user, "ios_1", received=self.take) as client:
                    while not client.over and not self.done.is_set():
                        self.read(client)
            except (OSError, Refused, AssertionError):
                time.sleep(0.05)  # its server is being started again

    def read(self, client: Client) -> None:
        try:
            client._take(0.2)
        except TimeoutError:
            return
        # What this stream told, not one before it: that may be told again on this one
        # already, and be under way.
        if client.told and self.chance.random() < 0.3:
            upto = self.ids[-1]
            self.chat.ack(self.user, str(upto))
            self.acknowledged = upto

    def take(self, told: Told) -> None:
        number = int(told.id or 0)
        if number <= self.acknowledged:
            self.broken.append(f"{number} again, though acknowledged")
        self.ids.append(number)


@pytest.mark.parametrize("conf", list(CONFS))
def test_nothing_is_lost_when_processes_are_killed(tmp_path: Path, conf: str) -> None:
    """Whoever streams, and whoever sends, is killed while messages go to two users."""
    chance = random.Random(11)  # noqa: S311 (likewise)
    with chatting(tmp_path, conf, workers="2", threads="8") as chat:
        chat.add("alice", "bob")
        devices = [Device(chat, name, n) for n, name in enumerate(("alice", "bob"))]
        for each in devices:
            each.chat.user_token(each.user)
            each.start()
        sent: dict[str, list[int]] = {"alice": [], "bob": []}
        for n in range(150):
            name = chance.choice(list(sent))
            try:
                sent[name].append(int(chat.send(str(n), name)))
            except (OSError, AssertionError):
                continue  # not answered: it may be there, or not
            if n % 25 == 20:
                os.kill(chance.choice(chat.server.workers()), signal.SIGKILL)
        ends = time.monotonic() + 30
        while any(set(sent[each.user]) - set(each.ids) for each in devices):
            assert time.monotonic() < ends, [
                sorted(set(sent[each.user]) - set(each.ids)) for each in devices
            ]
            time.sleep(0.05)
        for each in devices:
            each.done.set()
            each.join(10)

    assert [each.broken for each in devices] == [[], []]
    for each in devices:
        first_seen = list(dict.fromkeys(each.ids))
        assert first_seen == sorted(first_seen)
        assert len(sent[each.user]) > 30


@pytest.mark.parametrize("conf", list(CONFS))
def test_a_reload_ends_streams_at_once_and_they_come_back(
    tmp_path: Path, conf: str
) -> None:
    with chatting(tmp_path, conf, workers="1", threads="8") as chat:
        chat.add("alice")
        old = chat.server.workers()
        with chat.listen("alice", "ios_1") as device:
            chat.send("one", "alice")
            device.wait_for(1)
            chat.server.process.send_signal(signal.SIGHUP)
            device.until_over()
        while set(old) & set(chat.server.workers()):
            time.sleep(0.02)
        with chat.listen("alice", "ios_1", after=device.told[0].id or "") as again:
            chat.send("two", "alice")
            texts = again.texts(1)

    assert device.retry[-1] < device.retry[0]
    assert texts == ["two"]
    assert "graceful timeout" not in chat.server.log


def test_threads_that_stream_leave_others_for_calls(tmp_path: Path) -> None:
    with chatting(tmp_path, "threads", workers="1", threads="4") as chat:
        chat.add("alice", "bob", "carol")
        with chat.listen("alice", "ios_1"), chat.listen("bob", "ios_1") as last:
            with pytest.raises(Refused) as refused:
                chat.listen("carol")
            answered = chat.status("alice"), chat.status("carol")
            last.close()
            ends = time.monotonic() + 20
            while True:  # until the server has seen that one is free
                try:
                    chat.listen("carol").close()
                    break
                except Refused:
                    assert time.monotonic() < ends
                    time.sleep(0.05)

    assert refused.value.status == 503
    assert "retry-after: 5" in refused.value.head
    assert answered == ("online", "offline")


@pytest.mark.parametrize("conf", list(CONFS))
def test_who_stops_reading_is_dropped_and_keeps_the_queue(
    tmp_path: Path, conf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chatting(tmp_path, conf, workers="1", threads="8") as chat:
        chat.add("alice")
        big = "x" * 3_900
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.settimeout(20)
            deaf.connect(("127.0.0.1", chat.server.port))
            head = f"GET /acme/chat/users/alice/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {chat.user_token('alice')}\r\n\r\n"
            deaf.sendall(head.encode())
            assert b" 200 " in deaf.recv(64)
            count = 0
            online = True
            ends = time.monotonic() + 60
            while online:
                if count < 120:
                    chat.send(big, "alice")
                    count += 1
                online = chat.status("alice") == "online"
                assert time.monotonic() < ends
                time.sleep(0.02)
        waiting = chat.waiting("alice")
        with chat.listen("alice") as device:
            device.wait_for(count)

    assert waiting == count


CONFIGURATION = """
daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    server {{
        listen 127.0.0.1:{port};
{locations}
    }}
}}
"""
LOCATIONS = """
        location ~ ^/[^/]+/[^/]+/users/[^/]+/stream$ {
            proxy_pass http://127.0.0.1:8001;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_buffering off;
            proxy_read_timeout 60s;
        }
        location / {
            proxy_pass http://127.0.0.1:8000;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            client_max_body_size 11m;
        }
"""


@contextmanager
def nginx(
    place: Path, api: Gunicorn, streams: Gunicorn, page_port: int = 1
) -> Iterator[int]:
    place.mkdir()
    port = free_port()
    locations = LOCATIONS.replace("8000", str(api.port)).replace(
        "8001", str(streams.port)
    )
    for path in ("page", "seen"):
        inside = "/" if path == "page" else "/seen/"
        locations += f"        location /{path}/ {{ proxy_pass http://127.0.0.1:{page_port}{inside}; }}\n"
    configuration = place / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(place=place, port=port, locations=locations)
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
    reason="there is no nginx here to put two servers behind",
)
def test_two_servers_behind_one_nginx(tmp_path: Path) -> None:
    """Calls go to the threads, streams to the greenlets, and one tells the other."""
    settings = {"workers": "1", "trusted_proxies": "1"}
    with (
        chatting(tmp_path, "threads", threads="4", **settings) as chat,
        serving(chat.server.state_dir, conf=CONFS["greenlets"], **settings) as streams,
        nginx(tmp_path / "nginx", chat.server, streams) as port,
    ):
        front = Gunicorn(
            chat.server.process, port, chat.server.state_dir, chat.server.log_path
        )
        through = Chat(front, chat.token)
        through.add(*(f"u{n}" for n in range(20)))
        devices = [through.listen(f"u{n}") for n in range(20)]
        for n in range(20):
            through.send(f"to {n}", f"u{n}")
        texts = [device.texts(1) for device in devices]
        through.call("GET", "/users/u0/disconnect")
        kicked = devices[0].until_over()[-1].event
        for device in devices:
            device.close()

    assert texts == [[f"to {n}"] for n in range(20)]
    assert kicked == "kicked"
