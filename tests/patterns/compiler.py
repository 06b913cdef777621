"""``python -m tests.patterns.compiler``: the whole compiler on documents of a megabyte.

A form of a phrase is stretched at one of its words, with ``--all`` at each third. Each is tried at an eighth of its length too; the first that takes far more than eight
times as long ends it. Only this process's own time counts.
"""

import sys
import time
from collections.abc import Callable, Iterator

from codegen import document, emit, interpret, output
from codegen.forms import FORMS
from codegen.problems import BadTable
from tests.codegen.tables import FURTHER, HEADER, row

STEP = 8
LONGEST, LONG = 2**20, 2**18
"""Of documents that are one cell; of others, which take more work."""
SLACK = STEP * STEP // 2
LEAST_SECONDS = 0.05
SHOWN = 200

Make = Callable[[int], str]

# What is repeated in a cell; the names of forms' words in them lead patterns on.
PIECES = [
    "a", "1", ";", " ", "_a", "](", "&#49;", "1,", "`", "*", "in the edition ", "½",
    "single app call 1 ", "ten users; ", "1 length ", "user length ten characters; ",
]  # fmt: skip
LINES = [
    "> ", "- - ", "| ", "[a]: ", "<!--", "a\n", "| a | 5 |\n", "| --- | --- |\n",
    "<table>\n", "> | 5 |\n", "Interface | Description\n",
]  # fmt: skip


def documents(*, every_place: bool) -> Iterator[tuple[str, Make]]:
    """A name and what makes a document of about so many characters."""
    for piece in PIECES:
        yield f"a cell of {piece!r}", _cell(piece)
    for form in FORMS:
        yield f"phrases {form.example!r}", _cell(f"{form.example}; ")
        places = form.example.split()[::3]
        for word in places if every_place else places[1:2]:
            long = form.example.replace(word, f"{word} {{}}", 1)
            yield f"a cell of {long!r}", _within(long, f"{word} ")
    for line in LINES:
        yield (
            f"rows {line!r}",
            lambda size, line=line: HEADER + line * (size // len(line)),
        )
    yield (
        "titles",
        lambda size: HEADER + _numbered("| row {} | a | x | y | z |\n", size),
    )
    yield (
        "strangers",
        lambda size: (
            HEADER
            + row()
            + FURTHER
            + _numbered("| row {} | a length 5 characters |\n", size)
        ),
    )
    yield (
        "rows and strangers",
        lambda size: (
            HEADER
            + _numbered(row("row {}"), size // 2)
            + FURTHER
            + _numbered("| raw {} | a length 5 characters |\n", size // 2)
        ),
    )
    yield (
        "phrases",
        lambda size: HEADER + row(notes=_numbered("a{} b length 5 characters; ", size)),
    )
    yield "rules", lambda size: HEADER + row(notes=_lettered(size))
    yield "tables", lambda size: (FURTHER + "| Users | a |\n") * (size // 60)
    yield "columns", _columns
    yield "editions", lambda size: _numbered("e{} Edition |", size)


def _numbered(text: str, size: int) -> str:
    return "".join(text.format(n) for n in range(size // (len(text) + 4)))


def _lettered(size: int) -> str:
    """Phrases that all can be read, each of a rule of its own."""
    letters = str.maketrans("0123456789", "qwertyuiop")
    names = (f"{n:06}".translate(letters) for n in range(size // 32))
    return "; ".join(f"x{name} length 5 characters" for name in names)


def _cell(piece: str) -> Make:
    def make(size: int) -> str:
        long = piece * (size // len(piece)) + "1 "
        return HEADER + row(community=long, notes=long)

    return make


def _within(long: str, word: str) -> Make:
    return lambda size: HEADER + row(notes=long.format(word * (size // len(word))))


def _columns(size: int) -> str:
    count = size // 3 // 12
    header = " | ".join(
        ["Interface", "Description", *(f"e{n} Edition" for n in range(count))]
    )
    return f"{header}\n{'---|' * (count + 2)}\n{'Users | a |' + ' x |' * count}\n"


def compile_and_tell(text: str) -> None:
    """All that the command does with a document, short of writing files."""
    try:
        spec, problems = interpret.read(document.of_text(text))
        emit.package(spec)
    except BadTable as error:
        problems = error.problems
    for problem in problems[:SHOWN]:
        str(problem)
        output.github(problem)


def seconds(make: Make, size: int) -> float:
    text = make(size)
    began = time.process_time()
    compile_and_tell(text)
    return max(LEAST_SECONDS, time.process_time() - began)


def main() -> None:
    for name, make in documents(every_place="--all" in sys.argv):
        # Told before it is tried: who waits for ever learns for what.
        print(name, flush=True)
        most = LONGEST if name.startswith("a cell") else LONG
        before, took = seconds(make, most // STEP), seconds(make, most)
        if took > before * SLACK:  # once more: it may have been a bad moment
            took = min(took, seconds(make, most))
        if took > before * SLACK:
            sys.exit(f"{name}: {took:.2f} s, an eighth of it {before:.2f} s")


if __name__ == "__main__":
    main()
