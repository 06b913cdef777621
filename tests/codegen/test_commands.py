"""The commands as a person or a pipeline runs them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.tables import COMMUNITY, HEADER, row, stating, tree_with

ROOT = Path(__file__).parent.parent.parent

Done = subprocess.CompletedProcess[str]


class Checkout:
    """A copy of the compiler with a table of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rules = root / "server" / "rules"
        self.table = root / "limits.md"
        shutil.copytree(
            ROOT / "codegen",
            root / "codegen",
            ignore=shutil.ignore_patterns("__pycache__"),
        )

    def run(self, *arguments: str, **environment: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "codegen", *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def state(self, table: str) -> None:
        self.table.write_text(table, encoding="utf-8")

    def files(self) -> dict[str, str]:
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(self.rules.glob("*"))
        }


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.state(stating("user ID length 64 characters"))
    return made


GOOD = stating("user ID length 63 characters")
BAD = stating("user ID length 63 chars")


def test_write_makes_every_file_and_check_is_content(checkout: Checkout) -> None:
    written, checked = checkout.run(), checkout.run("check")

    assert written.returncode == 0
    assert written.stdout == "limits.md: 2 rules; 2 files of server/rules/ changed\n"
    assert list(checkout.files()) == ["__init__.py", "users.py"]
    assert (checked.returncode, checked.stdout) == (
        0,
        "server/rules/ is what limits.md compiles to\n",
    )
    assert "users has no handlers yet" in checked.stderr


def test_write_touches_nothing_that_is_as_it_should_be(checkout: Checkout) -> None:
    checkout.run()
    before = (checkout.rules / "users.py").stat()

    again = checkout.run()

    assert again.stdout == "limits.md: 2 rules; nothing to change\n"
    after = (checkout.rules / "users.py").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_written_files_are_as_readable_as_any(checkout: Checkout) -> None:
    checkout.run()

    mode = (checkout.rules / "users.py").stat().st_mode
    assert mode & 0o777 == checkout.table.stat().st_mode & 0o777


def test_a_bad_table_writes_nothing(checkout: Checkout) -> None:
    checkout.run()
    before = checkout.files()
    checkout.state(BAD)

    refused = checkout.run("write")

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("limits.md:3:")
    assert refused.stderr.endswith("1 problem; nothing was written\n")
    assert checkout.files() == before


def test_check_shows_what_is_stale(checkout: Checkout) -> None:
    checkout.run()
    checkout.state(GOOD)

    checked = checkout.run("check")

    assert checked.returncode == 1
    assert '-    Stated(64, "user ID length 64 characters", "limits.md:3"),' in (
        checked.stdout
    )
    assert '+    Stated(63, "user ID length 63 characters", "limits.md:3"),' in (
        checked.stdout
    )
    assert checked.stderr.endswith(
        "2 files of server/rules/ not as the table wants; run: python -m codegen\n"
    )


def test_check_shows_what_is_missing_and_left_over(checkout: Checkout) -> None:
    checkout.run()
    (checkout.rules / "users.py").rename(checkout.rules / "friends.py")

    checked = checkout.run("check", "--format", "json")

    answer = json.loads(checked.stdout)
    assert checked.returncode == 1
    assert not answer["ok"]
    assert answer["files"] == [
        {"path": "server/rules/friends.py", "state": "left over"},
        {"path": "server/rules/users.py", "state": "missing"},
    ]


def test_write_removes_what_it_once_wrote(checkout: Checkout) -> None:
    checkout.state(HEADER + row() + row("Friends"))
    checkout.run()
    checkout.state(HEADER + row())

    checkout.run()

    assert list(checkout.files()) == ["__init__.py", "users.py"]


def test_write_leaves_a_file_of_another_alone(checkout: Checkout) -> None:
    checkout.run()
    (checkout.rules / "mine.py").write_text("x = 1\n")

    written, checked = checkout.run(), checkout.run("check")

    assert written.returncode == 0
    assert "server/rules/mine.py:1:1: warning: no row" in written.stderr
    assert "mine.py" in checkout.files()
    assert checked.returncode == 1
    assert "mine.py: left over; not generated: move or delete it" in checked.stderr


def test_check_ignores_what_python_leaves(checkout: Checkout) -> None:
    checkout.run()
    (checkout.rules / "__pycache__").mkdir()
    (checkout.rules / "__pycache__" / "users.cpython-311.pyc").write_bytes(b"x")

    assert checkout.run("check").returncode == 0


def test_problems_for_github_are_escaped(checkout: Checkout) -> None:
    checkout.state(stating("a%,b length 5 characters; x"))

    refused = checkout.run("check", "--format", "github")

    assert refused.returncode == 1
    assert refused.stdout.startswith("::error file=limits.md,line=3,col=106,endColumn=")
    assert "::this cannot name a rule%0Aletters a-z" in refused.stdout


def test_problems_as_json(checkout: Checkout) -> None:
    checkout.state(BAD)

    refused = checkout.run("--format", "json")

    answer = json.loads(refused.stdout)
    assert refused.returncode == 1
    assert (answer["written"], answer["removed"]) == ([], [])
    assert answer["problems"] == [
        {
            "file": "limits.md",
            "line": 3,
            "column": 124,
            "end_column": 129,
            "severity": "error",
            "message": "this is not the unit of a length",
            "hints": [
                'did you mean "characters"?',
                "understood: character, characters",
            ],
        }
    ]


