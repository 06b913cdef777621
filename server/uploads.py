"""Uploads: a multipart body, read as it comes, its file written as it is read.

Never the whole file in memory, and never as text: one client sends the bytes as a form
field without a file name.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from server import bodies
from server.errors import (
    INVALID_REQUEST,
    IllegalArgument,
    RequestTimeout,
    TooLarge,
    UnsupportedMediaType,
)
from server.kinds import MaxBytes
from server.store import file_storage
from server.store.file_storage import Incoming

FILE = "file"
UNKNOWN_TYPE = "application/octet-stream"
_READ = 65_536
# Of a part beside the file, so many bytes are looked at; they are small by nature.
_LOOKED_AT = 4_096
# No client sends more than a few parts, and each costs far more than its bytes do: ten
# megabytes of them took seconds.
_MOST_PARTS = 1_000


class Upload:
    """A file as it came, and the small parts beside it."""

    def __init__(self, content: Incoming) -> None:
        self.content = content
        self.size = 0
        self.content_type = UNKNOWN_TYPE
        self.parts: dict[str, str] = {}
        self._own_name = ""

    @property
    def name(self) -> str | None:
        """Of the file's part, or of the part ``filename``; None: it has none."""
        return self._own_name or self.parts.get("filename") or None

    def describe(self, content_type: str, name: str) -> None:
        """Note what the file's own part says of it."""
        self.content_type = content_type or UNKNOWN_TYPE
        self._own_name = name


@contextmanager
def receive(*, at_most: MaxBytes) -> Iterator[Upload]:
    """The upload of this request; at the end nothing is left of it unless kept.

    *at_most* is for the file alone; all that is not the file is held to it as well.

    Raises:
        UnsupportedMediaType: the body is not multipart.
        IllegalArgument: it is broken, or has no file.
        TooLarge: the file is, or what stands beside it, or that is too many parts.
        RequestTimeout: the body ended early.
    """
    boundary = _boundary()
    with file_storage.incoming() as content:
        upload = Upload(content)
        reader = _Reader(upload, boundary, at_most)
        for chunk in _body():
            reader.read(chunk)
        reader.finish()
        yield upload


def _boundary() -> bytes:
    kind, options = parse_options_header(request.environ.get("CONTENT_TYPE", ""))
    if kind != b"multipart/form-data":
        raise UnsupportedMediaType
    if not options.get(b"boundary"):
        raise IllegalArgument(INVALID_REQUEST)
    return options[b"boundary"]


def _body() -> Iterator[bytes]:
    """The body as it comes, chunked or not."""
    environ = request.environ
    declared = environ.get("CONTENT_LENGTH", "")
    left = None
    if "HTTP_TRANSFER_ENCODING" not in environ and declared.isdecimal():
        left = int(declared)
    while left is None or left > 0:
        chunk = bodies.read(environ["wsgi.input"], min(_READ, left or _READ))
        if not chunk:
            break
        if left is not None:
            left -= len(chunk)
        yield chunk
    if left:
        raise RequestTimeout


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


class _Reader:
    """Turns the parser's events into an upload."""

    def __init__(self, upload: Upload, boundary: bytes, at_most: MaxBytes) -> None:
        self._upload = upload
        self._at_most = at_most
        self._beside = self._count = 0
        self._found = self._whole = False
        self._header = b""
        self._value = b""
        self._begin_part()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._on_header,
                    "on_header_value": self._on_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._on_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise IllegalArgument(INVALID_REQUEST) from None

    def read(self, chunk: bytes) -> None:
        before = self._upload.size
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise IllegalArgument(INVALID_REQUEST) from None
        self._beside += len(chunk) - (self._upload.size - before)
        self._at_most.check(self._beside, TooLarge)

    def finish(self) -> None:
        """The body is over; one of nothing at all has no file."""
        if self._beside and not self._whole:
            raise IllegalArgument(INVALID_REQUEST)
        if not self._found:
            message = "file must be provided"
            raise IllegalArgument(message)

    def _begin_part(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise TooLarge
        self._headers: dict[str, bytes] = {}
        self._content: Callable[[bytes], None] | None = None
        self._name = ""
        self._small = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header = self._value = b""

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._name = _text(options.get(b"name", b""))
        if self._name != FILE:
            self._content = self._keep_small
        elif not self._found:  # a second file is ignored
            self._found = True
            self._content = self._keep_file
            kind = self._headers.get("content-type", b"").decode("latin-1").strip()
            self._upload.describe(kind, _text(options.get(b"filename", b"")))

    def _on_content(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content(data[start:end])

    def _keep_file(self, data: bytes) -> None:
        self._upload.size += len(data)
        self._at_most.check(self._upload.size, TooLarge)
        self._upload.content.file.write(data)

    def _keep_small(self, data: bytes) -> None:
        self._small += data[: _LOOKED_AT - len(self._small)]

    def _end_part(self) -> None:
        if self._name != FILE:
            self._upload.parts.setdefault(self._name, _text(self._small))

    def _end(self) -> None:
        self._whole = True
