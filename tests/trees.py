"""Copies of the tree, for tests that edit it: the table, the code, a release."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.server.gunicorn import ROOT


def copy_of_the_tree(tmp_path: Path) -> Path:
    return copy_to(tmp_path / "tree")


def copy_to(tree: Path, *, with_tests: bool = False) -> Path:
    """A copy of what is served, with its compiled code: four workers that begin at once
    would each compile all of it."""
    # But for rules: compiled ones would hide a change made within their second.
    besides = () if with_tests else ("tests",)
    ignored = shutil.ignore_patterns(".*", "var", "*.egg-info", *besides)
    shutil.copytree(ROOT, tree, ignore=ignored)
    shutil.rmtree(tree / "server" / "rules" / "__pycache__", ignore_errors=True)
    return tree


def edit(path: Path, old: str, new: str) -> None:
    """As a person would: what is to be replaced is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def recompile(tree: Path, old: str, new: str) -> None:
    """Edit the table and compile it."""
    edit(tree / "limits.md", old, new)
    compile_table(tree)


def compile_table(tree: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "codegen"], cwd=tree, check=True, capture_output=True
    )


def with_high_rates(tmp_path: Path) -> Path:
    """A copy whose table lets everybody call 10,000 times a second; else all as it is.

    For tests that call by the thousand and look at what calls do, not at rates.
    """
    tree = copy_of_the_tree(tmp_path)
    document = tree / "limits.md"
    rate = re.compile(r"(call limit(?:ed to)?) \d+ times?/(?:second|minute)")
    text, changed = rate.subn(r"\1 10,000 times/second", document.read_text())
    assert changed
    document.write_text(text)
    compile_table(tree)
    return tree
