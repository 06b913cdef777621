"""Flask-Limiter as we use it: each habit that would bite, and the counters' loss."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from limits.strategies import STRATEGIES

from server import envelope, limiting
from server.app import create_app
from server.errors import ReachLimit, Unavailable
from server.kinds import Calls, Rate
from server.limiting import _declared, _limiter, loss
from server.limiting.loss import Counters
from server.limiting.rings import Want
from server.settings import Settings
from server.store import apps, database
from tests.conftest import Clock, Tenant, make_tenant
from tests.services.redis import RedisServer, need_redis, wait_for

OPEN = Calls(
    "trial.calls",
    "app",
    {"community": Rate(5, "second", "5 times/second", "limits.md:1")},
)
NARROW = Calls(
    "trial.narrow",
    "cluster",
    {"community": Rate(3, "minute", "3 times/minute", "limits.md:2")},
)


@pytest.fixture
def trial(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """An interface of two routes: one under its rate, one under a cluster's too."""
    blueprint = Blueprint("trial", __name__)
    limiting.limit_every_route(blueprint, OPEN)

    @blueprint.get("/wide")
    def wide() -> object:
        return envelope.ok(here="wide")

    @blueprint.get("/narrow")
    @limiting.limit_route(NARROW)
    def narrow() -> object:
        return envelope.ok(here="narrow")

    app = create_app(settings)
    app.register_blueprint(blueprint, url_prefix="/<org>/<app>")
    limiting.prepare(app, {"community": "Community Edition"})
    yield app
    _declared.remove(OPEN)
    _declared.remove(NARROW)
    database.disconnect()


def statuses(tenant: Tenant, path: str, count: int) -> list[int]:
    return [tenant.get(path).status_code for _ in range(count)]


def test_a_decorated_route_keeps_its_interfaces_limit(trial: Flask) -> None:
    """By itself Flask-Limiter would let a route's own limit replace the blueprint's."""
    acme = make_tenant(trial, "acme/chat", "community")

    assert statuses(acme, "/wide", 5) == [200] * 5
    assert acme.get("/narrow").json["rule"] == "trial.calls"


def test_a_call_that_one_limit_refuses_takes_from_neither(
    trial: Flask, clock: Clock
) -> None:
    """By itself Flask-Limiter leaves the limits before the refusing one spent."""
    acme = make_tenant(trial, "acme/chat", "community")
    globex = make_tenant(trial, "globex/chat", "community")
    assert statuses(globex, "/narrow", 3) == [200] * 3

    assert acme.get("/narrow").json["rule"] == "trial.narrow"
    assert statuses(acme, "/wide", 6) == [200] * 5 + [429]

    clock.forward(60)
    assert statuses(acme, "/wide", 5) == [200] * 5
    assert acme.get("/narrow").json["rule"] == "trial.calls"
    assert statuses(globex, "/narrow", 4) == [200] * 3 + [429]


def test_both_policies_are_told(trial: Flask) -> None:
    acme = make_tenant(trial, "acme/chat", "community")

    answer = acme.get("/narrow")

    assert answer.headers["RateLimit-Policy"] == (
        '"trial.calls";q=5;w=1, "trial.narrow";q=3;w=60'
    )
    assert (
        answer.headers["RateLimit"] == '"trial.calls";r=4;t=1, "trial.narrow";r=2;t=60'
    )


def test_a_decorated_call_is_counted_once(trial: Flask) -> None:
    """Flask-Limiter looks twice: before the request, and inside the decorated view."""
    acme = make_tenant(trial, "acme/chat", "community")

    assert statuses(acme, "/narrow", 4) == [200] * 3 + [429]


def test_the_longest_wait_is_told(trial: Flask, clock: Clock) -> None:
    acme = make_tenant(trial, "acme/chat", "community")
    statuses(acme, "/narrow", 3)
    clock.forward(0.5)
    statuses(acme, "/wide", 2)

    refused = acme.get("/narrow")

    assert refused.json["rule"] == "trial.narrow"
    assert refused.headers["Retry-After"] == "60"
    clock.forward(59.5)
    assert acme.get("/narrow").status_code == 200


