"""The bytes of a table file as lines of text."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

LARGEST_BYTES = 4 * 1024 * 1024


class Unreadable(Exception):
    """The file is no text: *line* and *column* of the first bad byte, from 1."""

    def __init__(
        self, line: int, column: int, heading: str, hint: str, quoted: str = ""
    ) -> None:
        super().__init__(heading)
        self.line, self.column = line, column
        self.heading, self.hint, self.quoted = heading, hint, quoted


@dataclass(frozen=True)
class Document:
    """A table file: its text with `\\n` line ends and no byte order mark.

    *name* is what generated files call it, *shown* the path that leads a reader to it.
    """

    text: str
    name: str = "limits.md"
    path: str = ""

    @property
    def shown(self) -> str:
        return self.path or self.name

    @cached_property
    def lines(self) -> list[str]:
        # Not splitlines(): a form feed or U+2028 ends no line for an editor.
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """Line *number*, from 1; empty when there is no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    @cached_property
    def digest(self) -> str:
        """A fingerprint of the lines with a `|`: all that the rules can depend on."""
        rows = [f"{n}:{line}" for n, line in enumerate(self.lines, 1) if "|" in line]
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def of_text(text: str, name: str = "limits.md", path: str = "") -> Document:
    """A document of *text*, with any line ends, with or without a byte order mark."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    # A lone surrogate cannot come from a file; from a caller it must not spread.
    text = text.encode("utf-8", "replace").decode()
    return Document(text, name, path)


def of_bytes(content: bytes, name: str, path: str = "") -> Document:
    """A document of a file's bytes.

    Raises:
        Unreadable: they are not UTF-8, or far too many.
    """
    if len(content) > LARGEST_BYTES:
        allowed = f"at most {LARGEST_BYTES:,} are read"
        raise Unreadable(1, 1, f"the file has {len(content):,} bytes", allowed)
    try:
        return of_text(content.decode("utf-8"), name, path)
    except UnicodeDecodeError as error:
        raise _not_utf_8(content, error.start) from None


def _not_utf_8(content: bytes, at: int) -> Unreadable:
    """The complaint about the byte at *at*, with its line as far as it can be shown."""
    heading = f"the file is not UTF-8: byte 0x{content[at]:02x}"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Unreadable(1, 1, heading, "it begins like UTF-16; save it as UTF-8")
    number = content.count(b"\n", 0, at) + 1
    begin = content.rfind(b"\n", 0, at) + 1
    end = content.find(b"\n", at)
    line = content[begin : end if end >= 0 else None]
    before = content[begin:at].decode().removeprefix("\ufeff")
    quoted = line.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r")
    return Unreadable(number, len(before) + 1, heading, "save it as UTF-8", quoted)
