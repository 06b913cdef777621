"""A load of plain HTTP from one thread: prepared requests over a few connections."""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

RECEIVE = 65_536


@dataclass
class Result:
    """What one run of load saw."""

    calls: int = 0
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_us: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds

    def percentile(self, share: float) -> float:
        """Of the latencies, in µs."""
        ordered = sorted(self.latencies_us)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """One request as bytes, on a connection that is kept."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def run(
    port: int, connections: int, seconds: float, make: Callable[[int], bytes]
) -> Result:
    """Send for *seconds*: each connection its next request when its answer is whole.

    *make* gives the n-th request. Answers carry a Content-Length, as ours all do.
    """
    selector = selectors.DefaultSelector()
    result = Result()
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, [b"", 0.0])
    began = time.perf_counter()
    ends = began + seconds
    sent = 0
    for key in list(selector.get_map().values()):
        key.data[1] = time.perf_counter()
        key.fileobj.sendall(make(sent))
        sent += 1
    open_calls = connections
    while open_calls:
        for key, _ in selector.select():
            state = key.data
            state[0] += key.fileobj.recv(RECEIVE)
            if not _whole(state[0]):
                continue
            now = time.perf_counter()
            result.latencies_us.append((now - state[1]) * 1e6)
            status = int(state[0][9:12])
            result.statuses[status] = result.statuses.get(status, 0) + 1
            result.calls += 1
            if now >= ends:
                open_calls -= 1
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            state[0], state[1] = b"", now
            key.fileobj.sendall(make(sent))
            sent += 1
    result.seconds = time.perf_counter() - began
    return result


def _whole(answer: bytes) -> bool:
    if not answer:
        raise ConnectionError("the server closed a connection")
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = answer.lower().find(b"content-length:", 0, head)
    if at < 0:
        raise ValueError("an answer without Content-Length")
    length = int(answer[at + 15 : answer.index(b"\r\n", at)])
    return len(answer) >= head + 4 + length
