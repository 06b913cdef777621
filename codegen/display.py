"""How a line of the table is shown in a terminal: safe, elided, underlined."""

import unicodedata

WIDEST = 96
CONTEXT = 36  # characters kept before the underlined words of a long line


def safe(text: str) -> str:
    """*text* with every character that could move or hide others made visible."""
    return "".join(map(_visible, text))


def counted(number: int, what: str) -> str:
    """A number of things: "1 file", "2 files"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def width(text: str) -> int:
    """How many columns *text* takes in a terminal; East Asian wide ones take two."""
    return sum(map(_width, text))


def quote(line: str, column: int, length: int) -> list[str]:
    """The line, elided far from the words, and carets under them.

    *column* counts from 1; a place past the end is underlined there.
    """
    start = min(max(column - 1, 0), len(line))
    stop = min(start + max(length, 1), len(line))
    left, right = _window(line, start)
    before = ("…" if left else "") + line[left:start]
    words = line[start : min(stop, right)]
    after = line[min(stop, right) : right] + ("…" if right < len(line) else "")
    carets = "^" * max(width(safe(words)), 1)
    shown = safe(before + words + after).rstrip()
    return [shown, " " * width(safe(before)) + carets]


def _window(line: str, start: int) -> tuple[int, int]:
    """The part of *line* to show, all of it when it is short."""
    if len(line) <= WIDEST:
        return 0, len(line)
    left = max(0, start - CONTEXT)
    left = 0 if left < 4 else left
    right = min(len(line), left + WIDEST)
    return left, right


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    if character.isprintable():
        return character
    return "\N{REPLACEMENT CHARACTER}" if character != "\n" else " "


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
