"""A proposed table counted beside the enforced one, which never notices."""

import json
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from server import limiting
from server.clock import now_ms, utc_day
from server.limiting import shadow, shadowbook
from server.limiting.shadow import Shadow, open_shadow, standing
from server.limiting.shadowbook import Refusal, ShadowBook, Use
from server.settings import Settings
from server.store.models import QuotaUse
from tests.conftest import Clock, Tenant, make_tenant
from tests.probes.messages import send
from tests.server.gunicorn import ROOT, flask, serving

Counts = dict[tuple[str, str], int]


def proposed(tmp_path: Path, **edits: str) -> Path:
    """limits.md with phrases replaced; the words with `_` for blanks name the old."""
    text = (ROOT / "limits.md").read_text()
    for old, new in edits.items():
        assert old.replace("_", " ") in text
        text = text.replace(old.replace("_", " "), new)
    path = tmp_path / "proposed.md"
    path.write_text(text)
    return path


@pytest.fixture
def watch(app: Flask, settings: Settings, tmp_path: Path) -> Iterator["Watch"]:
    yield Watch(app, settings, tmp_path)
    limiting.let_shadow(None)
    shadow._watchers.clear()


class Watch:
    """Starts a shadow, and reads what it counted."""

    def __init__(self, app: Flask, settings: Settings, tmp_path: Path) -> None:
        self._app, self._settings, self._tmp_path = app, settings, tmp_path
        self.shadow: Shadow | None = None

    def begin(self, **edits: str) -> Shadow:
        table = proposed(self._tmp_path, **edits)
        wanted = Settings(state_dir=self._settings.state_dir, shadow_table=table)
        self.shadow = open_shadow(self._app, wanted)
        assert self.shadow
        limiting.let_shadow(self.shadow)
        return self.shadow

    def totals(self) -> Counts:
        assert self.shadow
        self.shadow.write()
        told = standing(self._settings)
        assert told
        return told.totals()


def statuses(tenant: Tenant, count: int) -> list[int]:
    return [tenant.get("/users/nobody").status_code for _ in range(count)]


def test_a_tighter_table_refuses_nobody_and_is_counted(
    acme: Tenant, watch: Watch
) -> None:
    watch.begin(limit_10_times="limit 4 times")

    assert statuses(acme, 12) == [404] * 10 + [429] * 2

    assert watch.totals() == {("users.calls", "community"): 8}


def test_a_looser_table_admits_nobody_and_is_counted(
    acme: Tenant, watch: Watch
) -> None:
    watch.begin(limit_10_times="limit 11 times")

    assert statuses(acme, 12) == [404] * 10 + [429] * 2

    assert watch.totals() == {("users.calls", "community"): 1}


def test_the_same_table_refuses_whom_the_server_refuses(
    acme: Tenant, globex: Tenant, watch: Watch, clock: Clock
) -> None:
    watch.begin()
    refused = 0
    for step in range(400):
        clock.to(clock.boot_ns + (step * 7919 % 60) * 1_000_000)
        tenant = (acme, globex)[step % 2]
        answer = send(tenant) if step % 3 else tenant.get("/users/nobody")
        refused += answer.status_code == 429
    assert refused > 20

    assert sum(watch.totals().values()) == refused


def test_a_call_without_a_good_token_is_not_counted(acme: Tenant, watch: Watch) -> None:
    watch.begin(limit_10_times="limit 1 time")
    for _ in range(5):
        assert acme.as_nobody().get("/users/nobody").status_code == 401

    assert statuses(acme, 1) == [404]

    assert watch.totals() == {}


def test_a_cluster_rate_is_counted_over_all_apps(
    acme: Tenant, globex: Tenant, watch: Watch
) -> None:
    watch.begin(limited_to_300_times="limited to 3 times")

    for tenant in (acme, globex) * 2:
        tenant.get("/chatfiles/00000000-0000-0000-0000-000000000000")

    assert watch.totals() == {("files.cluster_downloads", "enterprise"): 1}


def test_a_quota_is_counted_by_recipients_and_days(
    acme: Tenant, watch: Watch, clock: Clock
) -> None:
    watch.begin(**{"20,000_messages": "5 messages"})

    for to in (["alice", "bob"], ["alice", "bob"], ["alice", "bob"], ["alice"]):
        assert send(acme, target=to).status_code == 200
    assert watch.totals() == {("messages.daily_system_push_messages", "community"): 1}
    clock.forward(86_400)
    assert send(acme, target=["alice", "bob"]).status_code == 200
    assert watch.totals() == {("messages.daily_system_push_messages", "community"): 1}


