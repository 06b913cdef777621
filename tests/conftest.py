"""The cast, a clock that stands still, and an app in a directory of its own.

Acme is on the Community edition, Globex on Enterprise; Alice and Bob are users of Acme;
Mallory is in no app.
"""

import functools
import gc
import os
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server import passwords, streaming
from server.app import create_app
from server.kinds import Membership
from server.limiting import loss, shadow
from server.limiting.rings import Rings
from server.settings import Settings
from server.store import apps, database, tokens, users
from tests import contract, databases
from tests.services import s3
from tests.services.redis import VALKEY, RedisServer, redis_server
from tests.services.windows import StillWindows

ALICES_PASSWORD = "open sesame"
SECOND_NS = 1_000_000_000


class Clock:
    """Time, which stands still until a test moves it."""

    def __init__(self) -> None:
        self._databases = databases.Clock()
        self.unix_ns = 1_700_000_000 * SECOND_NS
        self.boot_ns = 1_000_000 * SECOND_NS

    @property
    def unix_ns(self) -> int:
        return self._unix_ns

    @unix_ns.setter
    def unix_ns(self, moment: int) -> None:
        self._unix_ns = moment
        self._databases.stands_at(moment // 1_000_000)

    def run_again(self) -> None:
        """Let the database's own clock go."""
        self._databases.runs()

    def forward(self, seconds: float) -> None:
        self.unix_ns += int(seconds * SECOND_NS)
        self.boot_ns += int(seconds * SECOND_NS)

    def to(self, boot_ns: int) -> None:
        """Forward to this moment of the boot clock."""
        self.unix_ns += boot_ns - self.boot_ns
        self.boot_ns = boot_ns

    def time_ns(self) -> int:
        return self.unix_ns


def still(patch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the server read *clock* instead of the machine's."""
    patch.setattr("server.clock.time", types.SimpleNamespace(time_ns=clock.time_ns))
    patch.setattr(
        "server.pacing.time",
        types.SimpleNamespace(monotonic_ns=lambda: clock.boot_ns, sleep=clock.forward),
    )
    for counts in (loss, shadow):
        rings = functools.partial(Rings, clock=lambda: clock.boot_ns)
        patch.setattr(counts, "Rings", rings)
    windows = functools.partial(StillWindows, clock=lambda: clock.boot_ns)
    patch.setattr(loss, "connect", windows)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    still(monkeypatch, clock)
    yield clock
    clock.run_again()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server for all tests that do no harm to it; each empties it first."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    place = tmp_path_factory.mktemp("valkey")
    with redis_server(place, program=VALKEY) as server:
        yield server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--files", choices=("disk", "s3"), default="disk", help="Where files are kept."
    )


# Files that are long, and would be the last: one process would be at them alone.
LONG = ("tests/test_patterns.py", "tests/test_readme.py", "tests/test_mutation.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish() -> None:
    """What is there now stays: it is not looked through for garbage again and again,
    of which each test's app makes much."""
    gc.freeze()


@pytest.fixture(scope="session")
def s3_store() -> Iterator[s3.Store]:
    """A real object store for all tests, found as an operator would say."""
    if s3.MISSING and not s3.REQUIRED:
        pytest.skip(s3.REASON)
    with s3.store() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environ.items():
            patch.setenv(name, value)
        yield store


@pytest.fixture
def counters_url(request: pytest.FixtureRequest) -> str:
    """Where the tests of the server count: ``WEIR_TEST_COUNTERS=redis`` for Redis."""
    if os.environ.get("WEIR_TEST_COUNTERS") != "redis":
        return "memory://"
    server: RedisServer = request.getfixturevalue("shared_redis")
    server.client().flushall()
    return server.url


@pytest.fixture
def files_url(request: pytest.FixtureRequest) -> str:
    """Where the files of this test are kept; empty: where they are by default."""
    if request.config.getoption("files") == "disk":
        return ""
    if request.node.get_closest_marker("disk"):
        pytest.skip("it looks at the files on the disk")
    store: s3.Store = request.getfixturevalue("s3_store")
    return store.new_url()


@pytest.fixture
def settings(tmp_path: Path, counters_url: str, files_url: str) -> Settings:
    return Settings(
        state_dir=tmp_path / "state",
        database_url=databases.emptied(),
        counters_url=counters_url,
        files_url=files_url,
        synchronous="NORMAL",
    )


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[Flask]:
    app = create_app(settings)
    contract.watch(app)
    yield app
    streaming.stop()
    database.forget()


@dataclass
class Tenant:
    """An app and its own server, which holds an app token."""

    client: FlaskClient
    key: str
    credentials: apps.Credentials
    token: str

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= options.pop("headers", {})
        return self.client.open(
            f"/{self.key}{path}", method=method, headers=headers, **options
        )

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.call("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.call("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def row(self) -> apps.App:
        found = apps.find(*self.key.split("/"))
        assert found is not None
        return found

    def user_token(self, username: str) -> str:
        known = users.sign_in(self.id, username)
        assert known is not None
        return tokens.issue(self.id, known.user.id, None, known.token_key)

    def as_user(self, username: str) -> "Tenant":
        """The same app, called with a token of one of its users."""
        token = self.user_token(username)
        return Tenant(self.client, self.key, self.credentials, token)

    def as_nobody(self) -> "Tenant":
        return _Nobody(self.client, self.key, self.credentials, "")


class _Nobody(Tenant):
    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.client.open(f"/{self.key}{path}", method=method, **options)


def make_tenant(app: Flask, key: str, edition: str, **options: Any) -> Tenant:
    org, name = key.split("/")
    credentials = apps.create(org, name, edition, **options)
    found = apps.find(org, name)
    assert found is not None
    token = tokens.issue(found.id, None, None, found.token_key)
    return Tenant(app.test_client(), key, credentials, token)


@functools.cache
def alices_hash() -> str:
    (hashed,) = passwords.hash_all([ALICES_PASSWORD])
    return hashed


@pytest.fixture
def acme(app: Flask) -> Tenant:
    """A Community app with two users, Alice and Bob."""
    acme = make_tenant(app, "acme/chat", "community")
    users.add(
        acme.id,
        [
            users.NewUser("alice", alices_hash(), "Alice L"),
            users.NewUser("bob", alices_hash()),
        ],
        at_most=Membership("none"),
    )
    return acme


@pytest.fixture
def globex(app: Flask) -> Tenant:
    """An Enterprise app without users."""
    return make_tenant(app, "globex/chat", "enterprise")
