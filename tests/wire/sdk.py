"""A server SDK as people write them: tokens, retries after 429, JSON, nothing clever."""

import http.client
import json
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    """Status, headers in lower case, and the body, decoded where it is JSON."""

    status: int
    headers: dict[str, str]
    body: object


@dataclass
class Sdk:
    """One app's server: keeps a connection and a token, notes what it called."""

    port: int
    app: str
    client_id: str
    client_secret: str
    token: str = ""
    called: set[str] = field(default_factory=set)
    """Each operation as the reference writes it."""

    def sign_in(self) -> None:
        answer = self.call(
            "POST /token",
            {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )
        self.token = answer["access_token"]

    def call(
        self, operation: str, body: object = None, **path: object
    ) -> dict[str, object]:
        """The JSON of a call that must succeed."""
        answer = self.ask(operation, body, **path)
        assert answer.status == 200, (operation, answer)
        assert isinstance(answer.body, dict), (operation, answer)
        assert "error" not in answer.body, (operation, answer)
        return answer.body

    def ask(
        self,
        operation: str,
        body: object = None,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
        **path: object,
    ) -> Answer:
        """One call; waits and tries again when told to, like shipped clients do."""
        method, template = operation.split(" ", 1)
        self.called.add(f"{method} {{A}}{template}")
        target = f"/{self.app}{template.format(**path)}{query}"
        fields = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        content = body if isinstance(body, bytes) else None
        if body is not None and content is None:
            content = json.dumps(body).encode()
            fields.setdefault("Content-Type", "application/json")
        for _ in range(5):
            answer = self._send(method, target, content, fields)
            if answer.status != 429 or int(answer.headers["retry-after"]) > 5:
                return answer
            time.sleep(int(answer.headers["retry-after"]))
        return answer

    def get(self, url: str) -> Answer:
        """What a bare HTTP client gets, without any header of ours."""
        return self._send("GET", url, None, {})

    def _send(
        self, method: str, target: str, content: bytes | None, fields: dict[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, content, fields)
            response = connection.getresponse()
            received = response.read()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        is_json = headers["content-type"].startswith("application/json")
        return Answer(
            response.status, headers, json.loads(received) if is_json else received
        )
