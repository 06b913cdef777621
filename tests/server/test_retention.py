"""What is past its time is removed, with its bytes; what is not, is not."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from server import retention
from server.clock import DAY_MS, now_ms
from server.rules import messages as messages_rules
from server.settings import Settings
from server.store import (
    blocking_mutes,
    file_storage,
    files,
    history,
    message_retention,
    muc_lists,
    quotas,
)
from server.store.models import File, Message, MucMute, Mute, QuotaUse
from tests import facts, plans
from tests.conftest import Clock, Tenant
from tests.databases import ON_POSTGRESQL
from tests.probes.messages import send
from tests.server.api.mucs import new_group
from tests.server.api.test_files import kept, on_disk, picture
from tests.server.api.test_history import BEGINS_MS, HOUR, NOW_MS, keep

FILES_SECONDS = facts.BOUNDS["files.uploaded_file"][1]
HISTORY_SECONDS = facts.BOUNDS["history.history_file"][1]
OFFLINE_SECONDS = facts.BOUNDS["offline.offline_message"][1]
HOUR_SECONDS = 3600
DAY_SECONDS = 86_400


def age(settings: Settings, seconds: float) -> None:
    """Every file was last written so long ago, by the clock of the tests."""
    for path in on_disk(settings):
        os.utime(path, (NOW_MS / 1000 - seconds,) * 2)


def test_an_upload_goes_with_its_bytes(
    acme: Tenant, settings: Settings, clock: Clock
) -> None:
    kept(acme, picture("PNG", (300, 300)))
    clock.forward(1)
    younger = kept(acme, b"younger")["uuid"]
    assert len(on_disk(settings)) == 3

    clock.forward(FILES_SECONDS - 0.5)
    swept = retention.sweep()

    assert swept.files == 1
    assert [row.uuid for row in File.select()] == [younger]
    assert [path.name for path in on_disk(settings)] == [younger]


def test_an_upload_stays_for_as_long_as_callers_may_have_it(
    acme: Tenant, clock: Clock
) -> None:
    kept(acme, b"x")
    clock.forward(FILES_SECONDS)

    assert retention.sweep().files == 0


def test_more_than_a_batch_and_shared_files_between(acme: Tenant, clock: Clock) -> None:
    group = int(new_group(acme))
    for n in range(25):
        File.create(
            uuid=f"{n:036}", app=acme.id, owner="admin", name="x", content_type="x",
            size=1, created=NOW_MS + n // 5, muc=group if n % 3 == 0 else None,
        )  # fmt: skip

    assert list(files.delete_older(NOW_MS + 4, batch=4)) == [4, 4, 4, 1]
    assert File.select().where(File.muc.is_null()).count() == 3
    assert File.select().count() == 12


@pytest.mark.disk
def test_what_a_crash_has_left_goes_after_an_hour(
    acme: Tenant, settings: Settings
) -> None:
    whole = kept(acme, b"whole")["uuid"]
    lost = kept(acme, picture("PNG", (300, 300)))["uuid"]
    File.delete().where(File.uuid == lost).execute()
    coming = file_storage.Incoming(file_storage._connected())
    coming.file.write(b"half")
    coming.file.close()
    age(settings, HOUR_SECONDS - 1)
    assert retention.sweep().orphans == 0

    age(settings, HOUR_SECONDS + 1)
    assert retention.sweep(orphans=False).orphans == 0
    swept = retention.sweep()

    assert swept.orphans == 3
    assert [path.name for path in on_disk(settings)] == [whole]


def test_history_files_go_with_their_time(
    acme: Tenant, settings: Settings, clock: Clock
) -> None:
    keep(acme.id, 2)
    assert acme.get(f"/chatmessages/{HOUR}").status_code == 200
    assert len(on_disk(settings)) == 1
    ends = (BEGINS_MS - NOW_MS) / 1000 + HOUR_SECONDS

    clock.forward(ends + HISTORY_SECONDS)
    assert retention.sweep().history_files == 0
    clock.forward(1)
    assert retention.sweep().history_files == 1

    assert on_disk(settings) == []
    assert file_storage.entries("history") == []


def test_messages_stay_for_the_history_and_for_who_is_offline(
    acme: Tenant, clock: Clock
) -> None:
    longer = max(HISTORY_SECONDS, OFFLINE_SECONDS)
    send(acme)
    clock.forward(longer - 1)
    send(acme)
    assert retention.sweep().messages == 0

    clock.forward(2)
    swept = retention.sweep()

    assert swept.messages == 1
    assert Message.select().count() == 1


def test_a_message_of_an_old_moment_is_as_young_as_its_sending(acme: Tenant) -> None:
    send(acme, msg_timestamp=0)

    assert retention.sweep().messages == 0


def test_a_message_of_a_later_moment_waits_for_its_hour(
    acme: Tenant, clock: Clock
) -> None:
    days = 24 * 3600
    later = now_ms() + 30 * days * 1000
    send(acme, msg_timestamp=later)
    clock.forward(30 * days)
    assert retention.sweep().messages == 0

    clock.forward(HISTORY_SECONDS + 3 * HOUR_SECONDS)

    assert retention.sweep().messages == 1


def test_messages_go_in_batches(acme: Tenant) -> None:
    keep(acme.id, 25, 0)

    assert sum(message_retention.delete_older(NOW_MS, NOW_MS, batch=4)) == 25
    assert Message.select().count() == 0


def test_what_the_sweep_reads_uses_an_index(acme: Tenant) -> None:
    for statement, index in (
        (files._OLD, "file_created"),
        (message_retention._OLD, "PRIMARY KEY"),
        (blocking_mutes._ENDED, "mute_until"),
        (muc_lists._ENDED, "muc_mute_until"),
    ):
        plans.assert_by_index(statement)
        # PostgreSQL chooses by what a table holds, which is nothing here.
        assert ON_POSTGRESQL or index in "".join(plans.steps_of(statement))


def test_the_command_says_what_it_removed(acme: Tenant, clock: Clock) -> None:
    kept(acme, b"x")
    clock.forward(FILES_SECONDS + 1)
    runner = acme.client.application.test_cli_runner()

    result = runner.invoke(args=["retention", "sweep"])

    assert result.exit_code == 0
    assert "1 files" in result.output
    assert File.select().count() == 0


def test_one_process_of_a_host_sweeps(app: Flask, settings: Settings) -> None:
    one, other = retention.Sweeper(settings), retention.Sweeper(settings)

    assert one.turn() is not None
    assert other.turn() is None
    assert one.turn() is not None
    one.stop()
    assert other.turn() is not None
    other.stop()


def test_folders_are_listed_in_some_of_the_turns(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing is a call of an object store for each app; rows are an index away."""
    sweeper, listed = retention.Sweeper(settings), []

    def remove_older(_: int) -> int:
        listed.append(sweeper._turn)
        return 0

    monkeypatch.setattr(history, "remove_older", remove_older)

    for _ in range(11):
        assert sweeper.turn() is not None
    sweeper.stop()

    assert listed == [0, 5, 10]


