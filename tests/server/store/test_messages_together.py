"""Messages that several threads keep in one transaction."""

import threading

from server.kinds import Quota
from server.store import database, messages
from server.store.messages import Outgoing
from server.store.models import Message, User, Waiting
from tests.conftest import Tenant
from tests.server.api.mucs import new_group


class Shared:
    """A transaction that waits for all who are to share the next one."""

    def __init__(self, app_id: int) -> None:
        self.app_id = app_id
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.told: list[object] = []
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> "Shared":
        self._start(lambda: database.write(self.app_id, self._hold))
        assert self.begun.wait(10)
        return self

    def _hold(self) -> None:
        self.begun.set()
        self.go_on.wait(10)

    def _start(self, work) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                self.told.append(error)
            finally:
                database.release()
                database.disconnect()

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)

    def keep(self, outgoing: Outgoing, at_most: Quota | None = None) -> None:
        """Have it kept; the next one after it."""
        quota = at_most or Quota("daily")
        self._start(lambda: messages.keep(self.app_id, outgoing, at_most=quota))
        while len(database._together._queue) < len(self.threads) - 1:
            threading.Event().wait(0.001)

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


def text(words: str, *targets: str, kind: str = "users", **more: object) -> Outgoing:
    return Outgoing(kind, targets, "mallory", f'"{words}"', **more)  # type: ignore[arg-type]


def waiting() -> set[tuple[str, str]]:
    """Who is to receive what."""
    rows = (
        Waiting.select(User.username, Message.body)
        .join(User, on=(Waiting.user_id == User.id))
        .switch(Waiting)
        .join(Message, on=(Waiting.message_id == Message.id))
        .tuples()
    )
    found = list(rows)
    assert len(found) == len(set(found))
    return set(found)


def test_each_waits_for_those_it_is_for_and_for_no_other(acme: Tenant) -> None:
    group = new_group(acme, members=["bob"])

    with Shared(acme.id) as shared:
        shared.keep(text("to alice", "alice"))
        shared.keep(text("now or never", "bob", online_only=True))
        shared.keep(text("group", group, kind="chatgroups"))
        shared.keep(text("room of alice's name", "alice", kind="chatrooms"))
        shared.keep(text("to both", "alice", "bob", "nobody"))

    assert shared.told == []
    ids = [each.id for each in Message.select().order_by(Message.id)]
    assert len(ids) == 7
    assert waiting() == {
        ("alice", '"to alice"'),
        ("ada", '"group"'),
        ("bob", '"group"'),
        ("alice", '"to both"'),
        ("bob", '"to both"'),
    }
