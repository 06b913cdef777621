"""Pictures made smaller, in the little memory they are given."""

import struct
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps, PngImagePlugin

# Few formats, each common: every other decoder of Pillow's is one more to attack.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")

MOST_DECODED = 64 * 1024 * 1024
"""Bytes of memory a picture may take while it is made smaller."""
MOST_READS = 20_000
"""Reads that a picture may need: one or more for each of its parts. A real one needs
some thousand; one of a million empty parts would take seconds and much memory."""
MOST_SCANS = 64
"""How often a JPEG may go over the whole picture. A real one does so ten times; in
30 bytes more it is done once more, for tens of milliseconds."""

# What Pillow raises on bytes that are no image, or pretend to be one.
_UNDECODABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    LookupError,
    EOFError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
    Warning,
)
# What a PNG says in words, unpacked, counts for what it takes as well.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024
# More pixels than MAX_IMAGE_PIXELS: Pillow warns, and refuses at twice as many.
warnings.simplefilter("error", Image.DecompressionBombWarning)

# Bytes for each pixel, all that is held at once taken together: what the decoder keeps,
# the picture, and a copy of it where one has to be made.
_HELD_OPAQUE, _HELD_CLEAR, _HELD_WEBP = 5, 12, 17


class _Sparing:
    """A file that lets Pillow read so often, and no more."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = MOST_READS
        self.seek, self.tell = source.seek, source.tell

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError("a picture of too many parts")
        return self._source.read(size)


def shrink(source: BinaryIO, box: tuple[int, int]) -> tuple[bytes, str] | None:
    """*source* made to fit *box*, ratio kept, never enlarged; with its content type.

    None if it is no image, or one too large to decode, or made to keep us busy.
    """
    try:
        opened = Image.open(_Sparing(source), formats=_FORMATS)  # type: ignore[arg-type]  # it asks for no more
        with opened as image:
            if image.format == "JPEG" and _scans(source) > MOST_SCANS:
                return None
            return _shrunk(image, box)
    except _UNDECODABLE:
        return None


def _scans(source: BinaryIO) -> int:
    """How many a JPEG has, at most: in its data the mark of one cannot stand."""
    at, before, count = source.tell(), b"", 0
    source.seek(0)
    while piece := source.read(1 << 16):
        count += (before + piece).count(b"\xff\xda")
        before = piece[-1:]
    source.seek(at)
    return count


def _shrunk(image: Image.Image, box: tuple[int, int]) -> tuple[bytes, str] | None:
    kind = image.format or ""
    pixels = image.width * image.height
    if pixels > (Image.MAX_IMAGE_PIXELS or 0):
        return None
    turned = image.getexif().get(0x0112, 1) >= 5  # Orientation: lies on its side
    fit = (box[1], box[0]) if turned else box
    opaque = kind in ("JPEG", "BMP") or not image.has_transparency_data
    image.draft("RGB", fit)  # a JPEG can be decoded at an eighth
    if _held(image, pixels, opaque=opaque) > MOST_DECODED:
        return None
    mode = "RGB" if opaque else "RGBA"
    small = image if image.mode == mode else image.convert(mode)
    small.thumbnail(fit)
    small = ImageOps.exif_transpose(small)
    made = BytesIO()
    small.save(made, kind)
    return made.getvalue(), Image.MIME[kind]


def _held(image: Image.Image, pixels: int, *, opaque: bool) -> int:
    """Bytes of memory that *image*, of so many pixels as it came, will take."""
    drafted = image.width * image.height
    if image.format == "WEBP":
        return drafted * _HELD_WEBP
    held = drafted * (_HELD_OPAQUE if opaque else _HELD_CLEAR)
    if image.info.get("progressive"):  # whole, however small it is decoded
        held += 2 * _coefficients(image, pixels)
    return held


def _coefficients(image: Image.Image, pixels: int) -> int:
    """How many numbers a JPEG of so many pixels is: colours mostly have fewer."""
    layers: Sequence[tuple[int, int, int, int]]
    layers = getattr(image, "layer", ()) or [(0, 1, 1, 0)]
    across, down = (max(layer[at] for layer in layers) for at in (1, 2))
    return pixels * sum(layer[1] * layer[2] for layer in layers) // (across * down)
