"""A transcript of every interface with curl: ``python -m tests.wire.transcript``.

A day of an app, as in test_all_operations.py, against gunicorn with four workers. Each
call is printed as it was made and as it was answered; the app's token stands as $TOKEN.
An answer that is not what the reference says ends it.
"""

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

from tests.server.gunicorn import serving
from tests.wire.sdk import Answer, Sdk
from tests.wire.test_all_operations import a_day, missing, sdk

MOST_SHOWN = 2_000
"""Characters of a body; more is counted."""


class Curl(Sdk):
    """An SDK whose every call is a run of curl, printed."""

    def _send(
        self, method: str, target: str, content: bytes | None, fields: dict[str, str]
    ) -> Answer:
        command = ["curl", "--silent", "--include", "--request", method]
        for name, value in fields.items():
            command += ["--header", f"{name}: {value}"]
        if content is not None:
            command += ["--header", "Expect:", "--data-binary", "@-"]
            if "Content-Type" not in fields:
                command += ["--header", "Content-Type:"]
        command.append(f"http://127.0.0.1:{self.port}{target}")
        done = subprocess.run(command, input=content, capture_output=True, check=True)
        answer, head = _read(done.stdout)
        self._print(command, content, head, answer)
        return answer

    def _print(
        self, command: list[str], content: bytes | None, head: str, answer: Answer
    ) -> None:
        line = shlex.join(command)
        if self.token:
            bearer = "Authorization: Bearer "
            line = line.replace(f"'{bearer}{self.token}'", f'"{bearer}$TOKEN"')
        given = "" if content is None else f" <<< {shlex.quote(_shown(content))}"
        print(f"$ {line}{given}\n{head}\n\n{_shown(answer.body)}\n")


def _read(received: bytes) -> tuple[Answer, str]:
    """The answer, and its head as curl shows it."""
    top, _, body = received.partition(b"\r\n\r\n")
    head = top.decode("latin-1").replace("\r\n", "\n")
    first, *lines = head.split("\n")
    headers = {
        name.lower(): value for name, value in (each.split(": ", 1) for each in lines)
    }
    is_json = headers["content-type"].startswith("application/json")
    status = int(first.split(" ")[1])
    return Answer(status, headers, json.loads(body) if is_json else body), head


def _shown(body: object) -> str:
    if isinstance(body, bytes):
        if not body.isascii():
            return f"({len(body)} bytes)"
        body = body.decode()
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"({len(text)} characters)"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        state_dir = Path(place) / "state"
        with serving(
            state_dir, workers="4", guard_calls="1000", time_zone="UTC"
        ) as server:
            clients = [sdk(server, f"curl/{name}", Curl) for name in ("one", "two")]
            a_day(*clients, begins=lambda name: print(f"## {name}\n"))
            left = missing(*clients)
            print(f"every operation was called: {not left}", *sorted(left), sep="\n")


if __name__ == "__main__":
    main()
