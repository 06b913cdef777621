"""Bytes to lines: ends of lines, marks, and what is no text."""

import hashlib

import pytest

from codegen import document
from codegen.document import Unreadable


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    read = document.of_bytes(f"one{end}two".encode(), "limits.md")

    assert read.lines == ["one", "two"]


def test_a_form_feed_ends_no_line() -> None:
    read = document.of_text("a\fb\u2028c\n")

    assert read.lines == ["a\fb\u2028c", ""]


def test_a_byte_order_mark_takes_no_column() -> None:
    read = document.of_bytes(b"\xef\xbb\xbf| x |", "limits.md")

    assert read.lines == ["| x |"]


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"\xff", 1, 1),
        (b"one\ntw\xe9o", 2, 3),
        ("é表\n表".encode() + b"\x80", 2, 2),
        (b"\xef\xbb\xbfab\xff", 1, 3),
        (b"one\r\n\xc3", 2, 1),
    ],
)
def test_a_bad_byte_is_found_by_line_and_column(
    content: bytes, line: int, column: int
) -> None:
    with pytest.raises(Unreadable) as caught:
        document.of_bytes(content, "limits.md")

    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(Unreadable, match="4,194,305 bytes"):
        document.of_bytes(b"x" * (document.LARGEST_BYTES + 1), "limits.md")


def test_the_digest_is_of_the_numbered_lines_that_hold_a_pipe() -> None:
    read = document.of_text("prose\r\n| a |\r\nmore\r\nb | c\r\n")

    expected = hashlib.sha256(b"2:| a |\n4:b | c").hexdigest()
    assert read.digest == expected


def test_prose_that_moves_no_row_leaves_the_digest_alone() -> None:
    one = document.of_text("old words\n| a |\n")
    other = document.of_text("new words\n| a |\nand more\n")

    assert one.digest == other.digest
