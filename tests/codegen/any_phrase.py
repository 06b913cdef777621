"""Hypothesis strategies: phrases that state a limit, in any wording a table may use.

What a phrase says is put together from the parts it is made of, by tables and rules
typed here: never by reading it back with the compiler.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Draw = Callable[..., Any]
Value = int | tuple[int, str]
"""A figure in the unit of its kind; of a rate, calls and unit."""


@dataclass(frozen=True)
class Said:
    """A phrase and what it says; *edition* None: of all."""

    text: str
    name: str
    kind: str
    value: Value
    edition: str | None = None


WORDS = [
    "user",
    "ID",
    "nick",
    "custom",
    "text",
    "e-mail",
    "group",
    "reply",
    "Push",
    "the",
]
THINGS = {
    "users": "users", "IDs": "ids", "contacts": "contacts", "chat rooms": "chat_rooms",
    "administrator": "administrators", "entries of a list": "entries_lists",
}  # fmt: skip
TIMES = {
    "s": "second", "sec": "second", "second": "second", "seconds": "second",
    "min": "minute", "minute": "minute", "mins": "minute", "h": "hour", "hr": "hour",
    "hour": "hour", "hours": "hour", "day": "day", "days": "day",
}  # fmt: skip
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
BYTES = {
    " bytes": 1, "b": 1, "k": 2**10, "k bytes": 2**10, " kb": 2**10, "M": 2**20,
    "MB": 2**20, " m bytes": 2**20, "G": 2**30, " gb": 2**30, "G bytes": 2**30,
}  # fmt: skip
FAST = {key: value for key, value in BYTES.items() if value != 1}

FILLERS = ["", "", "is ", "are ", "maximum ", "max ", "up to ", "limited to ", "is at most ",
           ": ", "to be ", "limit "]  # fmt: skip
QUOTED = [
    "{}",
    "{}",
    "{}",
    '"{}"',
    "'{}'",
    "“{}”",
    "\"'{}'\"",
    '\\"{}\\"',
    "«{}» '",
    "`' {}",
]
EVERY = ["each time", "per time", "every time", "at a time"]
PER = ["/", " / ", " per ", " each ", " every ", " a "]
CASES: list[Callable[[str], str]] = [
    str,
    str,
    str.lower,
    str.upper,
    str.title,
    str.swapcase,
]

figures = st.integers(1, 2000) | st.integers(1, 1_000_000)
fillers, cases = st.sampled_from(FILLERS), st.sampled_from(CASES)


def written(figure: int) -> st.SearchStrategy[str]:
    return st.sampled_from([str(figure), f"{figure:,}"])


@st.composite
def subjects(draw: Draw) -> tuple[str, str]:
    """Words, and the name they give a rule."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True))
    kept = [word.lower().replace("-", "_") for word in words if word != "the"]
    if not kept:
        words, kept = ["user"], ["user"]
    quoted = draw(st.sampled_from(QUOTED))
    return quoted.format(" ".join(words)), "_".join(kept)


@st.composite
def rates(draw: Draw) -> Said:
    """The rate of an edition's column."""
    unit = draw(st.sampled_from([*TIMES]))
    calls = draw(figures.filter(lambda n: n <= 1_000_000))
    who = draw(st.sampled_from(["single app call", "Single APP calls"]))
    text = (
        f"{who} {draw(fillers)}{draw(written(calls))} {draw(st.sampled_from(['time', 'times']))}"
        f"{draw(st.sampled_from(PER))}{unit}"
    )
    return Said(draw(cases)(text), "calls", "app", (calls, TIMES[unit]))


@st.composite
def bounds(draw: Draw, editions: list[str]) -> Said:
    """Any phrase but a rate of an app; of one of *editions*, or of all."""
    of = draw(st.sampled_from(["", "", *editions]))
    clause = ""
    if of:
        words = of.replace("_", " ").title()
        begin, end = draw(st.sampled_from([" in the ", " in "])), draw(
            st.sampled_from([" edition", " version", " Editions", " Version"])
        )  # fmt: skip
        clause = f"{begin}{words}{end}"
    before, after = draw(st.sampled_from([("", clause), (clause, "")]))
    number = draw(figures)
    figure = f"{before} {draw(fillers)}{draw(written(number))}"
    text, name, kind, value = draw(st.sampled_from(FORMS))(draw, figure, number)
    ending = draw(st.sampled_from(["", "", "."]))
    return Said(draw(cases)(text + after) + ending, name, kind, value, of or None)


