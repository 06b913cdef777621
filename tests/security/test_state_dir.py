"""What is kept is its owner's alone: made by whom it may, under any umask."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server import state_dir
from server.limiting.shadowbook import ShadowBook
from server.store.wake import Datagrams
from tests.server.gunicorn import ROOT, Gunicorn, environment, serving
from tests.server.streaming.sse import Chat
from tests.waiting import wait_until

ADA = {"grant_type": "password", "username": "ada", "password": "secret"}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def others_may(place: Path) -> list[str]:
    """What somebody else could read, write or enter, below *place* and itself."""
    found = []
    for path in (place, *place.rglob("*")):
        with suppress(FileNotFoundError):  # it was there a moment ago
            mode = path.lstat().st_mode
            if mode & 0o077:
                found.append(f"{stat.filemode(mode)} {path.relative_to(place)}")
    return found


def upload(server: Gunicorn, token: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'
    head = (
        "POST /acme/chat/chatfiles HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    assert server.raw(head.encode() + body).startswith(b"HTTP/1.1 200 ")


def keep_something(server: Gunicorn, token: str) -> None:
    """A file, a message of two hours ago, and the history of its hour."""
    upload(server, token)
    then = datetime.now(UTC) - timedelta(hours=2)
    message = {"to": ["ada"], "type": "txt", "body": {"msg": "x"}}
    message["msg_timestamp"] = int(then.timestamp() * 1000)
    for method, path, body in (
        ("POST", "messages/users", message),
        ("GET", f"chatmessages/{then:%Y%m%d%H}", None),
    ):
        assert server.call(method, f"/acme/chat/{path}", body, token)[0] == 200


COMMANDS = """
import sys
from wsgi import app
for line in sys.stdin.read().splitlines():
    ran = app.test_cli_runner().invoke(args=line.split())
    assert ran.exit_code == 0, (line, ran.output)
    print(ran.stdout)
"""
FIRST = """
apps create acme/chat --demo
apps edition acme/chat enterprise
operators create olga
retention sweep
"""
BESIDE = """
apps create acme/other --demo
apps list
apps registration acme/chat open
operators rotate olga
limits shadow
retention sweep
audit
"""


def run(place: Path, lines: str) -> str:
    """What the commands print, each as by itself but in one process."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS], input=lines.strip(), cwd=ROOT, text=True,
        env=environment(place, 1), capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.disk
def test_a_server_and_its_commands_leave_nothing_to_others(tmp_path: Path) -> None:
    """Also beside a stream that is open, whose socket others send words to."""
    place = tmp_path / "state"
    options = {"workers": "1", "access_log": str(place / "access.log")}
    options |= {"shadow_table": str(ROOT / "limits.md"), "time_zone": "UTC"}
    with umask(0):
        run(place, FIRST)
        assert others_may(place) == []
        token = run(place, "apps token acme/chat").strip()
        with serving(place, **options) as server:
            server.wait_for_log("beside limits.md")
            keep_something(server, token)
            chat = Chat(server, token)
            with chat.listen(
                "ada", token=chat.call("POST", "/token", ADA)["access_token"]
            ):
                wait_until(lambda: any((place / "wake").iterdir()))
                run(place, BESIDE)
                assert others_may(place) == []
            (worker,) = server.workers()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: server.workers() not in ([worker], []))
            wait_until(lambda: others_may(place) == [])

    names = {path.name for path in place.rglob("*")}
    assert {"weir.db", "weir.db-gate", "weir.db-apps", "access.log", "metrics"} <= names
    assert {"activity", "refusals.db", "rings.lock", "history", "wake"} <= names


@pytest.mark.disk
def test_the_shadow_and_the_streams_look_to_it_themselves(tmp_path: Path) -> None:
    """Where no gunicorn sets a umask, as under ``flask run``."""
    with umask(0):
        book = ShadowBook(tmp_path / "shadow", "digest", "proposed.md", 1, print)
        book.write()
        with (
            closing(Datagrams(tmp_path / "wake")) as words,
            closing(words.listen()),
        ):
            assert len(list((tmp_path / "wake").iterdir())) == 1
            assert others_may(tmp_path) == []


def test_a_state_dir_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    place = tmp_path / "made-before"
    place.mkdir()
    place.chmod(0o755)

    state_dir.make(place)

    assert others_may(place) == []


def test_a_place_for_everyone_stays_one(tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    place.chmod(0o1777)

    state_dir.make(place)

    assert place.stat().st_mode & 0o7777 == 0o1777
