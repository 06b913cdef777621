"""Golden scenarios, played against a server over real sockets."""

import gzip
import io
import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from tests.server.gunicorn import Gunicorn
from tests.wire import golden
from tests.wire.cast import Cast
from tests.wire.golden import Exchange, Given, Half, Scenario
from tests.wire.shapes import Differs

BASE = "https://chat.acme.example"
"""What the server is told callers call it, as in the reference."""
BOUNDARY = "limit-of-the-parts"
HAMMERS = 8
HAMMER_SECONDS = 60
JSON = "application/json; charset=utf-8"
ABSENT = "(absent)"


class Answer:
    """Status, headers in lower case, and the body's bytes."""

    def __init__(self, raw: bytes) -> None:
        while raw.startswith(b"HTTP/1.1 100"):
            raw = raw.partition(b"\r\n\r\n")[2]
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        pairs = (line.split(":", 1) for line in lines)
        self.headers = {name.lower(): value.strip() for name, value in pairs}


def play(scenario: Scenario, server: Gunicorn) -> None:
    """
    Raises:
        Differs: an answer is not as written; says which and how.
    """
    cast = Cast(lambda path, body: create(server, cast, path, body))
    cast.kept.values["base"] = f"{BASE}/acme/lounge"
    for n, step in enumerate(scenario.steps, 1):
        if isinstance(step, Given):
            cast.give(step.words)
            continue
        try:
            _exchange(server, cast, step)
        except (Differs, KeyError) as wrong:
            message = f"{scenario.name}, step {n}, {step.request.first}: {wrong}"
            raise Differs(message) from None


def create(server: Gunicorn, cast: Cast, path: str, body: dict[str, object]) -> str:
    token = "{app}" if path.startswith("/acme/") else "{globex}"
    asked = Half(
        f"POST {path}",
        [("Authorization", f"Bearer {token}"), ("", "")],
        [json.dumps(body)],
        is_absolute=True,
    )
    answer = patiently(lambda: ask(server, cast, asked))
    assert answer.status == 200, answer.body
    made = json.loads(answer.body)["data"]
    return str(made.get("groupid") or made["id"])


def _exchange(server: Gunicorn, cast: Cast, step: Exchange) -> None:
    if step.hammers:
        answer = hammer(server, cast, step)
    elif step.status == 429:
        answer = ask(server, cast, step.request)
    else:
        answer = patiently(lambda: ask(server, cast, step.request))
    if answer.status != step.status:
        message = f"{answer.status}, not {step.status}: {answer.body[:2000]!r}"
        raise Differs(message)
    for name, value in step.answer.headers:
        if name:
            found = answer.headers.get(name.lower(), ABSENT)
            cast.kept.match(ABSENT if value == "{none}" else value, found, name)
    _check_body(cast, step.answer, answer)


def patiently(send: Callable[[], Answer]) -> Answer:
    """What a client does that is told when to come back."""
    while True:
        answer = send()
        wait = int(answer.headers.get("retry-after", "0"))
        if answer.status != 429 or wait > 5:
            return answer
        time.sleep(wait)


def hammer(server: Gunicorn, cast: Cast, step: Exchange) -> Answer:
    """The first answer of the status that is wanted, of many calls at once."""
    ends = time.monotonic() + HAMMER_SECONDS
    found = threading.Event()

    def strike() -> Answer | None:
        while not found.is_set() and time.monotonic() < ends:
            answer = ask(server, cast, step.request)
            if answer.status == step.status:
                found.set()
                return answer
        return None

    with ThreadPoolExecutor(HAMMERS) as pool:
        struck = [
            each.result() for each in [pool.submit(strike) for _ in range(HAMMERS)]
        ]
    for answer in struck:
        if answer is not None:
            return answer
    message = f"never {step.status} in {HAMMER_SECONDS} seconds"
    raise Differs(message)


def ask(server: Gunicorn, cast: Cast, asked: Half) -> Answer:
    """Send a request as it is written."""
    method, path = cast.kept.fill(asked.first).split(" ", 1)
    if not asked.is_absolute:
        path = f"/acme/lounge{path}"
    body, kind = content(cast, asked)
    headers = [
        (name, _bearer(cast, cast.kept.fill(value)))
        for name, value in asked.headers
        if name
    ]
    if kind and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    if body:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", "Host: chat.acme.example"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n"
    return Answer(server.raw(head.encode() + body, 60))


def _bearer(cast: Cast, value: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda met: cast.bearers[met[1]], value)


def content(cast: Cast, asked: Half) -> tuple[bytes, str]:
    """The body's bytes, and the type that its form implies."""
    if not asked.body:
        return b"", ""
    form, _, rest = asked.body[0].partition(" ")
    if form == "@bytes":
        return golden.literal(cast.kept.fill(rest)), ""
    if form == "@each":
        number, _, each = rest.partition(" ")
        each = cast.kept.fill(each)
        elements = (each.replace("#", str(n)) for n in range(1, int(number) + 1))
        return f"[{', '.join(elements)}]".encode(), ""
    if form == "@part":
        parts = b"".join(_part(line) for line in asked.body)
        end = f"--{BOUNDARY}--\r\n".encode()
        return parts + end, f"multipart/form-data; boundary={BOUNDARY}"
    return cast.kept.fill(asked.text).encode(), ""


def _part(line: str) -> bytes:
    found = golden.options(line.removeprefix("@part "))
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{found["name"]}"'
    if "filename" in found:
        head += f'; filename="{found["filename"]}"'
    if "type" in found:
        head += f"\r\nContent-Type: {found['type']}"
    if "zeros" in found:
        body = bytes(int(found["zeros"]))
    elif "png" in found:
        width, height = map(int, found["png"].split("x"))
        body = png(width, height)
    else:
        body = golden.literal(found["content"])
    return head.encode() + b"\r\n\r\n" + body + b"\r\n"


def png(width: int, height: int) -> bytes:
    """An image too rough to be small."""
    kept = io.BytesIO()
    Image.effect_noise((width, height), 90).save(kept, "PNG")
    return kept.getvalue()


def _check_body(cast: Cast, wanted: Half, answer: Answer) -> None:
    form, _, rest = (wanted.body[0] if wanted.body else "").partition(" ")
    if form == "@none":
        _same(b"", answer.body)
    elif form == "@bytes":
        _same(golden.literal(cast.kept.fill(rest)), answer.body)
    elif form == "@image":
        kind, size = rest.split()
        image = Image.open(io.BytesIO(answer.body))
        found = f"{image.format} {image.width}x{image.height}"
        _same(f"{kind} {size}".encode(), found.encode())
    elif form == "@gunzip":
        lines = gzip.decompress(answer.body).splitlines()
        written = [json.loads(line) for line in wanted.body[1:]]
        cast.kept.match(written, [json.loads(line) for line in lines])
    elif wanted.body:
        if answer.headers["content-type"] != JSON:
            message = f"the body is {answer.headers['content-type']}"
            raise Differs(message)
        cast.kept.match(json.loads(wanted.text), json.loads(answer.body))


def _same(wanted: bytes, found: bytes) -> None:
    if wanted != found:
        message = f"{found[:200]!r}, not {wanted[:200]!r}"
        raise Differs(message)
