"""Thumbnails: a small picture of an upload that is one."""

import struct
import threading
import warnings
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

# Few formats, each common: every other decoder of Pillow's is one more to attack.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")

SMALL = 10 * 1024
"""An image of so few bytes is its own thumbnail, as the reference has it."""

MOST_DECODED = 64 * 1024 * 1024
"""Bytes of memory a picture may take while it is made smaller."""

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
# More pixels than MAX_IMAGE_PIXELS: Pillow warns, and refuses at twice as many.
warnings.simplefilter("error", Image.DecompressionBombWarning)

# One at a time in a process, so that what they take in memory does not add up.
_one = threading.Lock()


def make(source: BinaryIO, box: tuple[int, int]) -> tuple[bytes, str] | None:
    """*source* made to fit *box*, ratio kept, never enlarged; with its content type.

    None if it is no image, or one too large to decode.
    """
    try:
        with _one, Image.open(source, formats=_FORMATS) as image:
            return _shrunk(image, box)
    except _UNDECODABLE:
        return None


def _shrunk(image: Image.Image, box: tuple[int, int]) -> tuple[bytes, str] | None:
    kind = image.format or ""
    pixels = image.width * image.height
    if pixels > (Image.MAX_IMAGE_PIXELS or 0):
        return None
    turned = image.getexif().get(0x0112, 1) >= 5  # Orientation: lies on its side
    fit = (box[1], box[0]) if turned else box
    if not image.info.get("progressive"):  # those are held whole in any case
        image.draft("RGB", fit)  # a JPEG can be decoded at an eighth
        pixels = image.width * image.height
    if pixels * 4 > MOST_DECODED:
        return None
    opaque = kind in ("JPEG", "BMP") or not image.has_transparency_data
    small = image.convert("RGB" if opaque else "RGBA")
    small.thumbnail(fit)
    small = ImageOps.exif_transpose(small)
    made = BytesIO()
    small.save(made, kind)
    return made.getvalue(), Image.MIME[kind]