Made = tuple[str, str, str, Value]


def _length(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    unit = draw(st.sampled_from(["character", "characters"]))
    return f"{words} length{figure} {unit}", name, "max_length", number


def _size(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    unit = draw(st.sampled_from([*BYTES]))
    return f"{words} size{figure}{unit}", name, "max_bytes", number * BYTES[unit]


def _each_time(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    things, every = draw(st.sampled_from([*THINGS])), draw(st.sampled_from(EVERY))
    return f"{words}{figure} {things} {every}", name, "max_items", number


def _kept(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    unit = draw(st.sampled_from([*TIMES]))
    seconds = number * SECONDS[TIMES[unit]]
    return f"{words} kept{figure} {unit}", name, "kept", seconds


def _held(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    things = draw(st.sampled_from([*THINGS]))
    name = f"{THINGS[things]}_per_{name}"
    return f"single {words} can have{figure} {things}", name, "membership", number


def _joined(draw: Draw, figure: str, number: int) -> Made:
    things = draw(st.sampled_from(["group", "groups", "chat room", "chat rooms"]))
    name = "joined_" + things.removesuffix("s").replace(" ", "_") + "s"
    return f"single user can join{figure} {things}", name, "membership", number


def _quota(draw: Draw, figure: str, number: int) -> Made:
    words, name = draw(subjects())
    words = "daily " + words
    the, noun = draw(st.sampled_from(["the ", ""])), draw(st.sampled_from(["", "s"]))
    text = f'{the}limit of "{words}"{figure} message{noun}'
    return text, f"daily_{name}", "quota", number


def _bandwidth(draw: Draw, figure: str, number: int) -> Made:
    unit, per = draw(st.sampled_from([*FAST])), draw(st.sampled_from(PER))
    second = draw(st.sampled_from(["s", "sec", "second"]))
    text = f"single connection download{figure}{unit}{per}{second}"
    return text, "download_bandwidth", "bandwidth", number * BYTES[unit]


def _message(draw: Draw, figure: str, number: int) -> Made:
    unit = draw(st.sampled_from([*BYTES]))
    joined = draw(st.sampled_from(["+", "and", "plus"]))
    extension = draw(st.sampled_from(["extended field", "extension"]))
    text = f"message {joined} {extension} length{figure}{unit}"
    return text, "message_and_extension", "max_bytes", number * BYTES[unit]


def _cluster(draw: Draw, figure: str, number: int) -> Made:
    unit, per = draw(st.sampled_from([*TIMES])), draw(st.sampled_from(PER))
    calls = draw(st.sampled_from(["call", "calls"]))
    # A million calls is the most that is understood of any rate.
    text = f"cluster download {calls}{figure} times{per}{unit}"
    return text, "cluster_downloads", "cluster", (number, TIMES[unit])


FORMS: list[Callable[[Draw, str, int], Made]] = [
    _length, _size, _each_time, _kept, _held, _joined, _quota, _bandwidth, _message,
    _cluster,
]  # fmt: skip


# Figures that no form reads: what they are said with is missing, or too much.
STRAY = [
    "5", "about 5", "user ID length ½ characters", "user ID length ٣ characters", "no. Ⅳ",
    "10 times/second", "user ID length 5 characters or so", "1,00 IDs each time", "v2",
    "no user ID length 5 characters", "user ID length 5-6 characters", "²", "0x10 users",
    "single user can have 0 contacts", "user ID length 5.5 characters", "files kept 5 weeks",
]  # fmt: skip
strays = st.sampled_from(STRAY) | st.text(
    "ab ,.-/15½٣Ⅳ", min_size=1, max_size=8
).filter(lambda text: any(letter in text for letter in "15½٣Ⅳ"))
