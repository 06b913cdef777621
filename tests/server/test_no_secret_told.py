"""A busy session with known secrets, and then a search for them everywhere they leak.

What is kept of them belongs in the database and the files alone: message texts in both,
passwords and secrets in neither but as hashes.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from tests.server.api.test_files import TYPE, multipart, part
from tests.server.gunicorn import ROOT, Gunicorn, environment, flask, parse, serving
from tests.server.test_served_ops import scraped

METRICS_TOKEN = "metrics-token-c0ffee"
PASSWORD, NEW_PASSWORD, WRONG = "pass-w0rd-one", "pass-w0rd-two", "pass-w0rd-wrong"
TEXT, EXTENSION, ATTRIBUTE = "body-0f-a-message", "ext-0f-a-message", "attr-0f-a-user"
FILE_BYTES = b"bytes-0f-a-file"
HEADER_SECRET, QUERY_SECRET = "header-secr3t", "query-secr3t"


@dataclass
class Session:
    """What was used, by what it is; and where the server wrote."""

    server: Gunicorn
    access_log: Path
    credentials: dict[str, str] = field(default_factory=dict)
    """May be found nowhere at all."""
    texts: dict[str, str] = field(default_factory=dict)
    """May be found in the database and the stored files alone."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    place = tmp_path_factory.mktemp("secrets")
    state, log = place / "state", place / "access.log"
    made = orjson.loads(flask(ROOT, state, "apps", "create", "acme/chat", "--json"))
    with serving(
        state,
        workers="2",
        access_log=str(log),
        log_level="debug",
        metrics_token=METRICS_TOKEN,
    ) as server:
        session = Session(server, log)
        session.credentials |= {
            "the metrics token": METRICS_TOKEN,
            "the client secret": made["client_secret"],
            "a password": PASSWORD,
            "a new password": NEW_PASSWORD,
            "a wrong password": WRONG,
            "a header that cannot be read": HEADER_SECRET,
            "a query": QUERY_SECRET,
        }
        session.texts |= {
            "a message's text": TEXT,
            "its extension": EXTENSION,
            "an attribute": ATTRIBUTE,
            "a file's content": FILE_BYTES.decode(),
        }
        be_busy(session, made)
        yield session


def be_busy(session: Session, made: dict[str, str]) -> None:
    """Everything that has a secret in it, done right and done wrong."""
    server, secrets = session.server, session.credentials

    def call(method: str, path: str, body: object = None, **options: object) -> dict:
        return server.call(method, f"/acme/chat{path}", body, **options)[2]

    grant = {"grant_type": "client_credentials", "client_id": made["client_id"]}
    token = call("POST", "/token", grant | {"client_secret": made["client_secret"]})
    secrets["an app token"] = app = token["access_token"]
    call("POST", "/token", grant | {"client_secret": WRONG})
    call("POST", "/token", grant | {"client_secret": [WRONG], "password": WRONG})
    users = [{"username": name, "password": PASSWORD} for name in ("alice", "bob")]
    call("POST", "/users", users, token=app)
    call("POST", "/users", users, token=app)  # they are there already
    call("POST", "/users", [{"username": "x", "password": WRONG * 99}], token=app)
    sign_in = {"grant_type": "password", "username": "alice", "password": PASSWORD}
    secrets["a user token"] = user = call("POST", "/token", sign_in)["access_token"]
    call("POST", "/token", sign_in | {"password": WRONG})
    call(
        "PUT", "/users/alice/password",
        {"oldpassword": PASSWORD, "newpassword": NEW_PASSWORD}, token=app,
    )  # fmt: skip
    call("GET", f"/users/alice?access_token={QUERY_SECRET}", token=app)
    call("GET", f"/nothing/at/all?x={QUERY_SECRET}", token=user)
    call("GET", "/users/alice", token=app[:-2] + "xx")
    send(call, app)
    attribute(server, app)
    transfer(session, app)
    history(session, app)
    receive(session, sign_in | {"username": "bob"})
    malformed(server, app)
    operate(session)
    server.raw(
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Authorization: Bearer " + WRONG.encode() + b"\r\n\r\n"
    )


