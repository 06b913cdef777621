"""Packed files that are not what they say: a bomb, no gzip, cut off."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from server.replay import logfile
from server.replay.parsing import Faults
from server.settings import Settings
from tests.conftest import Clock, Tenant
from tests.security.test_guessing import history_address

BOMB_MB = 100


def bomb(name: str = "") -> bytes:
    """A hundred megabytes of zeros, in a hundred kilobytes."""
    packer = gzip.compress(bytes(1 << 20), 9, mtime=0)
    assert len(packer) < 2_000
    head = packer[:3] + b"\x08" + packer[4:10] + name.encode() + b"\0"
    named = head + packer[10:] if name else packer
    return named + packer * (BOMB_MB - 1)  # members one after another are one file


@pytest.mark.disk
@pytest.mark.parametrize(
    "content", [b"", b"no gzip", b"\x1f\x8b\x08\x08", bomb("1-1-1")]
)
def test_a_history_file_that_is_none_is_made_anew(
    acme: Tenant, clock: Clock, settings: Settings, content: bytes
) -> None:
    address = history_address(acme, clock)
    (path,) = (Path(settings.state_dir) / "files" / "history").rglob("*.gz")
    good = path.read_bytes()
    path.write_bytes(content)
    hour = address.partition("chat/")[2].partition(".")[0]
    clock.forward(61)  # of the table, another call may be made then

    told = acme.get(f"/chatmessages/{hour}")

    assert told.status_code == 200
    assert path.read_bytes() == good
    assert gzip.decompress(good).count(b"\n") == 1


@pytest.mark.disk
def test_a_history_file_is_sent_as_it_is_and_never_unpacked(
    acme: Tenant, clock: Clock, settings: Settings
) -> None:
    """Even one that names the right messages and holds others."""
    address = history_address(acme, clock)
    (path,) = (Path(settings.state_dir) / "files" / "history").rglob("*.gz")
    name = path.read_bytes()[10:].partition(b"\0")[0].decode()
    path.write_bytes(bomb(name))
    hour = address.partition("chat/")[2].partition(".")[0]
    clock.forward(61)  # of the table, another call may be made then

    tracemalloc.start()
    assert acme.get(f"/chatmessages/{hour}").status_code == 200
    with acme.client.get(f"/{address}") as sent:
        assert sent.data == path.read_bytes()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 8 << 20


@pytest.mark.parametrize("cut", [None, -9, 1_000])
def test_a_log_that_is_a_bomb_is_read_in_little_memory(
    tmp_path: Path, cut: int | None
) -> None:
    path = tmp_path / "access.log.1.gz"
    path.write_bytes(bomb()[:cut])
    faults = Faults()

    tracemalloc.start()
    log = logfile.LogFile(path, faults)
    attempts = 0
    while piece := log.read():
        attempts += len(piece.attempts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert attempts == 0
    assert faults.wrong >= 1
    assert peak < BOMB_MB / 5 * (1 << 20)  # some lines of the longest there may be