def test_explain_tells_even_what_nobody_enforces(checkout: Checkout) -> None:
    handler = (
        "from server.rules import users as rules\nblueprint = rules.blueprint\n"
        "@blueprint.get('/users')\ndef read(): ...\n"
    )
    tree_with(checkout.root, users=handler)

    explained = checkout.run("explain", "--format", "json")

    rules = json.loads(explained.stdout)["interfaces"][0]["rules"]
    assert explained.returncode == 1
    assert [rule["enforced_by"] for rule in rules] == [["GET /{org}/{app}/users"], []]
    assert "users.user_id: no operation enforces this figure" in explained.stderr


def test_another_table_is_named_in_what_it_makes(checkout: Checkout) -> None:
    elsewhere = checkout.root / "other" / "my limits.md"
    elsewhere.parent.mkdir()
    elsewhere.write_text(GOOD)

    checkout.run("--table", "other/my limits.md")

    assert '"my limits.md:3"' in checkout.files()["users.py"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--format", "xml"),
        ("--unknown",),
        ("check", "--against", "HEAD"),
        ("check", "--fail-on", "any"),
        ("check", "--format", "markdown"),
        ("diff", "--fail-on", "nothing"),
        ("check", "--table", "missing.md"),
        ("check", "--table", 'quo"te.md'),
        ("check", "--table", "two\nlines.md"),
        ("diff", "--against", "HEAD"),
        ("diff", "--against=--output=x"),
    ],
)
def test_wrong_usage_is_two(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    done = checkout.run(*arguments)

    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_table_is_told_plainly(checkout: Checkout) -> None:
    checkout.table.unlink()

    done = checkout.run()

    assert done.returncode == 1
    assert done.stderr.endswith("limits.md: No such file or directory\n")
    assert "Traceback" not in done.stderr


def test_a_folder_is_no_table(checkout: Checkout) -> None:
    done = checkout.run("--table", "codegen")

    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_a_poor_terminal_is_no_reason_to_fail(checkout: Checkout) -> None:
    checkout.state(HEADER + row(community="用户 5 times", notes="x" * 200))

    done = checkout.run("check", PYTHONIOENCODING="ascii")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def test_diff_against_what_is_generated(checkout: Checkout) -> None:
    checkout.run()
    checkout.state(GOOD)

    done = checkout.run("diff")

    assert (done.returncode, done.stdout) == (
        0,
        "users.user_id, every edition: tighter\n"
        "  - user ID length 64 characters  (limits.md:3)\n"
        "  + user ID length 63 characters  (limits.md:3)\n",
    )


def test_diff_against_a_revision(checkout: Checkout) -> None:
    folder = checkout.root / "docs"
    folder.mkdir()
    table = folder / "table.md"
    table.write_text(HEADER + row())
    git(checkout.root, "init", "-q")
    git(checkout.root, "add", "docs")
    git(checkout.root, "commit", "-q", "-m", "x")
    table.write_text(HEADER + row(community=COMMUNITY.replace("10", "12")))

    done = checkout.run(
        "diff", "--table", "docs/table.md", "--against", "HEAD", "--format", "json"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "totals": {"tighter": 0, "looser": 1, "new": 0},
        "changes": [
            {
                "rule": "users.calls",
                "edition": "community",
                "change": "looser",
                "tighter": False,
                "looser": True,
                "old": {"words": "single app call limit 10 times/second", "line": 3},
                "new": {"words": "single app call limit 12 times/second", "line": 3},
            }
        ],
    }
    assert checkout.run("diff", "--against", "nowhere").returncode == 2


def test_diff_for_github(checkout: Checkout) -> None:
    checkout.run()
    checkout.state(GOOD)

    done = checkout.run("diff", "--format", "github")

    assert (
        "::notice file=limits.md,line=3,col=106::users.user_id, every edition: tighter%0A"
    ) in done.stdout


def test_diff_of_files_changed_by_hand_says_so(checkout: Checkout) -> None:
    checkout.run()
    (checkout.rules / "__init__.py").write_text("INTERFACES = open\n")

    done = checkout.run("diff")

    assert done.returncode == 1
    assert "server/rules/__init__.py is not as it was generated" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("fail_on", "notes", "code"),
    [
        ("tighter", "user ID length 63 characters", 3),
        ("tighter", "user ID length 65 characters", 0),
        ("looser", "user ID length 63 characters", 0),
        ("looser", "user ID length 65 characters", 3),
        ("any", "user ID length 65 characters", 3),
        ("any", "user ID length 64 characters", 0),
        ("tighter", "user ID length 64 chars", 1),
    ],
)
def test_diff_fails_on_what_it_is_told_to(
    checkout: Checkout, fail_on: str, notes: str, code: int
) -> None:
    checkout.run()
    checkout.state(stating(notes))

    done = checkout.run("diff", "--fail-on", fail_on)

    assert done.returncode == code, done.stderr
    assert ("1 change; failing on" in done.stderr) == (code == 3)


def test_diff_for_github_marks_what_it_fails_on(checkout: Checkout) -> None:
    checkout.run()
    checkout.state(GOOD)

    done = checkout.run("diff", "--format", "github", "--fail-on", "tighter")

    assert "\n::error file=limits.md,line=3,col=106::users.user_id" in done.stdout


def test_a_comment_on_a_bad_table_has_the_compilers_words(checkout: Checkout) -> None:
    checkout.run()
    checkout.state(BAD)

    done = checkout.run("diff", "--format", "markdown", "--fail-on", "tighter")

    assert done.returncode == 1
    assert done.stdout.startswith(
        "### `limits.md` does not compile: 1 problem\n\n```text\nlimits.md:3:124: "
    )
    assert done.stdout.endswith("\n```\n")