def operate(session: Session) -> None:
    """The console, signed in to and looked at."""
    server, secrets = session.server, session.credentials
    make = ("operators", "create", "olga", "--json")
    key = orjson.loads(flask(ROOT, server.state_dir, *make))["key"]

    def ask(method: str, path: str, cookie: str = "", form: str = "") -> str:
        head = f"{method} /console{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += f"Cookie: weir-console={cookie}\r\nContent-Length: {len(form)}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        return server.raw((head + form).encode()).decode()

    ask("POST", "/sign-in", form=f"key={WRONG}")
    signed_in = ask("POST", "/sign-in", form=f"key={key}")
    cookie = signed_in.partition("weir-console=")[2].partition(";")[0]
    page = ask("GET", "/apps/acme/chat", cookie)
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    assert len(cookie) > 30
    assert len(csrf) == 64
    ask("POST", "/apps/acme/chat/try", cookie, f"csrf={csrf}&to=alice&text={TEXT}")
    ask("POST", "/apps/acme/chat/delete", cookie, f"csrf={csrf}&key={WRONG}")
    ask("GET", "", WRONG)
    secrets |= {"an operator's key": key, "a session": cookie, "its forms": csrf}


def send(call: Callable[..., object], token: str) -> None:
    message = {
        "target_type": "users", "target": ["alice"], "from": "bob",
        "msg": {"type": "txt", "msg": TEXT}, "ext": {"e": EXTENSION},
    }  # fmt: skip
    call("POST", "/messages", message | {"target": [TEXT] * 601}, token=token)
    call("POST", "/messages", message | {"msg": TEXT}, token=token)
    for _ in range(14):  # the last ones are refused
        call("POST", "/messages", message, token=token)


def attribute(server: Gunicorn, token: str) -> None:
    content = f"mood={ATTRIBUTE}"
    server.raw(
        "PUT /acme/chat/metadata/user/alice HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{content}".encode()
    )


