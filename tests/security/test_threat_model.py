"""Each line of README's threat model names tests, and those exist."""

import ast
import re

from tests.server.gunicorn import ROOT

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def lines() -> list[list[str]]:
    """The cells of the table under "Security"."""
    section = (
        (ROOT / "README.md")
        .read_text()
        .partition("\n## Security\n")[2]
        .partition("\n## ")[0]
    )
    rows = [line for line in section.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def names_in(path: str) -> set[str]:
    text = (ROOT / "tests" / path).read_text()
    functions = (
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)
    )
    return {each.name for each in functions if each.name.startswith("test_")}


def test_each_line_names_tests_that_exist() -> None:
    found = lines()
    missing = [
        f"{path}::{name}"
        for *_, held_by in found
        for path, name in NAMED.findall(held_by)
        if name not in names_in(path)
    ]

    assert missing == []
    for _, claim, held_by in found:
        assert NAMED.search(held_by), claim
        assert NAMED.sub("", held_by).strip(" ,") == "", held_by


def test_everyone_who_comes_is_in_it() -> None:
    who = [cells[0] for cells in lines() if cells[0]]

    assert who == ["Stranger", "User token", "App token", "Operator key", "Scraper", "Host"]  # fmt: skip
