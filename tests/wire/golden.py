"""Golden scenarios: requests and the answers they must get, read from plain text.

One scenario a file, in ``golden/``; it reads like the reference:

    # what it shows, and where the reference says so
    @given alice, bob                        who and what is there: see cast.py

    > POST /users                            after /acme/lounge; `>>`: a whole path
    > Authorization: Bearer {app}            or {globex}, {alice}, {expired}, ...
    >
    > {"username": "ada"}                    the body: JSON, or one of the forms below
    < 200
    < Content-Type: application/json; charset=utf-8
    <
    < {"timestamp": "{ms}", ...}             shapes: see shapes.py

Headers that are written must be as written (``{none}``: not there), others are free. A
body may also be

    > @bytes "any\\x00thing"                  a Python literal of bytes
    > @part name="file" filename="a.txt" type="text/plain" "content"
    > @part name="file" zeros=10485761       that many bytes; or png=800x600
    > @each 61 {"username": "user#"}         a JSON array, # counted from 1
    < @bytes "..."                           those very bytes
    < @gunzip                                JSON lines in gzip, a line each below
    < @image PNG 170x128                     an image of that format and size
    < @none                                  nothing

``@given`` may stand between exchanges too. ``@hammer`` before a request repeats it until
it is answered as written, as fast as it can: for the rates.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path(__file__).parent / "golden"


@dataclass
class Half:
    """A request or an answer: its first line, its headers, the lines of its body."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    is_absolute: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.body)


@dataclass
class Exchange:
    """One request and its answer."""

    request: Half
    answer: Half
    hammers: bool = False

    @property
    def method(self) -> str:
        return self.request.first.split(" ", 1)[0]

    @property
    def path(self) -> str:
        return self.request.first.split(" ", 1)[1]

    @property
    def status(self) -> int:
        return int(self.answer.first)


@dataclass(frozen=True)
class Given:
    """Something that is so before what follows."""

    words: str


@dataclass
class Scenario:
    """A file: what is given and what is exchanged, in order."""

    name: str
    title: str
    steps: list[Given | Exchange]

    @property
    def exchanges(self) -> Iterator[Exchange]:
        return (step for step in self.steps if isinstance(step, Exchange))


def every() -> list[Scenario]:
    """All scenarios, by name."""
    return [read(path) for path in sorted(PLACE.glob("*.http"))]


def read(path: Path) -> Scenario:
    """
    Raises:
        ValueError: the file is not written as this module says.
    """
    lines = path.read_text("utf-8").splitlines()
    steps: list[Given | Exchange] = []
    hammers = False
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("@given "):
            steps.append(Given(line.removeprefix("@given ").split(" # ")[0].strip()))
        elif line.strip() == "@hammer":
            hammers = True
        elif line[0] in "<>":
            _take(steps, line, path, hammers=hammers)
            hammers = hammers and line[0] == ">"
        else:
            message = f"{path.name}: {line!r} is no line of a scenario"
            raise ValueError(message)
    for step in steps:
        if isinstance(step, Exchange) and not step.answer.first:
            message = f"{path.name}: {step.request.first!r} has no answer"
            raise ValueError(message)
    return Scenario(path.stem, lines[0].lstrip("# "), steps)


def _take(
    steps: list[Given | Exchange], line: str, path: Path, *, hammers: bool
) -> None:
    """Add a line of a request or an answer to the exchange it belongs to."""
    last = steps[-1] if steps and isinstance(steps[-1], Exchange) else None
    mark = "<" if line[0] == "<" else ">"
    is_absolute = line.startswith(">> ")
    text = line[2:].lstrip(" ") if is_absolute else line[2:]
    if mark == ">" and (last is None or last.answer.first or is_absolute):
        steps.append(
            Exchange(Half(text.rstrip(), is_absolute=is_absolute), Half(""), hammers)
        )
    elif last is None:
        message = f"{path.name}: {line!r} answers no request"
        raise ValueError(message)
    elif mark == ">":
        _extend(last.request, text)
    elif not last.answer.first:
        last.answer.first = text.strip()
    else:
        _extend(last.answer, text)


def _extend(half: Half, text: str) -> None:
    if half.body or ("", "") in half.headers:
        half.body.append(text)
    elif not text.strip():
        half.headers.append(("", ""))  # the empty line: what follows is the body
    else:
        name, colon, value = text.partition(":")
        if not colon:
            message = f"{text!r} is no header"
            raise ValueError(message)
        half.headers.append((name, value.strip(" ")))


def literal(text: str) -> bytes:
    """The bytes that ``"..."`` writes."""
    found = ast.literal_eval("b" + text)
    assert isinstance(found, bytes)
    return found


_OPTION = re.compile(r'(\w+)=("[^"]*"|\S+)|("(?:[^"\\]|\\.)*")$')


def options(text: str) -> dict[str, str]:
    """The ``name=value`` of a line; a last string by itself is its ``content``."""
    return {
        (met[1] or "content"): (met[2].strip('"') if met[1] else met[3])
        for met in _OPTION.finditer(text)
    }
