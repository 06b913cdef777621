"""Where words go: complaints to stderr, answers to stdout, GitHub's way when asked."""

import json
import sys
from collections.abc import Iterable

from codegen.display import counted, safe
from codegen.problems import Problem

FINE, PROBLEMS, USAGE, FAILED_ON = 0, 1, 2, 3
MOST_SHOWN = 200
FORMATS = ("text", "json", "github", "markdown")


def answer(text: str) -> None:
    """Print to stdout what was asked for, at once: a pipe may be reading."""
    print(text, flush=True)


def machine(value: object) -> None:
    """Print a value as JSON, in ASCII so that no terminal can spoil it."""
    print(json.dumps(value, indent=2))


def note(text: str) -> None:
    """Print a remark, to stderr."""
    print(text, file=sys.stderr)


def complain(problems: Iterable[Problem], form: str) -> None:
    """Print problems and warnings in the format *form*."""
    listed = list(problems)
    for problem in listed[:MOST_SHOWN]:
        if form == "github":
            print(github(problem))
        else:
            note(str(problem))
    if len(listed) > MOST_SHOWN:
        note(f"and {len(listed) - MOST_SHOWN:,} more")


def total(count: int, outcome: str, what: str = "problem") -> str:
    """The line that ends a list of problems, or of something else."""
    return f"{counted(count, what)}; {outcome}"


def as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.span.line,
        "column": problem.span.column,
        "end_column": problem.span.column + problem.span.length,
        "severity": "warning" if problem.warning else "error",
        "message": problem.heading,
        "hints": list(problem.hints),
    }


def reason(error: OSError) -> str:
    """Which file, and why not, without the number of the error."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"


def github(problem: Problem) -> str:
    """A problem as a workflow command, which annotates its line."""
    span = problem.span
    return annotation(
        "warning" if problem.warning else "error",
        problem.file,
        "\n".join([problem.heading, *problem.hints]),
        line=span.line,
        col=span.column,
        endColumn=span.column + span.length,
    )


def annotation(level: str, file: str, message: str, **place: int) -> str:
    """A workflow command; every value escaped by GitHub's rules."""
    values = {"file": safe(file), **place}
    properties = ",".join(f"{key}={_property(str(v))}" for key, v in values.items())
    text = "\n".join(safe(line) for line in message.split("\n"))
    return f"::{level} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
