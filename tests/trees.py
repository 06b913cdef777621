"""Copies of the tree, for tests that edit it: the table, the code, a release."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.server.gunicorn import ROOT


def copy_of_the_tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "var", "*.egg-info", "tests")
    shutil.copytree(ROOT, tree, ignore=ignored)
    return tree


def recompile(tree: Path, old: str, new: str) -> None:
    """Edit the table as a person would, and compile it."""
    document = tree / "limits.md"
    text = document.read_text()
    assert old in text
    document.write_text(text.replace(old, new))
    subprocess.run(
        [sys.executable, "-m", "codegen"], cwd=tree, check=True, capture_output=True
    )
