"""A disk that is full, and a state dir that nobody may write; then all is well again."""

import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server import clock
from tests.faults.stage import Report, Stage, served
from tests.server.gunicorn import Gunicorn, parse
from tests.server.test_served_files import KIND, multipart, request

MEGABYTE = 1_000_000


def need_mounts() -> None:
    """Skip where nothing may be mounted, unless that is a fault of the machine's."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")


def mount(*arguments: object) -> None:
    done = subprocess.run(
        ["mount", *map(str, arguments)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode()}")


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    need_mounts()
    place.mkdir()
    mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


class Uploader(threading.Thread):
    """Uploads, and asks for history files; what it was told."""

    def __init__(self, server: Gunicorn, key: str, token: str) -> None:
        super().__init__(daemon=True)
        self._server, self._key, self._token = server, key, token
        self.stop = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.kept: dict[str, bytes] = {}
        """The path and the content of each that was acknowledged."""
        self.unexpected: list[object] = []

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            self._upload(f"{number:08}".encode() * 2_000)
            hour = clock.now_ms() // 3_600_000 - 1
            self._ask("GET", f"/{self._key}/chatmessages/{_name(hour)}", b"")

    def _upload(self, content: bytes) -> None:
        answer = self._ask("POST", f"/{self._key}/chatfiles", multipart(content))
        if answer is not None:
            path = f"/{self._key}/chatfiles/{answer['entities'][0]['uuid']}"
            self.kept[path] = content

    def _ask(self, method: str, path: str, body: bytes) -> dict | None:
        kind = {"Content_Type": KIND} if body else {}
        whole = request(method, path, self._token, body, **kind)
        try:
            status, _, answer = parse(self._server.raw(whole))
        except OSError:
            self.statuses[0] += 1
            return None
        self.statuses[status] += 1
        if status not in (200, 404, 429, 503):
            self.unexpected.append((status, answer))
        return answer if status == 200 and body else None

    def lost(self) -> list[str]:
        """The acknowledged that do not come back as they were sent."""
        return [
            path for path, content in self.kept.items() if self._get(path) != content
        ]

    def _get(self, path: str) -> bytes:
        while True:
            answer = self._server.raw(request("GET", path, self._token))
            head, _, content = answer.partition(b"\r\n\r\n")
            if head.split()[1] not in (b"429", b"503"):
                return content
            threading.Event().wait(0.1)


def _name(hour: int) -> str:
    """As the path has it, in the server's own time zone."""
    began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour + 8)
    return began.strftime("%Y%m%d%H")


def full(stage: Stage) -> Report:
    """Filled to the last byte, and emptied, under sends, uploads and history."""
    with small_disk(stage.place / "state", 64) as state, served(stage):
        uploader = Uploader(stage.server, stage.app.key, stage.app.token)
        uploader.start()
        ballast = state / "ballast"
        for _ in stage.turns():
            stage.until(lambda: uploader.statuses[200] > 3, "uploads")
            fill(ballast)
            before = uploader.statuses[503]
            stage.answered(503, 20)
            stage.until(lambda: uploader.statuses[503] > before, "refused uploads")  # noqa: B023
            stage.did("full")
            ballast.unlink()
            _forget_old(state, uploader)
            stage.go_on(36)
            wanted = uploader.statuses[200] + 1
            stage.until(lambda: uploader.statuses[200] >= wanted, "uploads again")  # noqa: B023
        uploader.stop.set()
        uploader.join()
        for lost in uploader.lost():
            stage.wrong.append(f"{lost} is not what was uploaded")
        stage.wrong += [f"uploads: {each}" for each in uploader.unexpected[:3]]
        stage.done["uploads kept"] = len(uploader.kept)
        return stage.report()


def _forget_old(state: Path, uploader: Uploader) -> None:
    """Room for the next turn: the oldest files go, as a person would have them go."""
    for path in list(uploader.kept)[:-20]:
        content = uploader.kept.pop(path)
        for file in (state / "files").rglob("*"):
            if (
                file.is_file()
                and file.stat().st_size == len(content)
                and file.read_bytes() == content
            ):
                file.unlink()


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        size = MEGABYTE
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def readonly(stage: Stage) -> Report:
    """The state dir may not be written for a while, and workers are replaced meanwhile.

    A mount over it: what is open stays open, as it is when a file system is remounted;
    what is opened anew is refused.
    """
    need_mounts()
    with served(stage):
        for turn in stage.turns():
            said = _said(stage)
            with nobody_may_write(stage.state):
                if turn % 2:
                    for pid in stage.server.workers():
                        os.kill(pid, signal.SIGKILL)
                    stage.did("read-only, workers replaced")
                    stage.until(lambda: _said(stage) > said, "word of it")  # noqa: B023
                else:
                    stage.did("read-only")
                    stage.quiet(1)
            stage.go_on(36)
        return stage.report()


def _said(stage: Stage) -> int:
    return stage.server.log.count("Weir cannot start:\nWEIR_DATABASE_URL: cannot write")


@contextmanager
def nobody_may_write(state: Path) -> Iterator[None]:
    """Over the folder lies a mount of itself, made read-only before it was there."""
    aside = state.with_name("aside")
    aside.mkdir(exist_ok=True)
    mount("--bind", state, aside)
    try:
        mount("-o", "remount,bind,ro", aside)
        mount("--bind", aside, state)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", state], check=True)
    finally:
        subprocess.run(["umount", "--lazy", aside], check=True)