def transfer(session: Session, token: str) -> None:
    """A file whose secret is needed to have it: with it, and without."""
    server = session.server
    content = multipart(part("file", FILE_BYTES, "f.txt", "text/plain"))
    head = (
        "POST /acme/chat/chatfiles HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nrestrict-access: true\r\n"
        f"Content-Type: {TYPE}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    (entity,) = parse(server.raw(head.encode() + content))[2]["entities"]
    secret = session.credentials["a share-secret"] = entity["share-secret"]
    for tried in (secret, WRONG):
        server.raw(
            f"GET /acme/chat/chatfiles/{entity['uuid']} HTTP/1.1\r\nHost: x\r\n"
            f"Connection: close\r\nAuthorization: Bearer {token}\r\n"
            f"share-secret: {tried}\r\n\r\n".encode()
        )


def history(session: Session, token: str) -> None:
    """A signed address of the hour before this one, used, spoilt, and looked at."""
    hour = datetime.now(UTC) + timedelta(hours=8 - 1)  # the default time zone
    make_older(session.server.state_dir)
    answer = session.server.call(
        "GET", f"/acme/chat/chatmessages/{hour:%Y%m%d%H}", token=token
    )[2]
    url = answer["data"][0]["url"]
    signature = url.partition("Signature=")[2]
    session.credentials["a signature"] = signature
    target = "/history" + url.partition("/history")[2]
    for tried in (target, target[:-2], target + QUERY_SECRET):
        session.server.raw(
            f"GET {tried} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )


def make_older(state: Path) -> None:
    """The messages were sent an hour ago."""
    with sqlite3.connect(state / "weir.db", timeout=30) as database:
        database.execute("UPDATE message SET timestamp = timestamp - 3600000")
    database.close()


def receive(session: Session, grant: dict[str, str]) -> None:
    """A ticket, which stands in an address: a good one, a spoilt one, another's."""
    server = session.server
    user = server.call("POST", "/acme/chat/token", grant)[2]["access_token"]
    path = "/acme/chat/users/bob/stream"
    told = server.call("POST", f"{path}/ticket", {}, token=user)[2]["data"]
    secrets = session.credentials
    secrets["another user token"], secrets["a ticket"] = user, told["ticket"]
    for target in (path, path.replace("bob", "alice")):
        for ticket in (told["ticket"], told["ticket"][:-3], QUERY_SECRET):
            server.raw(
                f"HEAD {target}?ticket={ticket} HTTP/1.1\r\nHost: x\r\n"
                "Connection: close\r\n\r\n".encode()
            )


def malformed(server: Gunicorn, token: str) -> None:
    """What gunicorn refuses by itself, and would quote in its log."""
    for request in (
        f"GET /x HTTP/1.1\r\nHost: x\r\nAuthori zation: Bearer {HEADER_SECRET}\r\n\r\n",
        f"GET /x HTTP/1.1\r\nHost: x\r\nX: a\r\n {HEADER_SECRET} {token}\r\n\r\n",
        f"GET /x?{QUERY_SECRET} {token} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"{HEADER_SECRET} /x HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /x HTTP/{QUERY_SECRET}\r\nHost: x\r\n\r\n",
        f"GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {HEADER_SECRET}\r\n\r\n",
        f"GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: {HEADER_SECRET}\r\n\r\n",
        f"GET /x HTTP/1.1\r\nHost: x\r\nExpect: {HEADER_SECRET}\r\n\r\n",
        f"GET /x?{QUERY_SECRET * 1000} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /{QUERY_SECRET}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"PRI * HTTP/2.0\r\n\r\n{HEADER_SECRET}\r\n\r\n",
    ):
        try:
            server.raw(request.encode(), seconds=2)
        except OSError:
            continue  # some it waits for in vain


def found_in(content: bytes, secrets: dict[str, str]) -> list[str]:
    return [what for what, secret in secrets.items() if secret.encode() in content]


def test_the_session_was_what_it_should_be(session: Session) -> None:
    """So that nothing is searched for that never was there."""
    lines = [
        orjson.loads(line) for line in session.access_log.read_bytes().splitlines()
    ]
    found = {(line["operation"], line["status"]) for line in lines}

    assert {
        ("POST /token", 200), ("POST /token", 400), ("POST /users", 200),
        ("POST /users", 400), ("PUT /users/{username}/password", 200),
        ("POST /messages", 200), ("POST /messages", 429), ("POST /messages", 400),
        ("PUT /metadata/user/{username}", 200), ("POST /chatfiles", 200),
        ("GET /chatfiles/{uuid}", 200), ("GET /chatfiles/{uuid}", 403),
        ("GET /chatmessages/{time}", 200), ("GET /history/{tenant}/{name}/{time}.gz", 200),
        ("GET /history/{tenant}/{name}/{time}.gz", 403), ("GET /metrics", 401),
        ("POST /users/{username}/stream/ticket", 200),
        ("HEAD /users/{username}/stream", 200), ("HEAD /users/{username}/stream", 401),
        ("POST /console/sign-in", 303), ("POST /console/sign-in", 403),
    } <= found  # fmt: skip
    assert session.server.log.count("Invalid request from") >= 6
    assert len(session.credentials) >= 16
    assert all(len(secret) > 10 for secret in session.credentials.values())


def test_no_log_tells_a_secret(session: Session) -> None:
    everything = session.credentials | session.texts

    assert found_in(session.access_log.read_bytes(), everything) == []
    assert found_in(session.server.log.encode(), everything) == []


def test_no_metric_tells_a_secret(session: Session) -> None:
    shown = scraped(session.server, METRICS_TOKEN)

    assert found_in(shown.encode(), session.credentials | session.texts) == []


def test_no_process_title_tells_a_secret(session: Session) -> None:
    pids = [session.server.process.pid, *session.server.workers()]
    assert len(pids) == 3
    for pid in pids:
        for name in ("cmdline", "comm", "stat", "status"):
            shown = Path(f"/proc/{pid}/{name}").read_bytes()
            assert found_in(shown, session.credentials | session.texts) == []


def test_no_file_tells_a_secret(session: Session) -> None:
    kept = {"files"}
    looked_at = 0
    for path in session.server.state_dir.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        assert found_in(content, session.credentials) == [], path
        where = path.relative_to(session.server.state_dir).parts[0]
        if where not in kept and not where.startswith("weir.db"):
            assert found_in(content, session.texts) == [], path
        looked_at += 1

    assert looked_at >= 8


def test_no_bug_tells_a_secret(session: Session) -> None:
    """A worker that is ended in the midst of it all, and one that is not told how."""
    (pid, *_) = session.server.workers()
    os.kill(pid, signal.SIGABRT)
    session.server.wait_for_log("exit")

    everything = session.credentials | session.texts
    assert found_in(session.server.log.encode(), everything) == []


def test_a_setting_that_cannot_be_is_told_without_its_secret(tmp_path: Path) -> None:
    short = "t0o-short"
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "server/gunicorn_conf.py", "wsgi:app"],
        cwd=ROOT, env=environment(tmp_path / "state", 1, metrics_token=short),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert "WEIR_METRICS_TOKEN=...: 16 to 512" in ended.stdout + ended.stderr
    assert short not in ended.stdout + ended.stderr