def test_an_edition_that_the_table_lost_is_closed_not_unlimited(
    acme: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    apps.set_edition("acme", "chat", "ultimate")

    answers = [acme.get(path) for path in ("/users/alice", "/users", "/limits")]

    assert {answer.status_code for answer in answers} == {503}
    assert "'ultimate', which the table does not state" in caplog.text
    apps.set_edition("acme", "chat", "community")
    assert acme.get("/users/alice").status_code == 200


def test_the_storage_is_always_ours(app: Flask) -> None:
    """An unset one would warn, and count in each process by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert type(_limiter.limiter) is STRATEGIES["exact-window"]


def test_one_limiter_serves_the_last_app(settings: Settings, clock: Clock) -> None:
    """Its counters are the last app's, so one app a process."""
    settings = replace(settings, counters_url="memory://")  # two do not share these
    first = create_app(settings)
    tenant = make_tenant(first, "acme/chat", "community")
    statuses(tenant, "/users/nobody", 10)

    create_app(settings)

    assert tenant.get("/users/nobody").status_code == 404
    database.disconnect()


def test_an_answer_that_was_not_counted_tells_of_no_other(acme: Tenant) -> None:
    assert "RateLimit" in acme.get("/users/alice").headers
    for path in ("/limits", "/nothing"):
        assert "RateLimit" not in acme.get(path).headers
    assert "RateLimit" not in acme.as_nobody().get("/users/alice").headers


WANT = Want("users.calls/1", 2, 10**9)


def lost(monkeypatch: pytest.MonkeyPatch, counters: Counters) -> None:
    def out_of_reach(wants: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counters._windows, "take", out_of_reach)
    monkeypatch.setattr(counters._windows, "peek", out_of_reach)


def test_lost_counters_close_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters(Settings(state_dir=tmp_path))
    with monkeypatch.context() as patch:
        lost(patch, counters)
        for _ in range(3):
            with pytest.raises(Unavailable) as refused:
                counters.take([WANT])
        assert refused.value.retry_after == 1

    assert counters.take([WANT])[0]
    told = [record.message for record in caplog.records]
    assert len(told) == 2
    assert "answered 503" in told[0]
    assert "back" in told[1]


def test_counters_tell_whether_they_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = Counters(Settings(state_dir=tmp_path, counters_loss="local"))
    assert not counters.lost
    with monkeypatch.context() as patch:
        lost(patch, counters)
        counters.take([WANT])
        assert counters.lost

    counters.take([WANT])
    assert not counters.lost


def test_shared_counters_are_lost_and_found_with_a_line_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    need_redis()
    server = RedisServer(tmp_path / "redis", ("--requirepass", "s3cret"))
    settings = Settings(
        state_dir=tmp_path,
        counters_url=f"redis://:s3cret@{server.place}",
        counters_loss="local",
    )
    counters, beside = Counters(settings), Counters(settings)
    minute = WANT._replace(window_ns=60 * 10**9)

    admitted = [each.take([minute])[0] for each in (counters, beside, counters, beside)]

    assert admitted == [True, True, False, False]
    assert counters.lost
    server.start(ready=False)
    try:
        wait_for(lambda: counters.take([minute])[0])
    finally:
        server.kill()
    assert not counters.lost
    told = [record.message for record in caplog.records]
    assert [line.partition(" redis")[0] for line in told] == [
        "counters out of reach in", "counters out of reach in", "counters are back in",
    ]  # fmt: skip
    assert "s3cret" not in caplog.text


def test_lost_counters_may_be_counted_by_this_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(state_dir=tmp_path, counters_loss="local")
    counters, beside = Counters(settings), Counters(settings)
    monkeypatch.setattr(
        "server.limiting.loss._standby_directory", lambda _: tmp_path / "standby"
    )
    lost(monkeypatch, counters)
    lost(monkeypatch, beside)

    admitted = [each.take([WANT])[0] for each in (counters, beside, counters, beside)]

    assert admitted == [True, True, False, False]


def test_a_standby_that_somebody_else_made_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = Counters(Settings(state_dir=tmp_path, counters_loss="local"))
    monkeypatch.setattr("server.limiting.loss.Path", lambda _: tmp_path)
    (tmp_path / "elsewhere").mkdir()
    lost(monkeypatch, counters)
    standby = loss._standby_directory(counters._directory)
    standby.rmdir()
    standby.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Unavailable):
        counters.take([WANT])

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_a_loss(tmp_path: Path) -> None:
    (tmp_path / "counters").write_text("a file is in the way")
    counters = Counters(Settings(state_dir=tmp_path))

    with pytest.raises(Unavailable):
        counters.take([WANT])

    (tmp_path / "counters").unlink()
    assert counters.take([WANT])[0]


def test_lost_counters_are_a_503_on_the_wire(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(monkeypatch, _limiter.counters)

    answer = acme.get("/users/alice")

    assert answer.status_code == 503
    assert answer.json["error"] == "service_unavailable"
    assert answer.headers["Retry-After"] == "1"


def test_the_guard_says_when_to_come_back(app: Flask, clock: Clock) -> None:
    guard = limiting.guard()
    for _ in range(60):
        guard.admit("192.0.2.7")

    with pytest.raises(ReachLimit) as refused:
        guard.admit("192.0.2.7")

    assert refused.value.retry_after == 1
    clock.forward(1)
    guard.admit("192.0.2.7")
