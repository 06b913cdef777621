"""The process that decodes pictures: beside its worker, replaced, and gone with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from server import pictures, thumbnails
from tests.server.api.test_files import picture

ROOT = Path(__file__).parent.parent.parent
BOX = (17, 17)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(picture("PNG", (60, 60)))
    return path


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[thumbnails._Decoder]:
    decoder = thumbnails._Decoder()
    monkeypatch.setattr(thumbnails, "_decoder", decoder)
    yield decoder
    decoder.end()


def make(path: Path) -> tuple[bytes, str] | None:
    with path.open("rb") as file:
        return thumbnails.make(file, BOX)


def test_one_process_makes_all_of_them(
    decoder: thumbnails._Decoder, source: Path
) -> None:
    made, kind = make(source)
    process = decoder._process
    again = make(source)

    assert Image.open(BytesIO(made)).size == BOX
    assert kind == "image/png"
    assert again == (made, kind)
    assert decoder._process is process
    assert process.pid != os.getpid()


def test_one_that_was_killed_is_replaced(
    decoder: thumbnails._Decoder, source: Path
) -> None:
    made = make(source)
    decoder._process.kill()
    decoder._process.wait()

    assert make(source) == made


def test_one_that_does_not_answer_costs_that_thumbnail_only(
    decoder: thumbnails._Decoder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(source)
    stopped = decoder._process
    stopped.send_signal(signal.SIGSTOP)
    decoder._link.settimeout(0.1)

    assert make(source) is None
    assert stopped.returncode == -signal.SIGKILL
    assert make(source) == made


WORKER = """
import sys
from server import thumbnails
with open(sys.argv[1], "rb") as file:
    thumbnails.make(file, (17, 17))
print(thumbnails._decoder._process.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_its_worker_however_that_ends(source: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(source)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with worker:
        pid = int(worker.stdout.readline())
        assert is_running(pid)
        worker.kill()

    ends = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < ends
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Zombies, whose parent has yet to look, are not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("kind", "side", "options", "made"),
    [
        ("JPEG", 6_000, {"quality": 20}, True),
        ("JPEG", 3_900, {"quality": 20, "progressive": True}, True),
        ("JPEG", 3_900, {"quality": 20, "progressive": True, "subsampling": 0}, False),
        ("PNG", 3_600, {"compress_level": 1}, True),
        ("PNG", 3_800, {"compress_level": 1}, False),
        ("WEBP", 1_900, {"quality": 20, "method": 0}, True),
        ("WEBP", 2_100, {"quality": 20, "method": 0}, False),
    ],
)
def test_what_a_picture_takes_is_reckoned_for_its_decoder(
    kind: str, side: int, options: dict[str, object], made: bool
) -> None:
    out = BytesIO()
    Image.new("RGB", (side, side), "teal").save(out, kind, **options)
    out.seek(0)

    assert (pictures.shrink(out, BOX) is not None) == made
