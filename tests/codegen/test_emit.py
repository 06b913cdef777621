"""Generated files: formatted, typed, quoted, and nothing a cell says gets out."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from codegen import compile_table, document, interpret, readback
from codegen.layout import literal
from codegen.spec import Calls, Spec
from tests.codegen.tables import ENTERPRISE, HEADER, further, row

ROOT = Path(__file__).parent.parent.parent
OURS = (ROOT / "limits.md").read_text(encoding="utf-8")
PLATFORM = (Path(__file__).parent / "data" / "platform-limits.md").read_text("utf-8")

HOSTILE = (
    HEADER
    + row(
        "Web10 links",
        "x (the limit of \"daily 'odd' pushes\" in the Community edition is 5 messages)",
        notes="user \"ID\" length 64 characters; the 'other' ID length 5 characters;"
        " the “third” 'ID' \"max\" length 6 characters; single user can have 10 contacts;"
        " single user can have 5 contacts in the Community edition",
    )
    + row("Web9 links", '"""\\', notes="\\\\; '''; {x}; %s; \u202e; \x07")
    + "".join(map(row, ["web 01", "web 001", "web 1", "Web1 links", "json", "server"]))
    + row("a_b", notes=f"a {'very ' * 6}long name length is limited to 64 characters")
    + row("Ab", enterprise="x ; " + ENTERPRISE)
    + further(
        ("Ab", "cluster download call limited 5 times/s in the community edition"),
        ("ab", "cluster download call limited 7 times/s in the enterprise edition"),
        ("Ab", "files kept 1 day; file size is, at most, 10M; parts 3 parts each time"),
    )
)
ONE_EDITION = (
    "Interface | Description | Silver Edition\n---|---|---\n"
    "Groups | x | single app call limit 1 time/day\n"
)
TABLES = {
    "ours": OURS,
    "platform": PLATFORM,
    "hostile": HOSTILE,
    "one edition": ONE_EDITION,
}


def spec_of(text: str) -> Spec:
    return interpret.read(document.of_text(text))[0]


def tree(root: Path, text: str) -> Path:
    """A tree whose server/ is this one's, with the rules of *text*."""
    shutil.copytree(
        ROOT / "server", root / "server", ignore=shutil.ignore_patterns("api", "rules")
    )
    shutil.copy(ROOT / "pyproject.toml", root)
    for path, content in compile_table(text).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return root


def tool(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip(command[0], reason=f"{command[0]} is not installed")
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", TABLES)
def test_files_come_out_as_ruff_would_leave_them(name: str, tmp_path: Path) -> None:
    root = tree(tmp_path, TABLES[name])

    formatted = tool("ruff", "format", "--diff", "server/rules", cwd=root)
    linted = tool("ruff", "check", "--no-cache", "server/rules", cwd=root)

    assert formatted.returncode == 0, formatted.stdout
    assert linted.returncode == 0, linted.stdout


def test_files_pass_mypy(tmp_path: Path) -> None:
    root = tree(tmp_path, HOSTILE)

    typed = tool("mypy", "--strict", "server/rules", cwd=root)

    assert typed.returncode == 0, typed.stdout


@pytest.mark.parametrize("name", TABLES)
def test_the_same_table_gives_the_same_bytes(name: str) -> None:
    assert compile_table(TABLES[name]) == compile_table(TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_files_hold_only_what_the_compiler_writes(name: str) -> None:
    for path, text in compile_table(TABLES[name]).items():
        parsed = ast.parse(text)
        called = {
            ast.unparse(node.func)
            for node in ast.walk(parsed)
            if isinstance(node, ast.Call)
        }
        assert all(re.fullmatch("[A-Za-z_]+", word) for word in called), path
        assert called <= {
            "Blueprint", "Calls", "Rate", "Stated", "MaxLength", "MaxItems", "MaxBytes",
            "Membership", "Quota", "Bandwidth", "Kept", "Interface",
            "limit_every_route", "limit_route",
        }  # fmt: skip
        assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("name", TABLES)
def test_files_are_read_back_as_the_spec_they_came_from(name: str) -> None:
    files = {path: text.encode() for path, text in compile_table(TABLES[name]).items()}

    assert plain(readback.read(files)) == plain(spec_of(TABLES[name]))


def plain(spec: Spec) -> object:
    """A spec without the columns, which generated files do not keep."""
    rules = {
        (interface.name, interface.title, interface.line, rule.name, rule.edition): (
            {e: (r.calls, r.unit, r.stated.words) for e, r in rule.rates.items()}
            if isinstance(rule, Calls)
            else (rule.kind, rule.figure, rule.stated.words, rule.stated.line)
        )
        for interface, rule in spec.rules()
    }
    return spec.source, spec.digest, spec.editions, rules


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'a "b"',
        "it's",
        '"it\'s"',
        "back\\slash",
        "new\nline",
        "\u202eright to left",
        "\x00\x7f\u2028",
        '"""',
        "表",
        "\U0001f600\ue000",
    ],
)
def test_a_literal_is_the_text_and_stays_on_its_line(text: str) -> None:
    written = literal(text)

    assert ast.literal_eval(written) == text
    assert written.isprintable()


def test_an_edition_is_a_column_and_nothing_else() -> None:
    header = HEADER.replace(" | Enterprise Edition |", " | Ultimate Edition |")
    text = header + row(enterprise="single app call limit 99 times/second")

    files = compile_table(text)

    index = files[PurePosixPath("server/rules/__init__.py")]
    users = files[PurePosixPath("server/rules/users.py")]
    assert '"ultimate": "Ultimate Edition"' in index
    assert '"ultimate": Rate( 99, "second",' in " ".join(users.split())


def test_moving_prose_changes_no_generated_file() -> None:
    prose = OURS.replace("This page says", "Here it says")

    assert prose != OURS
    assert compile_table(prose) == compile_table(OURS)
