"""A process that could not renew its leases in time, and what its streams are told."""

import time

import pytest

from server.kinds import Membership
from server.store import leases, users
from server.store.inbox import Place
from server.streaming.reader import Reader
from server.streaming.stream import Stream
from tests.conftest import Tenant

MANY = Membership("none")


@pytest.fixture
def reader() -> Reader:
    """One whose threads do not run: the test reads."""
    return Reader()


def opened(reader: Reader, acme: Tenant, resource: str) -> Stream:
    alice = users.find(acme.id, "alice")
    assert alice is not None
    lease = leases.open_lease(acme.id, alice.id, resource, reader.owner, at_most=MANY)
    return reader.add(lease, Place(lease.begins, lease.begins), "/acme/chat", None)


def let_lapse(reader: Reader, stream: Stream) -> None:
    """As after a cut: the row went when another device of the user came."""
    late = time.monotonic() - leases.LEASE_MS / 1000 - 1
    reader._renewed = stream.begun = late
    leases.close([stream.lease])


@pytest.mark.parametrize("renews_first", [True, False])
def test_a_stream_whose_lease_lapsed_connects_again(
    acme: Tenant, reader: Reader, renews_first: bool
) -> None:
    stream = opened(reader, acme, "ios_1")
    let_lapse(reader, stream)

    if renews_first:
        reader._renew()
    reader._look_for(stream)

    assert (stream.ended, stream.kicked) == (True, None)
    assert list(stream.pieces()) == [b"retry: 2000\n\n", b"retry: 200\n\n"]


def test_a_stream_that_was_put_out_is_told_so(acme: Tenant, reader: Reader) -> None:
    stream = opened(reader, acme, "ios_1")
    reader._renew()
    leases.close([stream.lease])

    reader._look_for(stream)

    assert (stream.ended, stream.kicked) == (False, "disconnected")


def test_why_a_user_may_not_receive_is_told_however_late(
    acme: Tenant, reader: Reader
) -> None:
    stream = opened(reader, acme, "ios_1")
    let_lapse(reader, stream)
    users.delete(acme.id, "alice")

    reader._look_for(stream)

    assert (stream.ended, stream.kicked) == (False, "user_deleted")
