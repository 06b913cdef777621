"""The form a phrase comes nearest to, with the author's own figures put in."""

import re
from functools import cache

from codegen.figures import NO_THINGS, OTHER_FORMS, REVERSING
from codegen.forms import APP_CALLS, FORMS, Form
from codegen.inline import Text
from codegen.problems import Misread
from codegen.units import TIME
from codegen.words import Smooth, smooth

NEAR = 0.45
NEAR_A_RATE = 0.25  # where only a rate belongs
COMMON = frozenset({"#", "the", "of", "can"})  # words that tell no form from another


def suggestion(phrase: Smooth, *, rate: bool = False) -> str:
    """A sentence that names the nearest form, or what a figure is for.

    *rate*: the phrase is where an edition's rate belongs.
    """
    score, form = max(
        ((_likeness(phrase, form), form) for form in FORMS), key=lambda pair: pair[0]
    )
    if rate and _likeness(phrase, APP_CALLS) >= NEAR_A_RATE:
        form = APP_CALLS
    elif score < NEAR:
        return (
            'a figure states a limit, as in "user ID length 64 characters"; '
            "where none is meant, leave the figure out"
        )
    return f'nearest: "{filled(form, phrase)}"'


def filled(form: Form, phrase: Smooth) -> str:
    """The form's example with as much of the author's own as it can take."""
    at = _figure_at(phrase)
    if at is None:
        return form.example
    token = phrase.tokens[at]
    figure = {"n": phrase.phrase.plain[token.start : token.stop][:20]}
    after, before = _after(phrase, at), _before(form, phrase, at)
    for own in (figure | after | before, figure | before, figure, before):
        example = form.template.format_map({**form.sample, **own})
        if _reads(form, example):
            return example
    return form.example


def _reads(form: Form, example: str) -> bool:
    try:
        return form.read(smooth(_text(example))) is not None
    except Misread:
        return False


def _figure_at(phrase: Smooth) -> int | None:
    """The index of the first figure."""
    tokens = enumerate(phrase.tokens)
    return next((i for i, token in tokens if token.text[0].isdigit()), None)


def _after(phrase: Smooth, at: int) -> dict[str, str]:
    """The unit of time after the figure, and the word right after it."""
    after = [token.text for token in phrase.tokens[at + 1 :]]
    times = [word for word in after if word in TIME]
    own = {"time": times[0]} if times else {}
    if after and after[0].isalpha() and after[0] not in NO_THINGS:
        token = phrase.tokens[at + 1]
        own["things"] = phrase.phrase.plain[token.start : token.stop]
    return own


def _before(form: Form, phrase: Smooth, at: int) -> dict[str, str]:
    """The words before the figure that are none of the form's own."""
    fixed = _fixed(form) | REVERSING | OTHER_FORMS
    words = " ".join(
        phrase.phrase.plain[token.start : token.stop]
        for token in phrase.tokens[:at]
        if _kind(token.text) not in fixed and token.text not in fixed
    )
    return {"subject": words} if words else {}


def _likeness(phrase: Smooth, form: Form) -> float:
    """How much of the phrase and of the form's own words is the same, from 0 to 1."""
    words = {_kind(token.text) for token in phrase.tokens} - COMMON
    fixed = _fixed(form) - COMMON
    same = len(fixed & words)
    at = _figure_at(phrase)
    if "subject" in form.sample and at is not None and _before(form, phrase, at):
        return 2 * (same + 1) / (len(fixed) + 1 + len(words))
    return 2 * same / (len(fixed) + len(words))


def _fixed(form: Form) -> frozenset[str]:
    """The words of the form itself, its gaps left empty."""
    return _words(
        form.template.format_map({**form.sample, "subject": "", "things": ""})
    )


@cache
def _words(template: str) -> frozenset[str]:
    return frozenset(_kind(token.text) for token in smooth(_text(template)).tokens)


def _text(words: str) -> Text:
    places = range(len(words))
    return Text(1, words, places, places, 1)


def _kind(word: str) -> str:
    """Words that count as the same when likeness is judged."""
    if word[0].isdigit():
        return "#"
    if word in TIME:
        return "<time>"
    return re.sub("s$", "", word)
