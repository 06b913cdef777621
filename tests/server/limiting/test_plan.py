"""What a route takes: keys without figures, and where a cluster counts them."""

from dataclasses import replace

import pytest
from flask import Flask

from server import rules
from server.kinds import Calls, Rate
from server.limiting import _limiter
from server.limiting.plan import draw, plan, shared_interfaces
from server.settings import Settings
from tests.conftest import Tenant, make_tenant
from tests.services.redis import RedisServer

RATE = Rate(10, "second", "10 times/second", "limits.md:1")
OWN = Calls("files.calls", "app", {"community": RATE})
EVERYONES = Calls("files.cluster_downloads", "cluster", {"community": RATE})
OTHER = Calls("users.calls", "app", {"community": RATE})


def test_key_and_tag_are_of_the_rule_and_the_app() -> None:
    shared = shared_interfaces([OWN, EVERYONES, OTHER])

    wants = [draw(calls, RATE, shared).want(17) for calls in (OWN, EVERYONES, OTHER)]

    assert [(want.key, want.tag) for want in wants] == [
        ("files.calls/17", "files"),
        ("files.cluster_downloads", "files"),
        ("users.calls/17", "17"),
    ]


def test_edited_figure_draws_on_the_same_counter_in_the_same_place() -> None:
    shared = shared_interfaces([OTHER])
    edited = replace(RATE, calls=5000, per="day")

    before, after = (draw(OTHER, rate, shared).want(17) for rate in (RATE, edited))

    assert (before.key, before.tag) == (after.key, after.tag)
    assert before.looks_back_ns == after.looks_back_ns == after.window_ns


def test_plan_draws_on_each_limit() -> None:
    found = plan([(OWN, RATE), (EVERYONES, RATE)], frozenset({"files"}))

    assert [want.key for want in found.wants(3)] == [
        "files.calls/3",
        "files.cluster_downloads",
    ]


def test_what_a_call_takes_lies_on_one_server_of_a_cluster(app: Flask) -> None:
    planned = list(_limiter._plans.values())

    assert len(planned) > 2 * len(rules.INTERFACES)
    for each in planned:
        assert len({want.tag for want in each.wants(17)}) == 1
    assert any(len(each.draws) > 1 for each in planned)


@pytest.fixture
def settings(settings: Settings, shared_redis: RedisServer) -> Settings:
    shared_redis.client().flushall()
    return replace(settings, counters_url=shared_redis.url)


def test_the_apps_limits_are_one_round_trip(
    app: Flask, shared_redis: RedisServer
) -> None:
    acme: Tenant = make_tenant(app, "acme/chat", "community")
    acme.get("/limits")
    shared_redis.client().config_resetstat()

    answer = acme.get("/limits")

    told = [rule for each in answer.json["data"] for rule in each["rules"]]
    assert sum(rule["kind"] == "calls" for rule in told) == 11
    asked = shared_redis.client().info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 1
