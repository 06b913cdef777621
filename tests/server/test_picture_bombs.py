"""Pictures made to cost more than they look like: they have no thumbnail, at once."""

import struct
import threading
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from server import pictures, thumbnails

BOX = (170, 170)


def drawn(kind: str, side: int = 300, **options: object) -> bytes:
    made = BytesIO()
    Image.new("RGB", (side, side), (9, 9, 9)).save(made, kind, **options)
    return made.getvalue()


JPEG, PNG = drawn("JPEG"), drawn("PNG")
GIF, BMP, WEBP = drawn("GIF"), drawn("BMP"), drawn("WEBP", lossless=True)
PARTS = 100_000


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # fmt: skip


def in_png(chunks: bytes) -> bytes:
    return PNG[:33] + chunks + PNG[33:]


def in_jpeg(segments: bytes) -> bytes:
    return JPEG[:2] + segments + JPEG[2:]


def scans(times: int) -> bytes:
    """A JPEG that goes over all of itself so many times more."""
    plain = drawn("JPEG", progressive=True)
    last = plain[plain.rindex(b"\xff\xda") : -2]
    return plain[:-2] + last * times + plain[-2:]


def words(count: int) -> bytes:
    """A megabyte of them each, packed to a kilobyte."""
    packed = zlib.compress(b"\0" * 1_000_000)
    return b"".join(chunk(b"zTXt", b"k%d\0\0" % n + packed) for n in range(count))


def sized(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "many scans": lambda: scans(1_000),
    "many comments": lambda: in_jpeg(b"\xff\xfe\x00\x02" * PARTS),
    "many notes of programs": lambda: in_jpeg(b"\xff\xe5\x00\x02" * PARTS),
    "filling without end": lambda: in_jpeg(b"\xff" * PARTS),
    "many tables": lambda: in_jpeg(b"\xff\xdb\x00\x02" * PARTS),
    "many texts": lambda: in_png(chunk(b"tEXt", b"k\0") * PARTS),
    "many unknown parts": lambda: in_png(chunk(b"abCd") * PARTS),
    "many parts at the end": lambda: PNG[:-12] + chunk(b"abCd") * PARTS + PNG[-12:],
    "data in no pieces": lambda: in_png(chunk(b"IDAT") * PARTS),
    "packed words": lambda: in_png(words(10)),
    "more pixels than memory": lambda: sized(60_000, 60_000),
    "a line longer than memory": lambda: sized(2**31 - 1, 1),
    "as many as may be warned of": lambda: sized(9_459, 9_459),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_picture_that_is_a_bomb_has_no_thumbnail(bomb: str) -> None:
    content = BOMBS[bomb]()

    assert len(content) < 2_000_000
    assert pictures.shrink(BytesIO(content), BOX) is None


@pytest.mark.parametrize("picture", [JPEG, PNG, GIF, BMP, WEBP, scans(0)])
def test_a_picture_that_is_none_has_one(picture: bytes) -> None:
    made = pictures.shrink(BytesIO(picture), BOX)

    assert made is not None
    assert Image.open(BytesIO(made[0])).size == BOX


def test_a_large_picture_in_small_pieces_has_one() -> None:
    """As cautious programs write them: 4 KB each, of which a file may hold 10 MB."""
    noise = Image.effect_noise((1_800, 1_800), 200)
    made = BytesIO()
    noise.save(made, "PNG", compress_level=0)
    plain = made.getvalue()
    head, tail = plain[:33], plain[-12:]
    data = b"".join(parts(plain[33:-12]))
    pieces = (data[at : at + 4096] for at in range(0, len(data), 4096))
    small = head + b"".join(chunk(b"IDAT", each) for each in pieces) + tail

    assert len(small) > 3_000_000
    assert pictures.shrink(BytesIO(small), BOX) is not None


def parts(chunks: bytes) -> list[bytes]:
    """What stands in each of a PNG's data chunks."""
    found = []
    while chunks:
        (size,) = struct.unpack(">I", chunks[:4])
        found.append(chunks[8 : 8 + size])
        chunks = chunks[12 + size :]
    return found


def test_threads_that_would_wait_too_many_go_on_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However long a picture takes, a worker's other threads answer others."""
    monkeypatch.setattr(thumbnails, "_waiting", 1)
    decoder = thumbnails._Decoder()
    path = tmp_path / "picture"
    path.write_bytes(PNG)
    made = []

    def make() -> None:
        with path.open("rb") as source:
            made.append(decoder.make(source, BOX))

    waiting = threading.Thread(target=make)
    with decoder._one:  # a picture that takes long
        waiting.start()
        while decoder._room._free._value:  # until the other waits for it
            waiting.join(0.01)
        make()
        assert made == [None]
    waiting.join(30)
    decoder.end()
    assert made[1] is not None