def test_what_the_servers_quota_refuses_is_asked_of_the_shadows_too(
    acme: Tenant, watch: Watch
) -> None:
    watch.begin(**{"20,000_messages": "2 messages"})
    rule = "messages.daily_system_push_messages"
    QuotaUse.create(app=acme.id, rule=rule, day=utc_day(now_ms()), used=20_000)

    assert send(acme, target=["alice", "bob"]).status_code == 429
    assert send(acme, target=["alice"]).status_code == 429

    assert watch.totals() == {(rule, "community"): 1}


def test_an_edition_that_the_table_lacks_would_be_closed(
    app: Flask, acme: Tenant, globex: Tenant, watch: Watch
) -> None:
    watch.begin(
        Enterprise_Edition="Premium Edition", Enterprise_edition="Premium edition"
    )

    assert statuses(acme, 1) == statuses(globex, 1) == [404]

    assert watch.totals() == {("edition", "enterprise"): 1}


def test_each_refusal_is_told_to_whoever_asked(acme: Tenant, watch: Watch) -> None:
    heard: list[tuple[str, str]] = []
    shadow.on_refusal(lambda rule, edition: heard.append((rule, edition)))
    watch.begin(limit_10_times="limit 1 time")

    statuses(acme, 3)
    watch.totals()

    assert heard == [("users.calls", "community")] * 2


def test_the_enforced_counters_are_other_files(
    acme: Tenant, watch: Watch, settings: Settings
) -> None:
    watch.begin(limit_10_times="limit 4 times")
    statuses(acme, 5)

    made = settings.state_dir / "shadow"
    assert {path.name for path in (made / "counters").iterdir()} == {
        "rings.lock",
        "rings-64",
    }
    assert not (settings.state_dir / "counters").exists()  # memory:// in these tests


