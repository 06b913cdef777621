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


@dataclass(frozen=True)
class Found:
    """A pattern, where it stands, and by which method text is put to it."""

    where: str
    pattern: re.Pattern[str]
    method: str


def every() -> Iterator[Found]:
    """Those in the text of the program, then one for each form of a phrase."""
    for folder in ("codegen", "server"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from _in_file(path)
    for form in FORMS:
        yield Found(f"form {form.example!r}", form.pattern, "fullmatch")


def _in_file(path: Path) -> Iterator[Found]:
    tree = ast.parse(path.read_text())
    shown = str(path.relative_to(ROOT))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        on, method = node.func.value, node.func.attr
        if isinstance(on, ast.Name) and on.id == "re" and method in METHODS:
            # re.fullmatch("...", text): made where it is used.
            pattern = re.compile(ast.literal_eval(node.args[0]), _flags(node))
            yield Found(f"{shown}:{node.lineno}", pattern, method)
        elif isinstance(on, ast.Name) and method in METHODS and on.id.isupper():
            yield Found(f"{shown}:{node.lineno}", _named(path, on.id), method)


def _flags(call: ast.Call) -> int:
    named = {each.arg: each.value for each in call.keywords}
    given = [*([named["flags"]] if "flags" in named else []), *call.args[2:]]
    return sum(
        getattr(re, each.attr)
        for each in given
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Name)
        and each.value.id == "re"
    )


def _named(path: Path, name: str) -> re.Pattern[str]:
    """The pattern that a file calls so, of its own or imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    pattern = getattr(importlib.import_module(module), name)
    assert isinstance(pattern, re.Pattern), f"{module}.{name} is no pattern"
    return pattern


def made() -> set[str]:
    """The text of every pattern that is made by `re.compile("...")`."""
    return {
        ast.literal_eval(node.args[0])
        for folder in ("codegen", "server")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "re.compile"
        and not isinstance(node.args[0], ast.Call)
    }
