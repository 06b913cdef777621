"""`flask limits replay` as an operator runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.limiting import tables
from tests.server.gunicorn import ROOT, environment
from tests.server.replay.logs import MIDNIGHT, line, write

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    calls = [
        line(MIDNIGHT + n * 1000, rule="messages.calls" if n > 9 else None)
        for n in range(12)
    ]
    quiet = [
        line(MIDNIGHT + n * 500_000, "globex/chat", "enterprise") for n in range(3)
    ]
    return write(tmp_path / "access.log", *calls, *quiet, b"torn\n")


def replay(tmp_path: Path, *arguments: object, **environ: str) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "limits", "replay", *map(str, arguments)],
        cwd=ROOT, env=environment(tmp_path / "state", 0, bind="127.0.0.1:1") | environ,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def tighter(
    tmp_path: Path,
    old: str = "limit 10 times/second",
    new: str = "limit 4 times/second",
) -> Path:
    table = tmp_path / "proposed.md"
    table.write_text((ROOT / "limits.md").read_text().replace(old, new))
    return table


def test_a_proposed_table_is_replayed(tmp_path: Path, log: Path) -> None:
    done = replay(tmp_path, log, "--table", tighter(tmp_path), "--json")

    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (told["calls"], told["wrong_lines"]) == (15, 1)
    assert (told["refused_before"], told["refused_after"]) == (2, 8)
    assert told["rows"] == [
        {
            "app": "acme/chat",
            "rule": "messages.calls",
            "calls": 12,
            "recorded": 2,
            "before": {
                "refused": 2,
                "share": 0.166667,
                "first": "2026-11-23T00:00:00Z",
                "worst": "2026-11-23T00:00:00Z",
                "worst_refused": 2,
                "worst_seconds": 1,
            },
            "after": {
                "refused": 8,
                "share": 0.666667,
                "first": "2026-11-23T00:00:00Z",
                "worst": "2026-11-23T00:00:00Z",
                "worst_refused": 8,
                "worst_seconds": 1,
            },
        }
    ]
    assert "max_length" in told["not_replayed"]


def test_people_are_told_the_same(tmp_path: Path, log: Path) -> None:
    done = replay(tmp_path, log, "--table", tighter(tmp_path))

    assert done.returncode == 0, done.stderr
    assert "2 refused as the rules are, 8 under " in done.stdout
    row = next(each for each in done.stdout.splitlines() if "acme/chat" in each)
    assert row.split()[:7] == [
        "acme/chat",
        "messages.calls",
        "12",
        "2",
        "2",
        "8",
        "66.7%",
    ]
    assert "1 of the lines: wrong or torn" in done.stdout
    assert f"{log}:16: no JSON" in done.stdout
    assert "Not replayed, for a log does not tell them: max length" in done.stdout


def test_a_bar_is_drawn_on_a_terminal_alone(tmp_path: Path, log: Path) -> None:
    piped = replay(tmp_path, log)
    shown = replay(tmp_path, log, FORCE_COLOR="1", TERM="xterm")

    assert piped.stderr == ""
    assert "replaying" in shown.stderr


def test_a_table_that_does_not_compile_is_told_in_the_compilers_words(
    tmp_path: Path, log: Path
) -> None:
    table = tighter(tmp_path, "user ID length 64 characters", "user ID length 64 chars")

    done = replay(tmp_path, log, "--table", table)

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{table}:18:" in done.stderr
    assert 'did you mean "characters"?' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("missing.log",), (".",), ("x", "--window", "-1")]
)
def test_wrong_usage_is_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = replay(tmp_path, *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_log_may_hold_anything_and_the_terminal_is_safe(tmp_path: Path) -> None:
    app = "acme/\x1b[2J[red]"
    log = write(tmp_path / "log", *(line(MIDNIGHT, app) for _ in range(12)))

    done = replay(tmp_path, log)

    assert done.returncode == 0, done.stderr
    assert "\x1b[2J" not in done.stdout
    assert "acme/\N{REPLACEMENT CHARACTER}[2J[red]" in done.stdout


def test_a_table_of_another_edition_and_a_rule_of_one_edition_is_read(
    tmp_path: Path,
) -> None:
    """What an edition states by itself stands before what binds all."""
    notes = "cluster download call limited to 300 times/second"
    table = tighter(
        tmp_path,
        notes,
        f"{notes}; cluster download call limited to 20 times/second in the Community edition",
    )

    found = tables.compile_table(table)

    binding = found.binding("files", "GET /{org}/{app}/chatfiles/<uuid>")
    assert binding
    (calls, cluster) = binding
    assert calls.name == "files.calls"
    assert {name: rate.calls for name, rate in cluster.rates.items()} == {
        "community": 20,
        "enterprise": 300,
    }
    assert found.binding("files", "POST /chatfiles") == (calls,)
    assert found.binding("files", "HEAD /chatfiles/{uuid}") == (calls, cluster)


def test_a_table_that_cannot_be_read_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(tables.Unusable, match="there is no file"):
        tables.compile_table(tmp_path / "missing.md")
    with pytest.raises(tables.Unusable):
        tables.compile_table(tmp_path)
    with pytest.raises(tables.Unusable, match="characters that no source"):
        tables.compile_table(tmp_path / 'quo"te.md')
