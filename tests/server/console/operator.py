"""An operator at a browser of their own."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.store import operators

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass
class Operator:
    """Signed in, unless they have yet to."""

    client: FlaskClient
    key: str

    def sign_in(self, **more: Any) -> TestResponse:
        return self.client.post("/console/sign-in", data={"key": self.key}, **more)

    def get(self, path: str = "", **more: Any) -> TestResponse:
        return self.client.get(f"/console{path}", **more)

    def csrf(self) -> str:
        found = CSRF.search(self.get("/audit").text)
        assert found is not None
        return found[1]

    def post(self, path: str, *, csrf: str | None = None, **form: str) -> TestResponse:
        token = self.csrf() if csrf is None else csrf
        return self.client.post(f"/console{path}", data={"csrf": token, **form})


def operator(app: Flask, name: str = "olga") -> Operator:
    """Someone with a key, signed in."""
    found = Operator(app.test_client(), operators.create(name))
    assert found.sign_in().status_code == 303
    return found


def words(answer: TestResponse) -> str:
    """What a reader sees of a page, roughly."""
    text = re.sub(r"<(script|style).*?</\1>", " ", answer.text, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())
