"""What a worker holds in memory: ``python -m tests.bench.memory``.

Two workers on an app of twenty thousand users and a busy hour of 200,000 messages are
given what is large: uploads, images, exports, sends to a group of five thousand, bulk
registrations, long pages. After each, the most that each worker held meanwhile, and
the larger of the processes that decode their images. The rates of the table are lifted in a copy of the tree, for it is not they that are tried.
"""

import argparse
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from PIL import Image
from rich.progress import Progress

from server.app import create_app
from server.settings import Settings
from server.store import apps, database
from tests.bench import population
from tests.bench.population import HOUR_MS, NOW_MS, Size, name
from tests.server.gunicorn import ROOT, Gunicorn, flask, serving
from tests.server.test_served_files import KIND, multipart, request
from tests.services import s3
from tests.trees import copy_to

SIZE = Size(users=20_000, groups=100, messages=20_000, large_group=5_000)
BUSY = 200_000
BUSY_MS = NOW_MS - 2 * HOUR_MS
FILE = 10 * 1024 * 1024
AT_ONCE = 32
"""As many as the two workers have threads."""
TARGET_MB = 150

_number = count()


def lift_rates(tree: Path) -> None:
    """A copy of the tree whose limits are the same, but for the rates."""
    copy_to(tree)
    document = tree / "limits.md"
    text = re.sub(
        r"\d+ times?/(second|minute)", "100000 times/second", document.read_text()
    )
    document.write_text(re.sub(r"limited to \d+k/s", "limited to 100000k/s", text))
    subprocess.run([sys.executable, "-m", "codegen"], cwd=tree, check=True)