HOLD = """
import sys
from pathlib import Path
from server.store.host_lock import HostLock
assert HostLock(Path(sys.argv[1])).take(wait=False)
print("held", flush=True)
sys.stdin.read()
"""


def test_when_the_sweeper_is_killed_another_takes_over(
    app: Flask, settings: Settings
) -> None:
    place = str(settings.state_dir / "sweeper.lock")
    root = Path(__file__).parent.parent.parent
    mine = retention.Sweeper(settings)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, place],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with holder:
        assert holder.stdout.readline() == b"held\n"
        assert mine.turn() is None
        holder.kill()
        holder.wait()

        assert mine.turn() is not None
    mine.stop()


def test_a_sweep_that_fails_leaves_the_turn_to_others(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> int:
        raise OSError

    one, other = retention.Sweeper(settings), retention.Sweeper(settings)
    with monkeypatch.context() as patch:
        patch.setattr(history, "remove_older", fail)
        assert one.turn() is None

    assert other.turn() is not None
    other.stop()


def test_mutes_go_when_they_have_ended(acme: Tenant, clock: Clock) -> None:
    group = int(new_group(acme))
    for name, seconds in (("alice", 60), ("bob", blocking_mutes.FOR_EVER)):
        blocking_mutes.change(acme.id, name, {"chat": seconds})
    for name, ms in (("linus", 60_000), ("grace", None)):
        muc_lists.mute(acme.id, "group", group, [name], ms)
    assert retention.sweep().mutes == 0

    clock.forward(60)

    assert retention.sweep().mutes == 2
    assert [row.user.username for row in Mute.select()] == ["bob"]
    assert [row.user.username for row in MucMute.select()] == ["grace"]


def test_ended_mutes_go_in_batches(acme: Tenant, clock: Clock) -> None:
    for chat_type in ("chat", "groupchat", "chatroom"):
        blocking_mutes.change(acme.id, "alice", {chat_type: 1})
    clock.forward(1)

    assert list(blocking_mutes.remove_ended(now_ms(), batch=2)) == [2, 1]
    assert Mute.select().count() == 0


def test_quotas_of_past_days_go_but_yesterdays(
    acme: Tenant, globex: Tenant, clock: Clock
) -> None:
    first = NOW_MS // DAY_MS
    for days in (0, 1, 1):
        clock.forward(days * DAY_SECONDS)
        for tenant in (acme, globex):
            send(tenant)

    swept = retention.sweep()

    assert swept.quota_days == 2
    assert {row.day for row in QuotaUse.select()} == {first + 1, first + 2}
    assert quotas.used(acme.id, messages_rules.DAILY_SYSTEM_PUSH_MESSAGES) == 1
    assert retention.sweep().quota_days == 0


def test_quotas_of_past_days_go_in_batches(acme: Tenant, clock: Clock) -> None:
    for day in range(5):
        QuotaUse.create(app=acme.id, rule="gone", day=day, used=1)

    assert list(quotas.remove_past(batch=2)) == [2, 2, 1]
    assert QuotaUse.select().count() == 0
    plans.assert_by_index(quotas._OLD)


def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the sweep would have slept each time, seconds."""
    found: list[float] = []
    clocks = SimpleNamespace(monotonic=time.monotonic, sleep=found.append)
    monkeypatch.setattr(retention, "time", clocks)
    return found


def test_the_background_rests_after_each_batch(
    acme: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests = slept(monkeypatch)
    monkeypatch.setattr(retention, "_BATCH", 2)
    for n in range(5):
        File.create(
            uuid=f"{n:036}", app=acme.id, owner="admin", name="x", content_type="x",
            size=1, created=NOW_MS - (FILES_SECONDS + 9) * 1000,
        )  # fmt: skip

    swept = retention.Sweeper(settings).turn()

    assert swept is not None
    assert swept.files == 5
    assert len(rests) == 3
    assert all(0 < each <= 1 for each in rests)


def test_whoever_asks_for_a_sweep_does_not_wait_for_rests(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests = slept(monkeypatch)
    kept(acme, b"x")
    File.update(created=NOW_MS - (FILES_SECONDS + 9) * 1000).execute()

    assert retention.sweep().files == 1
    assert rests == []


@pytest.mark.parametrize(("took", "rested"), [(0.125, 0.125), (30.0, 1.0)])
def test_a_rest_is_as_long_as_the_batch_and_a_second_at_most(
    took: float, rested: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests = slept(monkeypatch)

    retention._rest(took)

    assert rests == [rested]
