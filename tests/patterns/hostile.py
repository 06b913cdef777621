"""Inputs that make a bad pattern slow: long runs of what it repeats, then no match."""

import itertools
import re
from dataclasses import dataclass

MOST_LETTERS = 12
ENDS = ["", "\x00", "1", " "]
LETTERS = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True)
class Kind:
    """A way to make a text of any size."""

    begin: str
    piece: str
    end: str

    def text(self, size: int) -> str:
        whole = self.piece * (size // len(self.piece) + 1)
        return self.begin + whole[: size - len(self.begin) - len(self.end)] + self.end

    @property
    def plain(self) -> bool:
        """One of the few that are tried at full length.

        Pairs and words are not: what a square is shows in 16 thousand characters.
        """
        single = len(self.piece) == 1
        return single and not self.begin and self.end in {"", "\x00"}


def kinds(pattern: str) -> list[Kind]:
    """Texts made of the pattern's own letters and words."""
    parts = itertools.product(_begins(pattern), _pieces(pattern), ENDS)
    return [Kind(*part) for part in parts]


def _letters(pattern: str) -> list[str]:
    """One of each kind that the pattern takes in, and some that it may not."""
    tried = "aAz09 .,:;/-_+'\"`|<>()[]{}&#%?\\é表\u2028=\t"
    literal = {letter for letter in pattern if letter in tried}
    taken = [letter for letter in tried if letter in literal]
    return list(dict.fromkeys(["a", "1", " ", *taken]))[:MOST_LETTERS]


def _pieces(pattern: str) -> list[str]:
    letters, words = _letters(pattern), _words(pattern)
    pairs = ["".join(pair) for pair in itertools.permutations(letters[:5], 2)]
    # A blank before a word, as phrases have it, and a figure after it.
    return [
        *letters,
        *pairs,
        *(f" {word}" for word in words),
        *(f"{w} 1 " for w in words),
    ]


def _begins(pattern: str) -> list[str]:
    """Nothing; or words that lead into the middle of the pattern."""
    lead = " ".join(_words(pattern)[:3])
    return ["", *([f"{lead} "] if lead else []), "a 1 "]


def _words(pattern: str) -> list[str]:
    """The words in a pattern's text, group names among them; those do no harm."""
    return list(dict.fromkeys(LETTERS.findall(pattern)))[:6]
