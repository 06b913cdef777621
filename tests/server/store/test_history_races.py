"""Processes that ask for one hour at once, while messages of it are still being sent."""

import gzip
import subprocess
import sys
from pathlib import Path

import orjson
from flask import Flask

from server.settings import Settings
from server.store import file_storage, history
from server.store.models import Message
from tests.conftest import Clock, Tenant
from tests.server.api.test_history import BEGINS_MS, ENDS_MS, HOUR, keep

ROOT = Path(__file__).parent.parent.parent.parent
KEPT, SENT = 3_000, 120

BEGIN = """
import gzip, sys
from pathlib import Path
import orjson
from server.app import create_app
from server.kinds import Quota
from server.settings import Settings
from server.store import apps, file_storage, history, messages
state_dir, files_url, database_url, hour, at = sys.argv[1:]
create_app(Settings(
    state_dir=Path(state_dir), files_url=files_url, database_url=database_url,
    counters_url="memory://", synchronous="NORMAL",
))
app = apps.find("acme", "chat")
print("ready", flush=True)
sys.stdin.readline()
"""

SENDER = (
    BEGIN
    + f"""
for n in range({SENT}):
    new = messages.Outgoing(
        "users", ["ada"], "linus", '{{"msg":"x","type":"txt"}}', timestamp=int(at) + 30 * n
    )
    (sent,) = messages.keep(app.id, new, at_most=Quota("none"))
    print(sent, flush=True)
"""
)

# What was acknowledged before the asking must be in the file that is there after it.
ASKER = (
    BEGIN
    + """
of, sent = history.hour(hour), Path(state_dir, "sent")
asked = 0
while True:
    before = sent.read_text().split()
    assert history.make(app, of)
    with file_storage.open_stored(history.key_of(app, of)) as stored:
        lines = gzip.decompress(stored.read()).splitlines()
    found = [(told["timestamp"], int(told["msg_id"])) for told in map(orjson.loads, lines)]
    assert found == sorted(set(found)), "in order, each once"
    missing = set(map(int, before)) - {id_ for _, id_ in found}
    assert not missing, missing
    asked += 1
    if sent.with_name("end").exists():
        break
print(asked, flush=True)
"""
)


def start(script: str, settings: Settings) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(settings.state_dir), settings.files_url, settings.database_url, HOUR, str(BEGINS_MS)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_every_file_that_is_there_is_whole_and_has_each_message_once(
    app: Flask, acme: Tenant, settings: Settings, clock: Clock
) -> None:
    keep(acme.id, KEPT)
    sent = settings.state_dir / "sent"
    sent.touch()
    askers = [start(ASKER, settings) for _ in range(3)]
    sender = start(SENDER, settings)
    for process in [*askers, sender]:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    with sender, sent.open("ab", buffering=0) as noted:
        for line in sender.stdout:
            noted.write(line)
    (settings.state_dir / "end").touch()
    asked = [process.communicate(timeout=60)[0] for process in askers]

    assert sender.returncode == 0
    assert [process.returncode for process in askers] == [0, 0, 0]
    assert all(int(count) >= 1 for count in asked)
    assert history.make(acme.row, history.hour(HOUR))
    with file_storage.open_stored(
        history.key_of(acme.row, history.hour(HOUR))
    ) as stored:
        lines = gzip.decompress(stored.read()).splitlines()
    kept = Message.select().where(Message.timestamp.between(BEGINS_MS, ENDS_MS - 1))
    assert len(lines) == KEPT + SENT
    assert {int(orjson.loads(line)["msg_id"]) for line in lines} == {
        row.id for row in kept
    }
