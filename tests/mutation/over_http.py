"""A WSGI application that asks a server over HTTP, so that one client serves for both."""

import http.client
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from werkzeug.test import Client

TIMEOUT_SECONDS = 60
CHUNK = 65_536
LONGEST_WORD = 20
REFUSED = 400


@dataclass(frozen=True)
class Exchange:
    """One call as it is seen from outside; *rule* is what refused it, if any did."""

    call: str
    status: int
    rule: str

    def __str__(self) -> str:
        return f"{self.status} by {self.rule}" if self.rule else str(self.status)


class OverHttp:
    """Stands where a test's own application would; keeps a trace of its calls."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=TIMEOUT_SECONDS
        )
        self.trace: list[Exchange] = []

    def test_client(self) -> Client:
        return Client(self)

    def close(self) -> None:
        self._connection.close()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        answer = self._ask(environ)
        start_response(f"{answer.status} {answer.reason}", answer.getheaders())
        if answer.getheader("Content-Type", "").startswith("text/event-stream"):
            yield from self._streamed(environ, answer)
            return
        first = answer.read(CHUNK)
        self.trace.append(Exchange(_call(environ), answer.status, _rule(answer, first)))
        yield first
        yield from iter(lambda: answer.read(CHUNK), b"")

    def _streamed(
        self, environ: dict[str, Any], answer: http.client.HTTPResponse
    ) -> Iterator[bytes]:
        """As it comes, for it has no end to wait for."""
        self.trace.append(Exchange(_call(environ), answer.status, ""))
        try:
            yield from iter(lambda: answer.read1(CHUNK), b"")
        finally:
            answer.close()  # it holds the socket too
            self._connection.close()  # what was not read is in the way

    def _ask(self, environ: dict[str, Any]) -> http.client.HTTPResponse:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}
        }
        body = environ["wsgi.input"].read() or None
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        if environ["QUERY_STRING"] and "?" not in target:
            target += "?" + environ["QUERY_STRING"]
        try:
            self._connection.request(method, target, body, headers)
            return self._connection.getresponse()
        except BaseException:
            self._connection.close()  # the next call begins anew
            raise


def told(trace: Iterable[Exchange]) -> str:
    """A trace in words, alike calls counted: "POST /messages 200 ×10, 429 by …"."""
    return "; ".join(
        f"{call} "
        + ", ".join(
            str(alike) + (f" ×{count}" if count > 1 else "")
            for alike, count in (
                (one, len(list(same))) for one, same in itertools.groupby(exchanges)
            )
        )
        for call, exchanges in itertools.groupby(trace, key=lambda each: each.call)
    )


def _call(environ: dict[str, Any]) -> str:
    """Method and path, without org and app, with … for the names of things."""
    _, _, _, *words = environ["PATH_INFO"].split("/")
    shown = (
        "…" if len(word) > LONGEST_WORD or any(map(str.isdigit, word)) else word
        for word in words
    )
    return f"{environ['REQUEST_METHOD']} /{'/'.join(shown)}"


def _rule(answer: http.client.HTTPResponse, content: bytes) -> str:
    if answer.status < REFUSED:
        return ""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    return str(said.get("rule", "")) if isinstance(said, dict) else ""
