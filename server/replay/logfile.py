"""One access log, read a piece at a time, compressed or not."""

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from server.replay.parsing import Attempt, Faults, Parser

PIECE_BYTES = 1 << 19
LONGEST_LINE = 1 << 20
_GZIP = b"\x1f\x8b"
_NEVER_US = -1


class Piece(NamedTuple):
    """Some lines, and how many bytes of the disk they took."""

    attempts: list[Attempt]
    size: int


class LogFile:
    """A file, opened when its turn comes.

    *latest_us* says how far it has been read, at first the time of its first line; so
    whoever reads always the file that is furthest behind reads in order.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, faults: Faults) -> None:
        self._pieces = _pieces(path, faults)
        first = next(_pieces(path, Faults()), None)
        found = first.attempts if first else []
        self.latest_us = found[0].at_us if found else _NEVER_US

    def read(self) -> Piece | None:
        """The next piece; None at the end."""
        piece = next(self._pieces, None)
        if piece and piece.attempts:
            # The last one, not the latest: a line of the far future is only a line.
            self.latest_us = piece.attempts[-1].at_us
        return piece

    def close(self) -> None:
        """Let go of the file; nothing is read after that."""
        self._pieces.close()


def _pieces(path: Path, faults: Faults) -> Generator[Piece, None, None]:
    parser = Parser(faults)
    rest, number, done, too_long = b"", 1, 0, False
    with path.open("rb") as raw:
        for text in _text(raw, path, faults):
            lines = (rest + text).split(b"\n")
            rest = lines.pop()
            if too_long and lines:
                lines[0], too_long = b"", False
            if len(rest) > LONGEST_LINE:
                if not too_long:
                    faults.lines += 1
                    faults.note(f"{path}:{number + len(lines)}", "too long for a line")
                rest, too_long = b"", True
            yield Piece(parser.parse(lines, str(path), number), raw.tell() - done)
            number += len(lines)
            done = raw.tell()
        # What is being written just now, or was when the power went.
        if rest and not too_long:
            yield Piece(parser.parse([rest], str(path), number), 0)


def _text(raw: io.BufferedReader, path: Path, faults: Faults) -> Iterator[bytes]:
    """The bytes of a file as they were written; as many as a torn one still has."""
    zipped = raw.peek(2)[:2] == _GZIP
    source = gzip.GzipFile(fileobj=raw) if zipped else raw
    try:
        while text := source.read1(PIECE_BYTES):
            yield text
    except (OSError, EOFError, zlib.error) as error:
        faults.note(str(path), f"cannot be read to its end ({error})")
