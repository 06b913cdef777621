"""Every command of README.md is run, in its order, in a copy of the tree."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.gunicorn import free_port
from tests.trees import copy_to

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
START, TEST, *COMMANDS = re.findall(
    r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL
)
INSTALL = re.compile(
    r"python3 -m venv \.venv && \.venv/bin/pip install --quiet --editable \S+ && "
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Shell"]:
    """A clone whose .venv is this one: installing needs a network, tests do not."""
    tree = copy_to(tmp_path_factory.mktemp("readme") / "weir")
    (tree / ".venv").symlink_to(sys.prefix)
    shell = Shell(tree, free_port())
    yield shell
    shell.stop()


class Shell:
    """One terminal: variables that a command sets are there for the next."""

    def __init__(self, tree: Path, port: int) -> None:
        self.tree, self.port = tree, port
        self.before = ""
        clean = {
            name: value for name, value in os.environ.items() if "WEIR" not in name
        }
        self.environ = clean | {
            "WEIR_BIND": f"127.0.0.1:{port}",
            "PYTHONUNBUFFERED": "1",
        }
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, command: str) -> str:
        command = command.replace(":8000", f":{self.port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.before + command],
            cwd=self.tree, env=self.environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, command + done.stdout + done.stderr
        self.before += "".join(
            line + "\n" for line in command.splitlines() if re.match(r"[A-Z]+=", line)
        )
        return done.stdout

    def start(self, command: str) -> None:
        log = (self.tree / "log").open("wb")
        self.server = subprocess.Popen(
            ["bash", "-c", "exec " + command], cwd=self.tree, env=self.environ, stdout=log, stderr=log
        )  # fmt: skip
        log.close()
        for _ in range(200):
            if "here is demo/chat" in self.log():
                return
            time.sleep(0.05)
        raise AssertionError(self.log())

    def log(self) -> str:
        return (self.tree / "log").read_text()

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(20)


def test_the_two_commands_install_and_then_start_or_test() -> None:
    assert (
        INSTALL.sub("", START)
        == ".venv/bin/gunicorn --config server/gunicorn_conf.py wsgi:app\n"
    )
    assert INSTALL.sub("", TEST) == ".venv/bin/pytest -n auto --dist loadfile\n"


def test_ci_calls_the_readmes_own_test_command() -> None:
    """CI takes the second sh block out of README.md and runs it as it stands."""
    script = (ROOT / ".ci" / "run").read_text()

    assert "README.md" in script
    found = subprocess.run(
        ["bash", "-c", script.partition("# README's test command\n")[2].partition("\n")[0] + '\nprintf %s "$command"'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert found == TEST.rstrip("\n")


def test_a_stranger_follows_the_readme(shell: Shell) -> None:
    register, send, limits, edit, compile_, *operate = COMMANDS
    shell.start(INSTALL.sub("", START))

    assert '"username":"linus"' in shell.run(register)
    answers = shell.run(send).splitlines()
    assert sum('"ada":"success"' in answer for answer in answers) == 10
    refused = [answer for answer in answers if "reach_limit" in answer]
    assert len(refused) == 10
    promised = re.search(r'"rule":.*"retry_after":1', TEXT)[0]
    assert promised in refused[0]
    assert '"rule":"messages.calls"' in shell.run(limits)

    shell.run(edit)
    told = shell.run(compile_)
    assert "looser" in told
    assert "15" in told
    ends = time.monotonic() + 60
    while not all("limit 15 times/second" in shell.run(limits) for _ in range(4)):
        assert time.monotonic() < ends  # no old worker answers any more
    answers = shell.run(send).splitlines()
    assert sum('"ada":"success"' in answer for answer in answers) == 15

    for command in operate:
        shell.run(command)
    assert "Traceback" not in shell.log()


def test_what_the_readme_shows_of_the_table_is_understood(tmp_path: Path) -> None:
    """Each phrase that the README explains compiles, in a table of its own."""
    section = TEXT.partition("## How the table is read")[2].partition("\n\nAny phrase")[
        0
    ]
    phrases = [
        phrase.strip()
        for cell in re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
        for phrase in cell.split("·")
        if re.search(r"\d", phrase)
    ]
    assert len(phrases) >= 12
    rate, *notes = phrases
    table = tmp_path / "limits.md"
    table.write_text(
        "| Interface | Description | Community Edition | Enterprise Edition Supplementary Notes |\n"
        "| --- | --- | --- | --- |\n"
        f"| Everything | all | {rate} | {'; '.join(notes)} |\n"
    )

    explained = subprocess.run(
        [sys.executable, "-m", "codegen", "explain", "--table", str(table)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert explained.returncode == 0, explained.stderr
    assert explained.stdout.count("limits.md:3:") == len(phrases)
