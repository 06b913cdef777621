"""A phrase made plain: tokens, filler words and thousands commas smoothed away."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

from codegen.inline import Text
from codegen.problems import Span

TOKEN = re.compile(r"[0-9](?:[0-9,.]*[0-9])?|[^\W\d_]+(?:['’-][^\W\d_]+)*|\S")
WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")

FILLERS = frozenset({"is", "are", "be", "to", "maximum", "max"})
FILLERS |= {"limit", "limits", "limited", *"\"'`“”„‘’«»,:"}
PAIRS = {"up": "to", "at": "most"}
SENTENCE_ENDS = frozenset(".!")


def holds_figure(text: str) -> bool:
    """Whether *text* holds a digit of any script, or a sign such as ½ or ²."""
    if text.isascii():
        return any(map(str.isdigit, text))
    return any(unicodedata.category(character)[0] == "N" for character in text)


@dataclass(frozen=True)
class Token:
    """A word, figure or sign, in lower case, with its place in the phrase."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class Smooth:
    """The tokens of a phrase that count; joined by blanks, forms match them."""

    phrase: Text
    tokens: tuple[Token, ...]

    @cached_property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for token in self.tokens:
            starts.append(at)
            at += len(token.text) + 1
        return starts

    def span(self, start: int, stop: int) -> Span:
        """The source of characters *start* to *stop* of :attr:`text`."""
        part = self.source(start, stop)
        return part.span

    def source(self, start: int, stop: int) -> Text:
        """The phrase as written from *start* to *stop* of :attr:`text`."""
        first = self.tokens[bisect_right(self._starts, start) - 1]
        last = self.tokens[bisect_right(self._starts, max(start, stop - 1)) - 1]
        return self.phrase.part(first.start, last.stop)

    def without(self, first: int, last: int) -> "Smooth":
        """The phrase with tokens *first* to *last* left out."""
        return Smooth(self.phrase, self.tokens[:first] + self.tokens[last + 1 :])

    def with_figures(self, words: Collection[str]) -> "Smooth":
        """The phrase with a figure in place of each of *words*."""
        tokens = (
            replace(token, text="1") if token.text in words else token
            for token in self.tokens
        )
        return Smooth(self.phrase, tuple(tokens))


def smooth(phrase: Text) -> Smooth:
    """Lower case, no fillers, no quotes, no thousands commas."""
    tokens = [
        Token(_plain(match[0]), match.start(), match.end())
        for match in TOKEN.finditer(phrase.plain)
    ]
    while tokens and tokens[-1].text in SENTENCE_ENDS:
        tokens.pop()
    kept = []
    for at, token in enumerate(tokens):
        after = tokens[at + 1].text if at + 1 < len(tokens) else ""
        before = tokens[at - 1].text if at else ""
        paired = PAIRS.get(token.text) == after or PAIRS.get(before) == token.text
        if not paired and token.text not in FILLERS:
            kept.append(token)
    return Smooth(phrase, tuple(kept))


def _plain(token: str) -> str:
    if token[0].isdigit() and WHOLE.fullmatch(token):
        return token.replace(",", "")
    return token.lower()
