"""Bad tables: a folder for each, named for what is wrong, with the words it deserves.

A case is table.md (table.bytes, where it is no text that a tool could read) and
problem.txt, which holds all that is said of it; handlers, where they matter, lie in
api/. To accept new words: WEIR_ACCEPT=1 pytest this file, and read the diff.
"""

import os
import shutil
from pathlib import Path

import pytest

from codegen import output
from codegen.compiler import Compiled, compile_bytes
from codegen.problems import Problem
from codegen.tree import Tree

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir())


def table_of(case: Path) -> bytes:
    (table,) = case.glob("table.*")
    return table.read_bytes()


def compile_case(case: Path, root: Path) -> Compiled:
    if (case / "api").is_dir():
        shutil.copytree(case / "api", root / "server" / "api")
    content = table_of(case)
    return compile_bytes(content, "table.md", "table.md", Tree(root))


def _of_table(compiled: Compiled) -> list[Problem]:
    return [problem for problem in compiled.problems if problem.file == "table.md"]


def said(compiled: Compiled) -> str:
    lines = [str(problem) for problem in compiled.problems]
    lines.append(output.total(compiled.errors, "nothing was written"))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_table_is_told_what_is_wrong(case: Path, tmp_path: Path) -> None:
    compiled = compile_case(case, tmp_path)

    if os.environ.get("WEIR_ACCEPT"):
        (case / "problem.txt").write_text(said(compiled), encoding="utf-8")
    assert said(compiled) == (case / "problem.txt").read_text(encoding="utf-8")
    assert compiled.errors


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_said_can_be_shown_in_any_terminal(case: Path, tmp_path: Path) -> None:
    compiled = compile_case(case, tmp_path)

    assert said(compiled).replace("\n", "").isprintable()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_problem_points_into_the_file(case: Path, tmp_path: Path) -> None:
    lines = table_of(case).decode("utf-8", "replace").split("\n")

    for problem in _of_table(compile_case(case, tmp_path)):
        assert 1 <= problem.span.line <= len(lines)
        assert 1 <= problem.span.column <= len(lines[problem.span.line - 1]) + 1
