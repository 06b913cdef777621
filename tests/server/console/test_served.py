"""Under gunicorn: a change of the rules is seen once, whatever number of workers start."""

import json
import subprocess
import sys
from pathlib import Path

from tests.server.gunicorn import flask, serving
from tests.trees import copy_of_the_tree


def audit(tree: Path, state_dir: Path) -> list[dict[str, str]]:
    return json.loads(flask(tree, state_dir, "audit", "--json"))


def test_racing_workers_write_each_change_of_the_rules_once(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path)
    state_dir = tmp_path / "state"
    for _ in range(2):
        with serving(state_dir, tree=tree, workers="4"):
            pass
    document = tree / "limits.md"
    text = document.read_text()
    assert "user ID length 64 characters" in text
    document.write_text(
        text.replace("user ID length 64 characters", "user ID length 48 characters")
    )
    compiled = [sys.executable, "-m", "codegen"]
    subprocess.run(compiled, cwd=tree, check=True, capture_output=True)
    with serving(state_dir, tree=tree, workers="4"):
        pass

    seen = [each for each in audit(tree, state_dir) if each["action"] == "rules"]

    assert [each["actor"] for each in seen] == ["server", "server"]
    assert seen[1]["words"] == "the first rules this database has seen"
    assert seen[0]["words"].splitlines() == [
        "users.user_id tighter: user ID length 64 characters →"
        " user ID length 48 characters (limits.md:18)",
        "friends.user_id tighter: user ID length 64 characters →"
        " user ID length 48 characters (limits.md:19)",
    ]
