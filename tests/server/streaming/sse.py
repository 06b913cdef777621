"""A client of a stream, by sockets alone: what it was told, and when it ended."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import orjson

from tests.server.gunicorn import Gunicorn

PATIENCE = 20.0


@dataclass
class Told:
    """One event."""

    event: str
    data: dict[str, Any]
    id: str | None = None

    @property
    def text(self) -> str:
        """Of a text message."""
        return self.data["payload"]["bodies"][0]["msg"]


class Refused(Exception):
    def __init__(self, status: int, body: dict[str, Any], head: str) -> None:
        self.status, self.body, self.head = status, body, head.lower()
        super().__init__(f"{status} {body}")


@dataclass
class Client:
    """One device; a context that closes its connection."""

    port: int
    path: str
    token: str = ""
    last_event_id: str = ""
    address: str = "127.0.0.1"
    told: list[Told] = field(default_factory=list)
    comments: int = 0
    retry: list[int] = field(default_factory=list)
    over: bool = False
    received: Callable[[Told], None] | None = None

    def __post_init__(self) -> None:
        head = [f"GET {self.path} HTTP/1.1", "Host: chat.example"]
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        if self.last_event_id:
            head.append(f"Last-Event-ID: {self.last_event_id}")
        self._socket = socket.create_connection((self.address, self.port), PATIENCE)
        self._socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        self._chunks = b""
        self._text = b""
        answer = b""
        while b"\r\n\r\n" not in answer:
            came = self._socket.recv(65_536)
            if not came:
                self._socket.close()
                raise ConnectionResetError
            answer += came
        top, _, self._chunks = answer.partition(b"\r\n\r\n")
        self.head = top.decode()
        status = int(top.split()[1])
        if status != 200:
            with self._socket:
                raise Refused(status, self._refusal(), self.head)
        self._unpack()  # what came with the head

    def _refusal(self) -> dict[str, Any]:
        length = int(self.head.lower().partition("content-length: ")[2].split()[0])
        while len(self._chunks) < length:
            came = self._socket.recv(65_536)
            if not came:
                raise ConnectionResetError
            self._chunks += came
        return orjson.loads(self._chunks)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def _take(self, seconds: float) -> None:
        """Read what comes next; raises TimeoutError when nothing does."""
        if self.over:
            return
        self._socket.settimeout(max(seconds, 0.001))
        try:
            came = self._socket.recv(65_536)
        except ConnectionResetError:
            came = b""
        if not came:
            self.over = True
        self._chunks += came
        self._unpack()

    def _unpack(self) -> None:
        while not self.over and b"\r\n" in self._chunks:
            size, _, rest = self._chunks.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            self._text += rest[:length]
            self._chunks = rest[length + 2 :]
            self.over = length == 0
        while b"\n\n" in self._text:
            block, _, self._text = self._text.partition(b"\n\n")
            self._read(block.decode())

    def _read(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if block.startswith(":"):
            self.comments += 1
        if "retry" in fields:
            self.retry.append(int(fields["retry"]))
        if "data" in fields:
            told = Told(fields["event"], orjson.loads(fields["data"]), fields.get("id"))
            self.told.append(told)
            if self.received is not None:
                self.received(told)

    def until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        ends = time.monotonic() + seconds
        while not holds():
            assert not self.over, f"the stream ended after {self.told}"
            assert time.monotonic() < ends, self.told
            try:
                self._take(ends - time.monotonic())
            except TimeoutError:
                continue

    def wait_for(self, count: int, seconds: float = PATIENCE) -> list[Told]:
        """The events, once there are so many."""
        self.until(lambda: len(self.told) >= count, seconds)
        return self.told

    def texts(self, count: int) -> list[str]:
        return [each.text for each in self.wait_for(count)]

    def until_over(self, seconds: float = PATIENCE) -> list[Told]:
        ends = time.monotonic() + seconds
        while not self.over:
            self._take(ends - time.monotonic())
        return self.told


@dataclass
class Chat:
    """An app on a server that runs, with users whose tokens are known."""

    server: Gunicorn
    token: str
    key: str = "acme/chat"
    streams: Gunicorn | None = None
    """Where streams are, if not there."""
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        while True:
            answer = self.server.call(
                method, f"/{self.key}{path}", body, token or self.token
            )
            if answer[0] != 429:  # the app's own rate, which calls of tests meet
                assert answer[0] == 200, answer
                return answer[2]
            time.sleep(0.1)

    def add(self, *names: str) -> None:
        """Users in blocks of what one call may register."""
        for at in range(0, len(names), 60):
            new = [{"username": name, "password": "x"} for name in names[at : at + 60]]
            self.call("POST", "/users", new)

    def user_token(self, name: str) -> str:
        if name not in self.tokens:
            grant = {"grant_type": "password", "username": name, "password": "x"}
            answer = self.server.call("POST", f"/{self.key}/token", grant)
            assert answer[0] == 200, answer
            self.tokens[name] = answer[2]["access_token"]
        return self.tokens[name]

    def listen(
        self, name: str, resource: str = "", *, after: str = "", **more: Any
    ) -> Client:
        query = f"?resource={resource}" if resource else ""
        path = f"/{self.key}/users/{name}/stream{query}"
        server = self.streams or self.server
        token = more.pop("token", None) or self.user_token(name)
        while True:
            try:
                return Client(server.port, path, token, after, server.address, **more)
            except Refused as refused:
                if refused.status != 429:
                    raise
                time.sleep(0.1)

    def send(self, text: str, *targets: str, kind: str = "users", **more: Any) -> str:
        """The id of the first target's."""
        whole = {
            "target_type": kind,
            "target": targets,
            "msg": {"type": "txt", "msg": text},
        }
        answer = self.call("POST", "/messages?useMsgId=true", whole | more)
        return str(answer["data"][targets[0]])

    def ack(self, name: str, upto: str) -> int:
        answer = self.call(
            "POST", f"/users/{name}/stream/ack", {"upto": upto}, self.user_token(name)
        )
        return int(answer["data"]["acknowledged"])

    def waiting(self, name: str) -> int:
        answer = self.call("GET", f"/users/{name}/offline_msg_count")
        return int(answer["data"][name])

    def status(self, name: str) -> str:
        return str(self.call("GET", f"/users/{name}/status")["data"][name])
