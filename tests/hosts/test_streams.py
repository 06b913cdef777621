"""Streams of one host, and what is done about them on another."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.hosts import networks
from tests.hosts.fleet import Fleet, fleet
from tests.server.streaming.sse import PATIENCE, Chat, Client
from tests.waiting import wait_until

AT_ONCE = 5.0
"""Seconds. A word from the other host is what brings it: a stream looks by itself only
with its heartbeat, after 15."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    place = tmp_path_factory.mktemp("streams")
    with (
        networks.network() as network,
        fleet(place, network, {"globex/one": "enterprise"}) as pair,
    ):
        for _ in range(2):
            pair.add(application="tests.hosts.hurried_leases:app")
        yield pair


@pytest.fixture(scope="module")
def chat(pair: Fleet) -> Chat:
    """Calls are made to the first host, streams are the second's."""
    key, token = pair.apps[0].key, pair.apps[0].token
    chat = Chat(pair.hosts[0], token, key, streams=pair.hosts[1])
    chat.add("carol", "dave")
    return chat


def test_a_message_reaches_a_stream_of_another_host(chat: Chat) -> None:
    chat.send("waited", "carol")
    with chat.listen("carol", "ios_1") as device:
        device.wait_for(1)
        sent = [chat.send(f"{n}", "carol") for n in range(5)]
        told = device.wait_for(6, AT_ONCE)

        assert chat.status("carol") == "online"
        assert chat.ack("carol", told[-1].id or "") == 6

    assert [each.text for each in told] == ["waited", "0", "1", "2", "3", "4"]
    assert [each.id for each in told[1:]] == sent
    wait_until(lambda: chat.status("carol") == "offline", AT_ONCE)
    assert chat.waiting("carol") == 0


@pytest.mark.parametrize(
    ("method", "rest", "reason"),
    [
        ("GET", "/disconnect", "disconnected"),
        ("DELETE", "/disconnect/ios_1", "disconnected"),
        ("POST", "/deactivate", "user_deactivated"),
        ("DELETE", "", "user_deleted"),
    ],
)
def test_a_stream_is_ended_from_another_host(
    chat: Chat, method: str, rest: str, reason: str
) -> None:
    name = f"{method}{reason}".lower()
    chat.add(name)
    with chat.listen(name, "ios_1") as device:
        wait_until(lambda: chat.status(name) == "online", AT_ONCE)

        chat.call(method, f"/users/{name}{rest}")

        told = device.until_over(AT_ONCE)
    assert (told[-1].event, told[-1].data) == ("kicked", {"reason": reason})


def test_who_was_with_a_process_that_was_killed_is_offline_by_itself(
    pair: Fleet, chat: Chat
) -> None:
    with chat.listen("carol", "ios_2") as device:
        wait_until(lambda: chat.status("carol") == "online", AT_ONCE)
        for worker in pair.hosts[1].workers():
            os.kill(worker, signal.SIGKILL)
        device.until_over()

        wait_until(lambda: chat.status("carol") == "offline", PATIENCE)

    with chat.listen("carol", "ios_2"):  # by the process that took its place
        wait_until(lambda: chat.status("carol") == "online", AT_ONCE)


def test_who_was_with_a_host_that_is_cut_off_is_offline_and_loses_nothing(
    pair: Fleet, chat: Chat
) -> None:
    with chat.listen("dave", "ios_1") as device:
        chat.send("before", "dave")
        before = device.wait_for(1)[0]
        pids = pair.pids(1)
        pair.network.cut(1, pids)
        try:
            wait_until(lambda: chat.status("dave") == "offline", PATIENCE)
            chat.send("meanwhile", "dave")
            elsewhere = Chat(pair.hosts[0], chat.token, chat.key, tokens=chat.tokens)
            with elsewhere.listen("dave", "ios_2") as other:
                texts = other.texts(2)
                assert chat.status("dave") == "online"
        finally:
            pair.network.join(1, pids)
        after = resumed(chat, device, before.id or "")

    assert texts == ["before", "meanwhile"]
    assert after == "meanwhile"


def resumed(chat: Chat, device: Client, after: str) -> str:
    """What the device is told next: on its stream, or the one that it opens then."""
    ends = time.monotonic() + 60
    while len(device.told) < 2 and not device.over and time.monotonic() < ends:
        try:
            device._take(1)
        except TimeoutError:
            continue
    if len(device.told) > 1:
        return device.told[1].text
    with chat.listen("dave", "ios_1", after=after) as again:
        return again.texts(1)[0]
