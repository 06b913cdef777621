"""Server-sent events as they go over the wire (WHATWG HTML, 9.2)."""

from collections.abc import Iterable

import orjson

HEARTBEAT = b":\n\n"


def retry(milliseconds: int) -> bytes:
    """How long a browser waits before it connects again."""
    return b"retry: %d\n\n" % milliseconds


def frame(event: str, data: bytes, id_: int | None = None) -> bytes:
    """One event; *data* is one line, as JSON always is here."""
    head = b"" if id_ is None else b"id: %d\n" % id_
    return b"%bevent: %b\ndata: %b\n\n" % (head, event.encode(), data)


def told(event: str, data: dict[str, object]) -> bytes:
    """An event that has no place in the order."""
    return frame(event, orjson.dumps(data))


def joined(frames: Iterable[bytes], most_bytes: int) -> Iterable[bytes]:
    """Frames in pieces of about so many bytes: a piece is one write to the socket."""
    piece: list[bytes] = []
    size = 0
    for each in frames:
        piece.append(each)
        size += len(each)
        if size >= most_bytes:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)
