"""Words of a cell to what they state: split at `;`, then read whole by one form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from codegen import forms, nearest
from codegen.forms import APP_CALLS, CallsClaim, Claim
from codegen.inline import Text
from codegen.problems import Misread
from codegen.spec import Stated
from codegen.words import Smooth, holds_figure, smooth

LONGEST = 500
ENDS = re.compile(r"[;()；（）]")  # brackets part phrases as `;` does
RATE = re.compile(r"(?:^|(?<= ))single app calls? ")
NUMBERS = frozenset(
    {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
    | {"twelve", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "hundred"}
    | {"thousand"}
)
EDITION_WORDS = frozenset({"edition", "editions", "version", "versions"})
EDITION_REACH = 8  # words from "in" to "edition"


@dataclass(frozen=True)
class Reading:
    """A phrase understood: what it states, of which edition (None: all)."""

    claim: Claim
    edition: str | None
    stated: Stated


def split(cell: Text) -> list[Text]:
    """The phrases of a cell, empty ones left out."""
    cuts = [(match.start(), match.end()) for match in ENDS.finditer(cell.plain)]
    starts = [0, *(stop for _, stop in cuts)]
    stops = [*(start for start, _ in cuts), len(cell.plain)]
    pieces = [cell.part(a, b) for a, b in zip(starts, stops, strict=True)]
    return [piece for piece in pieces if piece.plain]


def read(
    phrase: Text, editions: Mapping[str, str], *, rate: bool = False
) -> Reading | None:
    """What a phrase states; None for description, which holds no figure.

    *rate*: it stands where an edition's rate belongs, which helps in suggesting.

    Raises:
        Misread: it holds a figure and no form reads it whole.
    """
    if not holds_figure(phrase.plain):
        return None
    if len(phrase.plain) > LONGEST:
        raise Misread(
            phrase.span,
            f"a figure in a phrase of {len(phrase.plain):,} characters",
            f"a phrase that states a limit has at most {LONGEST}; part phrases by ;",
        )
    words, edition = _take_edition(smooth(phrase), editions)
    claim = forms.claim(words)
    if claim is None:
        raise Misread(
            phrase.span,
            "no form reads this figure",
            *_hints(phrase),
            nearest.suggestion(words, rate=rate),
        )
    return Reading(claim, edition, stated(phrase))


def read_rate(phrase: Text, editions: Mapping[str, str]) -> tuple[Text, Reading | None]:
    """The rate that ends an edition cell, and the description spilled before it.

    Raises:
        Misread: as :func:`read`.
    """
    words = smooth(phrase.part(max(0, len(phrase.plain) - LONGEST), len(phrase.plain)))
    begins = [match.start() for match in RATE.finditer(words.text)]
    if not begins:
        return phrase, None
    rate = words.source(begins[-1], len(words.text))
    before = len(phrase.plain) - len(words.phrase.plain) + _offset(words, begins[-1])
    reading = read(phrase.part(before, len(phrase.plain)), editions, rate=True)
    if reading and not is_rate(reading):
        raise Misread(rate.span, "this is no rate", f'as in "{APP_CALLS.example}"')
    return phrase.part(0, before), reading


def is_worded(phrase: Text, editions: Mapping[str, str]) -> bool:
    """Whether a form would read a description if its number word were a figure."""
    if len(phrase.plain) > LONGEST:
        return False
    words = smooth(phrase)
    if NUMBERS.isdisjoint(words.text.split()):
        return False
    try:
        words, _ = _take_edition(words, editions)
        return forms.claim(words.with_figures(NUMBERS)) is not None
    except Misread:
        return False


def is_rate(reading: Reading) -> bool:
    """Whether it is the rate of an app, which only edition columns hold."""
    return isinstance(reading.claim, CallsClaim) and reading.claim.scope == "app"


def stated(phrase: Text) -> Stated:
    span = phrase.span
    return Stated(phrase.words(), span.line, span.column, span.length)


def _offset(words: Smooth, start: int) -> int:
    """Where in the phrase a place of the smoothed text is."""
    at = words.text.count(" ", 0, start)
    return words.tokens[at].start


def _take_edition(
    words: Smooth, editions: Mapping[str, str]
) -> tuple[Smooth, str | None]:
    """The phrase without "in the X edition", and that edition's name."""
    texts = [token.text for token in words.tokens]
    place = _edition_at(texts)
    if place is None:
        return words, None
    begin, end = place
    named = [text for text in texts[begin + 1 : end] if text != "the"]
    if "_".join(named) in editions:
        return words.without(begin, end), "_".join(named)
    first, last = words.tokens[begin].start, words.tokens[end].stop
    close = get_close_matches("_".join(named)[:40], editions, n=1)
    hints = [f'did you mean "in the {close[0]} edition"?'] if close else []
    known = ", ".join(editions.values())
    raise Misread(
        words.phrase.between(first, last),
        "the table has no such edition",
        *hints,
        f"its columns are: {known}",
    )


def _edition_at(texts: list[str]) -> tuple[int, int] | None:
    """Where the words "in ... edition" stand: the first and the last."""
    for end, text in enumerate(texts):
        if text in EDITION_WORDS:
            reach = range(end - 1, max(0, end - EDITION_REACH) - 1, -1)
            begin = next((i for i in reach if texts[i] == "in"), None)
            if begin is not None:
                return begin, end
    return None


def _hints(phrase: Text) -> list[str]:
    """Hints for figures of another script, and for phrases that were run together."""
    if not any(map(str.isdecimal, phrase.plain)) or holds_figure(
        re.sub("[0-9]", "", phrase.plain)
    ):
        return ["figures are written with the digits 0-9"]
    if len(re.findall(r"[0-9][0-9,.]*", phrase.plain)) > 1:
        return ["several figures in one phrase; part phrases by ;"]
    return []