def populate(state_dir: Path) -> None:
    """The app, and the busy hour on top of it."""
    create_app(Settings(state_dir=state_dir, synchronous="NORMAL"))
    app = apps.find("bench", "memory")
    assert app is not None
    with Progress() as shown:
        task = shown.add_task("populating", total=None)
        population.populate(
            app.id, SIZE, lambda what, _: shown.update(task, description=what)
        )
        shown.update(task, description="busy hour")
        body = json.dumps({"msg": "lunch at noon, or rather later?" * 4, "type": "txt"})
        rows = [
            (BUSY_MS * (1 << 20) + n, app.id, "chat", name(n % 500), name(n % 700),
             BUSY_MS + n * HOUR_MS // BUSY, body, 0, 0)
            for n in range(BUSY)
        ]  # fmt: skip
        with database.writing(database.INSTALLATION):
            database.database.connection().executemany(
                "INSERT INTO message (id, app_id, chat_type, sender, target, timestamp,"
                " body, online_only, sync_device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
    database.disconnect()


class Caller:
    """Calls of one kind, as many at once as there are threads to answer them."""

    def __init__(self, server: Gunicorn, token: str) -> None:
        self._server = server
        self._token = token

    def bytes_of(self, method: str, path: str, body: bytes = b"", **more: str) -> bytes:
        """The answer's body; anything but a success ends the bench."""
        whole = request(method, path, self._token, body, **more)
        with socket.create_connection(("127.0.0.1", self._server.port), 300) as to:
            to.sendall(whole)
            answer = bytearray()
            while chunk := to.recv(1 << 18):
                answer += chunk
        head, _, content = bytes(answer).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(
                f"{method} {path}: {head[:15]!r} {content!r}\n{self._server.log[-3000:]}"
            )
        return content

    def call(self, method: str, path: str, body: object = None) -> object:
        content = b"" if body is None else json.dumps(body).encode()
        found: object = json.loads(
            self.bytes_of(
                method,
                f"/bench/memory{path}",
                content,
                Content_Type="application/json",
            )
        )
        return found

    def upload(self, content: bytes) -> str:
        made = json.loads(
            self.bytes_of(
                "POST", "/bench/memory/chatfiles", multipart(content), Content_Type=KIND
            )
        )
        return str(made["entities"][0]["uuid"])


def together(times: int, what: Callable[[int], object], at_once: int = AT_ONCE) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(what, range(times)))


def phases(by: Caller) -> dict[str, Callable[[], object]]:
    """What is asked of the server, by name."""
    plain = bytes(range(256)) * (FILE // 256)
    images = pictures()
    hour = time.strftime("%Y%m%d%H", time.gmtime(BUSY_MS / 1000 + 8 * 3600))
    group = str(population.group_id(0))

    def export(_: int) -> None:
        text = {"type": "txt", "msg": "late"}
        late = {"target_type": "users", "target": ["user0000001"], "msg": text}
        by.call("POST", "/messages", late | {"msg_timestamp": BUSY_MS + 1})
        found = by.call("GET", f"/chatmessages/{hour}")
        by.bytes_of("GET", "/" + found["data"][0]["url"].split("/", 3)[3])  # type: ignore[index]

    def register(_: int) -> object:
        users = [
            {"username": f"bulk{next(_number)}", "password": "x" * 8} for _ in range(60)
        ]
        return by.call("POST", "/users", users)

    def list_all(n: int) -> None:
        by.call("GET", "/users?limit=1000")
        by.call("GET", f"/chatgroups/{group}/users?pagenum={n % 50 + 1}&pagesize=1000")
        by.call("GET", "/chatgroups?limit=1000")
        by.call("GET", f"/chatgroups/{group}")
        by.call("GET", f"/users/{name(n + 1)}/contacts/users")

    def send(_: int) -> object:
        text = {"type": "txt", "msg": "x" * 3_000}
        told = {"target_type": "chatgroups", "target": [group], "msg": text}
        return by.call("POST", "/messages", told)

    def download(uuids: Sequence[str]) -> None:
        together(
            3 * len(uuids),
            lambda n: by.bytes_of(
                "GET", f"/bench/memory/chatfiles/{uuids[n % len(uuids)]}"
            ),
            at_once=12,
        )

    return {
        "nothing": lambda: None,
        "uploads of 10 MB": lambda: together(2 * AT_ONCE, lambda _: by.upload(plain)),
        "downloads of 10 MB": lambda: download([by.upload(plain) for _ in range(4)]),
        "images": lambda: together(
            AT_ONCE * 2, lambda n: by.upload(images[n % len(images)])
        ),
        "exports of 200,000": lambda: together(12, export, at_once=6),
        "sends to 5,000 members": lambda: together(200, send),
        "bulk registrations": lambda: together(16, register, at_once=8),
        "pages": lambda: together(300, list_all),
        "everything at once": lambda: everything(by, plain, images, export, register, list_all, send),
    }  # fmt: skip


def everything(
    by: Caller, plain: bytes, images: list[bytes], *more: Callable[[int], object]
) -> None:
    """In turns, so that unlike things meet."""
    kinds = (lambda _: by.upload(plain), lambda n: by.upload(images[n % len(images)]))
    turns = [*kinds, *more]
    together(84, lambda n: turns[n % len(turns)](n), at_once=24)


def pictures() -> list[bytes]:
    """Photographs of many pixels, each of the formats that are made smaller."""
    made = []
    for kind, side, options in (
        ("JPEG", 4_000, {"quality": 85}),
        ("JPEG", 3_900, {"quality": 80, "progressive": True}),
        ("PNG", 1_700, {"compress_level": 1}),
        ("WEBP", 3_900, {"quality": 70, "method": 0}),
        ("BMP", 1_800, {}),
    ):
        out = io.BytesIO()
        noise = Image.effect_noise((side, side), 40).convert("RGB")
        noise.save(out, kind, **options)
        made.append(out.getvalue())
        print(f"  {kind} {side}x{side}: {len(made[-1]) / 1e6:.1f} MB")
    return [image for image in made if len(image) <= FILE]


def peak_mb(worker: int) -> float:
    """The most since the last time, as the kernel counts."""
    status = Path(f"/proc/{worker}/status").read_text()
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    Path(f"/proc/{worker}/clear_refs").write_text("5")
    return int(found) / 1024


def children(process: int) -> list[int]:
    """The process that decodes a worker's images, if it has needed one."""
    return [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def main() -> None:
    """Print the table; fail where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", choices=("disk", "s3"), default="disk")
    parser.add_argument("--only", default="", help="Phases with this in their name.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        state_dir, tree = Path(place) / "state", Path(place) / "tree"
        lift_rates(tree)
        flask(
            ROOT, state_dir, "apps", "create", "bench/memory", "--edition", "enterprise"
        )
        token = flask(ROOT, state_dir, "apps", "token", "bench/memory").strip()
        populate(state_dir)
        more = {}
        if asked.files == "s3":
            store = stack.enter_context(s3.store())
            os.environ.update(store.environ)  # as the server's own are
            more["files_url"] = store.new_url()
        server = stack.enter_context(
            serving(state_dir, tree=tree, workers="2", guard_calls="1000000", **more)
        )
        wanted = {
            label: phase
            for label, phase in phases(Caller(server, token)).items()
            if asked.only in label
        }
        highest = report(server, wanted)
    print(f"highest {highest:.0f} MB; to stay below {TARGET_MB} MB")
    sys.exit(highest >= TARGET_MB)


def report(server: Gunicorn, what: dict[str, Callable[[], object]]) -> float:
    workers, highest = server.workers(), 0.0
    print(f"{'peak RSS in MB':<26}{'one':>8}{'other':>8}{'images':>8}{'seconds':>9}")
    for label, phase in what.items():
        began = time.perf_counter()
        phase()
        took = time.perf_counter() - began
        if server.workers() != workers:
            sys.exit(f"{label}: a worker has ended\n{server.log[-2000:]}")
        peaks = [peak_mb(worker) for worker in workers]
        highest = max(highest, *peaks)
        beside = max(
            (peak_mb(n) for each in workers for n in children(each)), default=0
        )
        cells = "".join(f"{peak:8.0f}" for peak in [*peaks, beside])
        print(f"{label:<26}{cells}{took:9.1f}", flush=True)
    return highest


if __name__ == "__main__":
    main()
