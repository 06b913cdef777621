"""A stream with nothing to tell says that it lives, and looks whether it still may."""

import time

import pytest

from server.store.inbox import Place
from server.store.leases import Lease
from server.streaming import stream


def test_a_comment_comes_with_every_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stream.HEARTBEAT_SECONDS == 15
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    lease = Lease(1, 1, 1, "alice", "ios_1", b"", 0)
    looks: list[stream.Stream] = []
    quiet = stream.Stream(
        lease, Place(0, 0), "/acme/chat", None, looks.append, lambda _: None
    )
    pieces = quiet.pieces()
    assert next(pieces).startswith(b"retry: ")

    began = time.monotonic()
    beats = [next(pieces), next(pieces)]

    assert beats == [b":\n\n"] * 2
    assert time.monotonic() - began >= 0.09
    assert looks == [quiet, quiet]  # as it began, and after the first
    quiet.bell.close()
