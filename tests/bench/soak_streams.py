"""Users of a soak who receive: they read, acknowledge, and connect again now and then."""

import json
import random
import re
import selectors
import socket
import time

from tests.bench import load as plain
from tests.bench.soak_book import Seen
from tests.bench.soak_load import Call, Load
from tests.bench.soak_mix import Mix
from tests.bench.soak_world import PEOPLE, Tenant

ID = re.compile(rb"^id: (\d+)$", re.M)
ACKNOWLEDGE_SECONDS = 3.0
CONNECTED_SECONDS = (40, 80)
RECEIVE = 65_536


class Device:
    """One user's device."""

    def __init__(
        self, port: int, tenant: Tenant, load: Load, book: Seen, mix: Mix
    ) -> None:
        self.tenant, self._port, self._load, self._book = tenant, port, load, book
        self.name = PEOPLE[0]
        self.token = tenant.user_tokens[self.name]
        self.told: set[int] = set()
        self._mix = mix
        self.expected: set[int] = set()
        """Messages that were sent since it first listened."""
        self._chance = random.Random(tenant.path)  # noqa: S311 (repeatable, not secret)
        self._last = self._acknowledged = 0
        self._acknowledged_at = time.monotonic()
        self._socket: socket.socket | None = None
        self._came = bytearray()
        self._headed = False
        self._call = Call("stream", b"")
        self._until = 0.0
        self.opened = 0

    def open(self) -> None:
        path = f"{self.tenant.path}/users/{self.name}/stream?resource=web_1&last_event_id={self._last or ''}"
        request = plain.request("GET", path, self.token)
        self._call = Call(
            "stream", request, self.tenant.path, "offline", sent=time.monotonic()
        )
        self._call.due = self._call.sent
        self._book.sent(self._call)
        made = socket.create_connection(("127.0.0.1", self._port), 30)
        made.sendall(request)
        made.setblocking(False)
        self._came.clear()
        self._socket, self._headed = made, False
        self._until = time.monotonic() + self._chance.uniform(*CONNECTED_SECONDS)
        self._load.selector.register(made, selectors.EVENT_READ, self._step)
        self.opened += 1
        self._mix.expected[self.tenant.path, self.name] = self.expected

    def close(self) -> None:
        if self._socket is not None:
            self._load.selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def tick(self, now: float) -> None:
        """Acknowledge what came, connect anew when it is time."""
        if now >= self._until and (self._headed or self._socket is None):
            self.close()
            self.open()
        if now >= self._acknowledged_at + ACKNOWLEDGE_SECONDS:
            self._acknowledged_at = now
            if self._last > self._acknowledged:
                self._acknowledged = self._last
                self._load.add(self._acknowledge(self._last))

    def _acknowledge(self, upto: int) -> Call:
        path = f"{self.tenant.path}/users/{self.name}/stream/ack"
        body = json.dumps({"upto": str(upto)}).encode()
        request = plain.request("POST", path, self.token, body)
        return Call(
            "acknowledge", request, self.tenant.path, "offline", due=time.monotonic()
        )

    def _step(self, _events: int) -> None:
        assert self._socket is not None
        try:
            came = self._socket.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if not came:
            self.close()
            self._until = time.monotonic() + 1
            if self._headed:  # nobody asked it to end
                self._book.failed(Call("stream", b""), "the stream was cut")
            return
        self._came += came
        self._read()

    def _read(self) -> None:
        if not self._headed:
            head, found, rest = bytes(self._came).partition(b"\r\n\r\n")
            if not found:
                return
            status = int(head[9:12])
            self._headed = status == 200
            self._book.done(self._call, status, rest, time.monotonic())
            if not self._headed:
                self.close()
                self._until = time.monotonic() + 1
                return
            self._came = bytearray(rest)
        whole, found_, left = bytes(self._came).rpartition(b"\n\n")
        if not found_:
            return
        self._came = bytearray(left)
        for each in ID.findall(whole):
            self._event(int(each))

    def _event(self, id_: int) -> None:
        self._book.now.events += 1
        if id_ <= self._last:
            self._book.wrong += 1
            self._book.examples.append(f"stream: event {id_} after {self._last}")
        self._last = max(self._last, id_)
        self.told.add(id_)

    @property
    def missing(self) -> int:
        """Messages that were answered 200 and never came."""
        return len(self.expected - self.told)
