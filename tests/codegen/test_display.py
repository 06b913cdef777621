"""A quoted line: safe to print, short enough, underlined where it should be."""

import pytest

from codegen import display


@pytest.mark.parametrize(
    ("line", "column", "length", "shown", "carets"),
    [
        ("a word here", 3, 4, "a word here", "  ^^^^"),
        ("表格 word", 4, 4, "表格 word", "     ^^^^"),
        ("a 表格", 3, 2, "a 表格", "  ^^^^"),
        ("a\tword", 3, 4, "a word", "  ^^^^"),
        ("e\u0301 word", 4, 4, "e\u0301 word", "  ^^^^"),
        ("short", 6, 1, "short", "     ^"),
        ("\u202eword", 2, 4, "\ufffdword", " ^^^^"),
        ("", 1, 1, "", "^"),
    ],
)
def test_the_carets_stand_under_the_words(
    line: str, column: int, length: int, shown: str, carets: str
) -> None:
    assert display.quote(line, column, length) == [shown, carets]


def test_a_long_line_is_shown_around_the_words() -> None:
    line = "a" * 500 + "WORDS" + "b" * 500

    shown, carets = display.quote(line, 501, 5)

    assert shown.startswith("…a")
    assert shown.endswith("b…")
    assert len(shown) <= display.WIDEST + 2
    at = carets.index("^")
    assert shown[at : at + carets.count("^")] == "WORDS"


def test_words_longer_than_the_window_are_cut() -> None:
    shown, carets = display.quote("x" * 10_000, 1, 10_000)

    assert len(shown) == display.WIDEST + 1
    assert carets == "^" * display.WIDEST
