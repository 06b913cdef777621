"""Writes of several threads in one transaction."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import pytest

from server.store.together import Together


class Database:
    """Stands for one: what is written is there when its transaction has ended well.

    Not the real thing, so that a test can hold a commit open and make one fail.
    """

    def __init__(self) -> None:
        self.kept: list[object] = []
        self.transactions: list[int] = []
        self.open: list[object] = []
        self.fails = False
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Event()

    @contextmanager
    def transaction(self, *app_ids: int) -> Iterator[None]:
        self.apps = app_ids
        self.open = []
        self.begun.set()
        self.go_on.wait(10)
        yield
        if self.fails:
            raise OSError("disk full")
        self.kept += self.open
        self.transactions.append(len(self.open))


class Writers:
    """Threads that each write one thing, and what they were told."""

    def __init__(self, database: Database) -> None:
        self.database, self.together = (
            database,
            Together(database.transaction, lambda: None),
        )
        self.told: dict[object, object] = {}
        self.then: Callable[[Sequence[object]], None] | None = None
        self.threads: list[threading.Thread] = []

    def write(self, thing: object) -> None:
        def work() -> object:
            if isinstance(thing, Exception):
                raise thing
            self.database.open.append(thing)
            return thing

        then = self.then

        def run() -> None:
            try:
                self.told[thing] = self.together.write(1, work, then)
            except Exception as error:
                self.told[thing] = error

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)

    def queued(self, count: int) -> None:
        """Wait until so many wait for the transaction under way."""
        while len(self.together._queue) < count:
            threading.Event().wait(0.001)

    def all_while_the_first_commits(self, *things: object) -> None:
        self.database.go_on.clear()
        self.write("first")
        assert self.database.begun.wait(10)
        for thing in things:
            self.write(thing)
        self.queued(len(things))

    def finish(self) -> None:
        self.database.go_on.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def writers() -> Writers:
    return Writers(Database())


def test_what_queues_during_a_commit_shares_the_next(writers: Writers) -> None:
    writers.all_while_the_first_commits(1, 2, 3, 4)
    writers.finish()

    assert writers.database.transactions == [1, 4]
    assert writers.told == {"first": "first", 1: 1, 2: 2, 3: 3, 4: 4}


def test_one_that_is_refused_is_not_the_others_loss(writers: Writers) -> None:
    refused = ValueError("refused")
    writers.all_while_the_first_commits(1, refused, 3)
    writers.finish()

    assert writers.told[refused] is refused
    assert sorted(writers.database.kept[1:]) == [1, 3]
    assert writers.told[1] == 1
    assert writers.told[3] == 3


def test_a_commit_that_fails_is_told_to_all_of_it(writers: Writers) -> None:
    writers.all_while_the_first_commits(1, 2)
    writers.database.fails = True
    writers.finish()

    assert writers.database.kept == []
    assert {str(told) for told in writers.told.values()} == {"disk full"}


def test_the_queue_goes_on_after_a_failure(writers: Writers) -> None:
    writers.database.fails = True
    writers.write(1)
    writers.finish()
    writers.database.fails = False

    writers.write(2)
    writers.finish()

    assert writers.database.kept == [2]


def test_each_is_written_as_the_caller_who_asked() -> None:
    caller: ContextVar[int] = ContextVar("caller")
    database = Database()
    together = Together(database.transaction, lambda: None)

    def ask(number: int) -> None:
        caller.set(number)
        together.write(1, lambda: database.open.append((number, caller.get())))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(database.kept) == 50
    assert all(number == seen for number, seen in database.kept)


def test_many_threads_lose_nothing() -> None:
    database = Database()
    together = Together(database.transaction, lambda: None)

    def ask(start: int) -> None:
        for n in range(start, start + 500):
            together.write(1, lambda n=n: database.open.append(n))

    threads = [threading.Thread(target=ask, args=(500 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(database.kept) == list(range(4000))


class HookedLock:
    """A lock that lets a test in once, just after it was released."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.then: Callable[[], None] | None = None

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.current_thread().name == "second" and self.then is not None:
            then, self.then = self.then, None
            then()


def test_the_lead_may_come_before_its_heir_waits_for_it() -> None:
    database = Database()
    together = Together(database.transaction, lambda: None)
    hooked = HookedLock()
    together._lock = hooked  # type: ignore[assignment]
    database.go_on.clear()
    first = threading.Thread(target=together.write, args=(1, lambda: "first"))
    first.start()
    assert database.begun.wait(10)

    def until_the_lead_is_ours() -> None:
        database.go_on.set()
        first.join(10)
        assert together._queue[0].leads

    hooked.then = until_the_lead_is_ours
    told: list[str] = []
    second = threading.Thread(
        target=lambda: told.append(together.write(1, lambda: "second")), name="second"
    )
    second.start()
    second.join(10)

    assert told == ["second"]


def test_a_disk_that_fails_fails_all_who_were_committed() -> None:
    database = Database()

    def settle() -> None:
        raise OSError("disk gone")

    writers = Writers(database)
    writers.together = Together(database.transaction, settle)

    writers.all_while_the_first_commits("second", "third")
    writers.finish()

    assert {str(error) for error in writers.told.values()} == {"disk gone"}
    assert len(writers.told) == 3


def sum_up(database: Database) -> Callable[[Sequence[object]], None]:
    """What ends a transaction: all results of its works, as one more thing."""

    def then(results: Sequence[object]) -> None:
        database.open.append(tuple(results))

    return then


def test_the_same_end_is_come_to_once_a_transaction(writers: Writers) -> None:
    writers.then = sum_up(writers.database)
    writers.all_while_the_first_commits(1, 2)
    writers.then = sum_up(writers.database)
    writers.write(3)
    writers.queued(3)
    writers.finish()

    assert writers.database.kept == ["first", ("first",), 1, 2, 3, (1, 2), (3,)]


def test_an_end_that_fails_is_of_those_alone_who_fail_alone(writers: Writers) -> None:
    def then(results: Sequence[object]) -> None:
        if 2 in results:
            raise ValueError("not two")

    writers.then = then
    writers.all_while_the_first_commits(1, 2, 3)
    writers.finish()

    assert writers.database.kept == ["first", 1, 3]
    assert str(writers.told[2]) == "not two"
