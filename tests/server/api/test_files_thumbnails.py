"""Thumbnails: of what, how large, and what bombs get."""

import io
import struct
import zlib

import pytest
from PIL import Image

from server import pictures, thumbnails
from server.settings import Settings
from server.store.models import File
from tests.conftest import Tenant
from tests.server.api.test_files import fetch, kept, on_disk, part, picture, upload


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
    ],
)
def test_a_thumbnail_is_smaller_and_of_the_same_format(
    acme: Tenant, kind: str, content_type: str
) -> None:
    original = picture(kind, (400, 200))
    uuid = kept(acme, original)["uuid"]

    answer = fetch(acme, uuid, thumbnail="True")

    assert answer.status_code == 200
    assert answer.content_type == content_type
    made = opened(answer.data)
    assert made.format == kind
    assert made.size == (170, 85)
    assert fetch(acme, uuid).data == original
    assert fetch(acme, uuid, thumbnail="yes").data == original


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (b"100", b"100", (100, 50)),
        (b"1000", b"1000", (400, 200)),
        (b"100", b"10", (20, 10)),
        (b"0", b"-1", (170, 85)),
        (b"x", b"", (170, 85)),
        (b"9" * 30, "١".encode(), (170, 85)),
    ],
)
def test_it_fits_the_box_and_is_never_enlarged(
    acme: Tenant, width: bytes, height: bytes, size: tuple[int, int]
) -> None:
    parts = [
        part("thumbnail-width", width),
        part("file", picture("PNG", (400, 200)), "x.png"),
        part("thumbnail-height", height),
    ]
    uuid = upload(acme, *parts).json["entities"][0]["uuid"]

    assert opened(fetch(acme, uuid, thumbnail="true").data).size == size


def test_a_small_image_is_its_own_thumbnail(acme: Tenant) -> None:
    original = picture("JPEG", (200, 30), quality=20)
    assert len(original) < thumbnails.SMALL

    uuid = kept(acme, original)["uuid"]

    assert fetch(acme, uuid, thumbnail="true").data == original


def test_a_photo_that_lies_on_its_side_stands_up(acme: Tenant) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    uuid = kept(acme, picture("JPEG", (400, 200), exif=exif))["uuid"]

    assert opened(fetch(acme, uuid, thumbnail="true").data).size == (85, 170)


def test_what_is_seen_through_stays_so(acme: Tenant) -> None:
    image = Image.effect_noise((300, 300), 100).convert("RGBA")
    image.putalpha(image.getchannel("R"))
    out = io.BytesIO()
    image.save(out, "PNG")

    uuid = kept(acme, out.getvalue())["uuid"]

    assert opened(fetch(acme, uuid, thumbnail="true").data).mode == "RGBA"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "CMYK", "I;16", "RGBA"])
def test_any_mode_of_an_image(acme: Tenant, mode: str) -> None:
    noise = Image.effect_noise((300, 300), 100).convert("L").resize((900, 900))
    image = (
        noise.convert("RGB").convert(mode) if mode != "I;16" else noise.convert("I;16")
    )
    out = io.BytesIO()
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert out.tell() > thumbnails.SMALL

    uuid = kept(acme, out.getvalue())["uuid"]

    assert opened(fetch(acme, uuid, thumbnail="true").data).size == (170, 170)


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels in few bytes, beyond the size of its own thumbnail."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    text = chunk(b"tEXt", b"k\x00" + b"x" * 20_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + text
        + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "height"), [(5_000, 4_000), (10_000, 9_500), (20_000, 20_000)]
)
def test_a_bomb_is_kept_but_never_decoded(
    acme: Tenant, settings: Settings, width: int, height: int
) -> None:
    """Too much memory; more than Pillow warns of; more than it takes at all."""
    content = bomb(width, height)

    uuid = kept(acme, content)["uuid"]

    assert File.get(File.uuid == uuid).thumbnail_type is None
    assert fetch(acme, uuid, thumbnail="true").data == content
    assert len(on_disk(settings)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a" + b"\xff" * 20_000,
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 20_000,
        b"\xff\xd8\xff\xe0" + b"\x00" * 20_000,
        b"II*\x00" + b"\x08" * 20_000,
        b"%!PS-Adobe-3.0 EPSF-3.0\n" + b"x" * 20_000,
        b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x01" * 20_000,
        b"\x00" * 20_000,
        picture("JPEG", (400, 400))[:15_000],
        picture("PNG", (400, 400))[:15_000],
    ],
)
def test_what_does_not_decode_has_no_thumbnail(acme: Tenant, content: bytes) -> None:
    uuid = kept(acme, content)["uuid"]

    assert fetch(acme, uuid, thumbnail="true").data == content


def test_other_formats_are_not_even_tried(acme: Tenant) -> None:
    uuid = kept(acme, picture("TIFF", (300, 300)))["uuid"]

    assert File.get(File.uuid == uuid).thumbnail_type is None


def test_a_decoder_meets_any_bytes(acme: Tenant) -> None:
    """A picture with each of many bytes wrong in turn: never an error of ours."""
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
        whole = bytearray(picture(kind, (60, 60)))
        for at in range(0, min(len(whole), 600), 3):
            broken = (
                bytes(whole[:at]) + bytes([whole[at] ^ 0xFF]) + bytes(whole[at + 1 :])
            )
            pictures.shrink(io.BytesIO(broken), (17, 17))