def test_whatever_befalls_the_shadow_the_caller_does_not_notice(
    acme: Tenant,
    watch: Watch,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = watch.begin(limit_10_times="limit 4 times")

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(begun._rings, "take", broken)

    assert statuses(acme, 12) == [404] * 10 + [429] * 2
    assert (
        "the shadow counts nothing for a while: RuntimeError('broken')" in caplog.text
    )
    assert caplog.text.count("for a while") == 1  # it rests


def test_a_file_that_cannot_be_written_loses_nothing_meanwhile(
    acme: Tenant,
    watch: Watch,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = watch.begin(limit_10_times="limit 4 times")
    monkeypatch.setattr(shadowbook, "_PATIENCE_SECONDS", 0.01)
    statuses(acme, 6)
    path = settings.state_dir / "shadow" / shadowbook.FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun.write()
        assert "cannot be written yet" in caplog.text
        other.execute("ROLLBACK")

    assert watch.totals() == {("users.calls", "community"): 2}


@pytest.mark.parametrize("wrong", ["missing", "wrong", "folder"])
def test_a_table_of_no_use_is_said_loudly_and_changes_nothing(
    app: Flask,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    wrong: str,
) -> None:
    table = tmp_path / "missing.md"
    if wrong == "wrong":
        table = proposed(
            tmp_path, user_ID_length_64_characters="user ID length 64 chars"
        )
    elif wrong == "folder":
        table = tmp_path

    found = open_shadow(app, Settings(state_dir=settings.state_dir, shadow_table=table))

    assert found is None
    (record,) = (each for each in caplog.records if each.name == "weir.shadow")
    assert record.levelno == logging.ERROR
    assert "CANNOT BE COUNTED" in record.message
    if wrong == "wrong":
        assert f"{table}:18:" in record.message
        assert 'did you mean "characters"?' in record.message


def test_a_folder_of_no_use_likewise(
    app: Flask, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.state_dir.mkdir(exist_ok=True)
    (settings.state_dir / "shadow").write_text("in the way")

    found = open_shadow(
        app, Settings(state_dir=settings.state_dir, shadow_table=proposed(tmp_path))
    )

    assert found is None
    assert "CANNOT BE COUNTED" in caplog.text


def book(directory: Path, digest: str = "a") -> ShadowBook:
    return ShadowBook(directory, digest, "proposed.md", 5, lambda *_: None)


def refusal(app_id: int, at_ms: int = 7) -> Refusal:
    return Refusal(app_id, "users.calls", "community", at_ms)


def test_two_processes_add_up(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from tests.server.limiting.test_shadow import book, refusal\n"
        "mine = book(pathlib.Path(sys.argv[1]))\n"
        "for n in range(60):\n"
        "    mine.note(refusal(1 + n % 2, n))\n"
        "    mine.write()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [each.wait(60) for each in running] == [0, 0, 0]

    told = shadowbook.read(tmp_path)

    assert told
    assert [(each.app_id, each.count, each.first_ms, each.last_ms) for each in told.refused] == [
        (1, 90, 0, 58),
        (2, 90, 1, 59),
    ]  # fmt: skip


def test_another_table_begins_anew_but_a_quota_does_not(tmp_path: Path) -> None:
    first = book(tmp_path)
    first.note(refusal(1))
    use = Use(1, "messages.daily", "community", 86_400_000, 10, 7)
    first.note(use)
    first.write()
    second = book(tmp_path, "b")
    first.note(refusal(1))  # a worker of before the reload
    first.write()
    second.note(use)
    second.write()

    told = shadowbook.read(tmp_path)

    assert told
    assert told.totals() == {("messages.daily", "community"): 1}


def test_the_same_table_goes_on_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        again = book(tmp_path)
        again.note(refusal(1))
        again.write()

    told = shadowbook.read(tmp_path)

    assert told
    assert told.totals() == {("users.calls", "community"): 2}


def test_what_is_kept_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadowbook, "MOST_APPS", 3)
    monkeypatch.setattr(shadowbook, "MOST_WAITING", 10)
    kept = book(tmp_path)
    for app_id in range(1, 13):
        kept.note(refusal(app_id))
    kept.write()

    told = shadowbook.read(tmp_path)

    assert told
    assert kept.lost == 2
    assert {each.app_id: each.count for each in told.refused} == {
        0: 7,
        1: 1,
        2: 1,
        3: 1,
    }


def test_days_that_are_over_are_forgotten(tmp_path: Path) -> None:
    kept = book(tmp_path)
    for day in (100, 101, 102):
        kept.note(Use(1, "messages.daily", "community", day * 86_400_000, 10, 1))
        kept.write()

    with closing(sqlite3.connect(tmp_path / shadowbook.FILE)) as file:
        days = file.execute("SELECT day FROM used").fetchall()

    assert days == [(101,), (102,)]


def test_nothing_is_told_where_no_shadow_ran(tmp_path: Path, app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["limits", "shadow"])

    assert "No shadow has run here" in result.output
    assert shadowbook.read(tmp_path) is None


def test_workers_count_together_and_the_command_tells(tmp_path: Path) -> None:
    """A real server of two workers, its shadow, a reload, and a table gone wrong."""
    table = proposed(tmp_path, limit_10_times="limit 1 time")
    state = tmp_path / "state"
    with serving(state, workers="2", shadow_table=str(table)) as server:
        flask(ROOT, state, "apps", "create", "acme/chat")
        token = flask(ROOT, state, "apps", "token", "acme/chat").strip()
        server.wait_for_log("beside limits.md")
        while server.log.count("beside limits.md") < 2:
            time.sleep(0.02)
        answers = [
            server.call("GET", "/acme/chat/users/nobody", token=token)[0]
            for _ in range(8)
        ]
    told = flask(ROOT, state, "limits", "shadow", "--json")

    assert answers == [404] * 8
    answer = json.loads(told)
    assert answer["table"] == str(table)
    assert answer["totals"] == [
        {"rule": "users.calls", "edition": "community", "refused": 7}
    ]
    assert [each["app"] for each in answer["apps"]] == ["acme/chat"]
    shown = flask(ROOT, state, "limits", "shadow")
    assert "would have refused 7 calls since" in shown


def test_a_bad_table_does_not_keep_a_server_from_starting(tmp_path: Path) -> None:
    table = proposed(tmp_path, user_ID_length_64_characters="user ID length 64 chars")
    with serving(tmp_path / "state", workers="1", shadow_table=str(table)) as server:
        server.wait_for_log("CANNOT BE COUNTED")
        server.wait_for_log("2 problems")

        assert server.call("GET", "/healthz")[0] == 200


def test_nothing_is_done_where_no_shadow_is_wanted(
    app: Flask, settings: Settings
) -> None:
    shadow.start(app, settings, limiting.let_shadow)

    assert limiting._limiter.shadow is None
    assert not (settings.state_dir / "shadow").exists()
    assert (
        make_tenant(app, "acme/chat", "community").get("/users/nobody").status_code
        == 404
    )
