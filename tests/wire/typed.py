"""Requests as somebody types them: bytes, and what comes back."""

import json
from textwrap import dedent

from tests.server.gunicorn import Gunicorn
from tests.wire.cast import Cast
from tests.wire.player import BASE, Answer, create, patiently

JSON = "application/json; charset=utf-8"


class Client:
    """Sends the bytes of a request as they are typed."""

    def __init__(self, server: Gunicorn) -> None:
        self.server = server
        self.cast = Cast(lambda path, body: create(server, self.cast, path, body))
        self.cast.give("ada, linus, grace")

    def raw(self, text: str, body: bytes = b"") -> bytes:
        """A head as typed, with ``TOKEN`` and ``LENGTH`` filled in, and a body."""
        head = dedent(text).strip().replace("\n", "\r\n")
        head = head.replace("TOKEN", self.cast.bearers["app"])
        head = head.replace("LENGTH", str(len(body)))
        for name, value in self.cast.kept.values.items():
            head = head.replace(f"<{name}>", str(value))
        return head.encode() + b"\r\n\r\n" + body

    def say(self, text: str, body: bytes = b"") -> Answer:
        request = self.raw(text, body)
        return patiently(lambda: Answer(self.server.raw(request)))

    def ask(self, line: str, body: bytes = b"") -> dict[str, object]:
        """The JSON of a call without any quirk, which must succeed."""
        answer = self.say(
            f"""
            {line} HTTP/1.1
            Host: chat.acme.example
            Authorization: Bearer TOKEN
            Content-Length: LENGTH
            Connection: close
            """,
            body,
        )
        assert answer.status == 200, answer.body
        found = json.loads(answer.body)
        assert isinstance(found, dict)
        return found


def sent(answer: Answer) -> dict[str, object]:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == JSON
    body = json.loads(answer.body)
    assert isinstance(body, dict)
    return body


def part(head: str, content: bytes) -> bytes:
    return f"--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + (
        content + b"\r\n"
    )


END = b"--limit--\r\n"


def uploaded(client: Client, body: bytes, more: str = "") -> dict[str, object]:
    """The answer to a multipart body."""
    answer = client.say(
        f"POST /acme/lounge/chatfiles HTTP/1.1\nHost: chat.acme.example\n{more}"
        "Authorization: Bearer TOKEN\nConnection: close\nContent-Length: LENGTH\n"
        "Content-Type: multipart/form-data; boundary=limit",
        body,
    )
    return sent(answer)


def file_of(answer: dict[str, object]) -> str:
    """The file's address as clients build it: ``uri`` + ``/`` + ``uuid``."""
    uri, (entity,) = str(answer["uri"]), answer["entities"]
    return f"{uri}/{entity['uuid']}".removeprefix(BASE)


def bytes_of(client: Client, path: str, more: str = "") -> Answer:
    return client.say(
        f"GET {path} HTTP/1.1\nHost: chat.acme.example\n{more}"
        "Authorization: Bearer TOKEN\nConnection: close"
    )
