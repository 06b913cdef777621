"""Every regular expression of the compiler and the server, and how it is applied."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codegen.forms import FORMS

ROOT = Path(__file__).parent.parent.parent
METHODS = {"match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
OPERATORS = {"server/settings.py", "server/redis_urls.py"}
"""What is put to their patterns is what the operator wrote, once, at the start."""


@dataclass(frozen=True)
class Found:
    """A pattern, where it stands, and by which method text is put to it."""

    where: str
    pattern: re.Pattern[str] | re.Pattern[bytes]
    method: str

    @property
    def words(self) -> str:
        """What the pattern is written as."""
        written = self.pattern.pattern
        return written if isinstance(written, str) else written.decode("latin-1")

    def apply(self, text: str) -> None:
        """Put *text* to the pattern, as the program does, to the end."""
        plain = isinstance(self.pattern.pattern, str)
        taken = text if plain else text.encode()
        replaced = [taken[:0]] if self.method == "sub" else []
        result = getattr(self.pattern, self.method)(*replaced, taken)
        if self.method == "finditer":
            for _ in result:
                pass


def every() -> Iterator[Found]:
    """Those in the text of the program, then one for each form of a phrase."""
    for folder in ("codegen", "server"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            shown = str(path.relative_to(ROOT))
            if shown not in OPERATORS:
                yield from _in_file(path, shown)
    for form in FORMS:
        yield Found(f"form {form.example!r}", form.pattern, "fullmatch")


def _in_file(path: Path, shown: str) -> Iterator[Found]:
    made: dict[re.Pattern[str], int] = {}
    used: set[re.Pattern[str]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        on, method = node.func.value, node.func.attr
        if not isinstance(on, ast.Name) or method not in {*METHODS, "compile"}:
            continue
        if on.id != "re":
            pattern = _named(path, on.id)
        elif isinstance(node.args[0], ast.Constant):
            pattern = re.compile(ast.literal_eval(node.args[0]), _flags(node, method))
        else:
            pattern = None  # put together as the program runs; forms are tried below
        if pattern is None:
            continue
        if method == "compile":
            made[pattern] = node.lineno
        else:
            used.add(pattern)
            yield Found(f"{shown}:{node.lineno}", pattern, method)
    for pattern, number in made.items():
        if pattern not in used:  # in another file: by the method that takes longest
            yield Found(f"{shown}:{number}", pattern, "search")


def _flags(call: ast.Call, method: str) -> int:
    """The flags of a call of ``re``, named or in their place."""
    place = 1 if method == "compile" else 2
    given = [each.value for each in call.keywords if each.arg == "flags"]
    given += call.args[place:] if method not in {"sub", "split"} else []
    names = [each.attr for flag in given for each in ast.walk(flag)
             if isinstance(each, ast.Attribute)]  # fmt: skip
    flags = re.RegexFlag(0)
    for name in names:
        flags |= re.RegexFlag[name]
    return flags


def _named(path: Path, name: str) -> re.Pattern[str] | None:
    """The pattern that a file calls so, of its own or imported; None: no pattern."""
    if not name.isupper():
        return None
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    found = getattr(importlib.import_module(module), name, None)
    return found if isinstance(found, re.Pattern) else None
