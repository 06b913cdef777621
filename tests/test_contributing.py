"""What an API owner's repository runs: the job on a pull request, the hook at a commit.

The very commands of the files, in a repository made for it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
WORKFLOW = ".github/workflows/limits.yml"

Done = subprocess.CompletedProcess[str]


class Repository:
    """A clone of the tree with one commit, whose .venv is this one."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "weir"
        ignored = shutil.ignore_patterns(
            ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "var", "*.egg-info", "tests"
        )  # fmt: skip
        shutil.copytree(ROOT, self.root, ignore=ignored)
        (self.root / ".venv").symlink_to(sys.prefix)
        (self.root / ".git" / "info").mkdir(parents=True)
        (self.root / ".git" / "info" / "exclude").write_text(".venv\n")
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "WEIR_", "PYTHON"))
        } | {
            "PATH": f"{tmp_path}/bin:{sys.prefix}/bin:{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
        }  # fmt: skip
        self.run("git init -q && git add -A && git commit -q -m base")
        self.base = self.run("git rev-parse HEAD").stdout.strip()

    def run(self, command: str, **environ: str) -> Done:
        """Run as GitHub does; it must succeed."""
        done = self.attempt(command, **environ)
        assert done.returncode == 0, command + done.stdout + done.stderr
        return done

    def attempt(self, command: str, **environ: str) -> Done:
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.root, env=self.environ | environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def edit(self, old: str, new: str) -> None:
        table = self.root / "limits.md"
        assert old in table.read_text()
        table.write_text(table.read_text().replace(old, new))

    def head(self) -> str:
        return self.run("git rev-parse HEAD").stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def steps(repository: Repository) -> dict[str, dict[str, Any]]:
    """The steps of the job that are commands, by name."""
    job = yaml.safe_load((repository.root / WORKFLOW).read_text())["jobs"]["limits"]
    return {step["name"]: step for step in job["steps"] if "run" in step}


def pull_request(repository: Repository, tmp_path: Path) -> dict[str, Done]:
    """Every step on what is committed, but the installing, which needs a network."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    gh = tmp_path / "bin" / "gh"
    gh.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat comment.md > {tmp_path}/told\n'
    )
    gh.chmod(0o755)
    found = steps(repository)
    assert found.pop("Install")["run"] == "python -m pip install --quiet --editable ."
    return {
        name: repository.attempt(
            step["run"],
            BASE=repository.base,
            NUMBER="7",
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
        )
        for name, step in found.items()
    }


CHECK, TOLD, COMMENT, TIGHTER = (
    "The rules are what the table compiles to",
    "What changes for callers",
    "The same as a comment",
    "Nothing is tighter for callers",
)


def test_a_tighter_table_is_told_and_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.edit("limit 10 times/second", "limit 9 times/second")
    repository.run("python -m codegen && git commit -qam tighter")

    done = pull_request(repository, tmp_path)

    assert {name: each.returncode for name, each in done.items()} == {
        CHECK: 0,
        TOLD: 0,
        COMMENT: 0,
        TIGHTER: 3,
    }
    told = (tmp_path / "told").read_text()
    assert "**9 tighter** (breaking)" in told
    assert "| Users | **tighter** | `users.calls` |" in told
    assert (tmp_path / "summary").read_text() == told
    assert (
        (tmp_path / "asked")
        .read_text()
        .startswith("pr comment 7 --body-file comment.md")
    )
    assert "::error file=limits.md,line=18," in done[TIGHTER].stdout


def test_a_looser_table_is_told_and_passes(
    repository: Repository, tmp_path: Path
) -> None:
    repository.edit("limit 10 times/second", "limit 11 times/second")
    repository.run("python -m codegen && git commit -qam looser")

    done = pull_request(repository, tmp_path)

    assert [each.returncode for each in done.values()] == [0, 0, 0, 0]
    assert "9 looser, compared with" in (tmp_path / "told").read_text()


def test_a_table_that_does_not_compile_is_told(
    repository: Repository, tmp_path: Path
) -> None:
    repository.edit("user ID length 64 characters", "user ID length 64 chars")
    repository.run("git commit -qam wrong")

    done = pull_request(repository, tmp_path)

    assert {name: each.returncode for name, each in done.items()} == {
        CHECK: 1,
        TOLD: 0,
        COMMENT: 0,
        TIGHTER: 1,
    }
    assert "does not compile: 2 problems" in (tmp_path / "told").read_text()


def test_the_job_tells_before_it_refuses(repository: Repository) -> None:
    found = steps(repository)

    assert list(found) == ["Install", CHECK, TOLD, COMMENT, TIGHTER]
    assert found[TOLD]["if"] == found[COMMENT]["if"] == "always()"
    assert found[COMMENT]["continue-on-error"] is True
    assert "'breaking'" in found[TIGHTER]["if"]


@pytest.fixture
def hooked(repository: Repository) -> Repository:
    repository.run("git config core.hooksPath .githooks")
    return repository


def test_a_table_without_its_rules_is_not_committed(hooked: Repository) -> None:
    hooked.edit("limit 10 times/second", "limit 9 times/second")

    refused = hooked.attempt("git commit -qam tighter")

    assert refused.returncode == 1
    assert "not as the table wants; run: python -m codegen" in refused.stderr
    assert "git add limits.md server/rules" in refused.stderr
    assert hooked.head() == hooked.base


def test_a_table_with_its_rules_is_committed(hooked: Repository) -> None:
    hooked.edit("limit 10 times/second", "limit 9 times/second")

    hooked.run("python -m codegen && git commit -qam tighter")

    assert hooked.head() != hooked.base


def test_what_is_staged_counts_and_not_what_lies_there(hooked: Repository) -> None:
    hooked.edit("limit 10 times/second", "limit 9 times/second")
    hooked.run("python -m codegen && git add limits.md")

    assert hooked.attempt("git commit -qm half").returncode == 1
    hooked.run("git add server/rules")
    hooked.edit("limit 9 times/second", "limit 8 tims/second")  # and goes on writing
    hooked.run("git commit -qm whole")

    assert "limit 9 times/second" in hooked.run("git show HEAD:limits.md").stdout


def test_a_part_of_what_changed_may_be_committed(hooked: Repository) -> None:
    """For `git commit FILE` git makes an index of its own."""
    hooked.edit("limit 10 times/second", "limit 9 times/second")
    hooked.run("python -m codegen")

    assert hooked.attempt("git commit -qm half limits.md").returncode == 1
    hooked.run("git commit -qm whole limits.md server/rules")


def test_a_commit_of_something_else_is_let_be(hooked: Repository) -> None:
    (hooked.root / "README.md").write_text("words\n")

    hooked.run("PATH=/usr/bin:/bin; rm .venv; git commit -qm words README.md")

    assert hooked.head() != hooked.base


def test_a_table_that_does_not_compile_is_not_committed(hooked: Repository) -> None:
    hooked.edit("user ID length 64 characters", "user ID length 64 chars")

    refused = hooked.attempt("git commit -qam wrong")

    assert refused.returncode == 1
    assert "limits.md:18:" in refused.stderr
    assert 'did you mean "characters"?' in refused.stderr


def test_the_readme_shows_the_job_as_it_is() -> None:
    shown = re.findall(
        r"^```yaml\n(name: limits\n.*?)^```", README.read_text(), re.M | re.S
    )
    if not shown:
        pytest.skip("README.md does not show the job")

    _, begin, rest = (ROOT / WORKFLOW).read_text().partition("name: limits\n")
    assert shown == [begin + rest]
