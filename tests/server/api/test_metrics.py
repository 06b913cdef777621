"""/metrics: what it tells, and to whom."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from server import metrics, rules, scrape
from server.app import create_app
from server.kinds import Bound
from server.settings import Settings
from server.store import apps, database, offline, quotas
from server.store.models import QuotaUse
from tests import databases
from tests.conftest import Clock, Tenant, make_tenant
from tests.plans import steps_of
from tests.probes.messages import send
from tests.server.api.test_files import kept, picture
from tests.server.api.test_ops import out_of_reach

TOKEN = "a-long-enough-token"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(answer: TestResponse) -> Samples:
    """Every number, by name and labels; no two may have the same."""
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def scraped(app: Flask, **options: Any) -> Samples:
    scrape.forget()
    return samples(app.test_client().get("/metrics", **options))


def of(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def calls(found: Samples, interface: str, edition: str, outcome: str) -> float:
    labels = {"interface": interface, "edition": edition, "outcome": outcome}
    return of(found, "weir_calls_total", **labels)


def test_calls_are_told_by_interface_edition_and_outcome(
    app: Flask, acme: Tenant, globex: Tenant
) -> None:
    for _ in range(12):
        acme.get("/users/alice")
    globex.get("/users/nobody")
    acme.as_nobody().get("/users/alice")
    send(globex)

    found = scraped(app)

    assert calls(found, "users", "community", "ok") == 10
    assert calls(found, "users", "community", "refused") == 2
    assert calls(found, "users", "community", "denied") == 1
    assert calls(found, "users", "enterprise", "invalid") == 1
    assert calls(found, "messages", "enterprise", "ok") == 1
    assert sum(v for (n, _), v in found.items() if n == "weir_calls_total") == 15
    users = {"rule": "users.calls", "edition": "community"}
    assert of(found, "weir_rule_admitted_total", **users) == 10
    assert of(found, "weir_rule_refused_total", **users) == 2


def test_durations_are_told_by_interface(app: Flask, acme: Tenant) -> None:
    for _ in range(3):
        acme.get("/users/alice")

    found = scraped(app)

    name = "weir_call_duration_seconds"
    assert of(found, f"{name}_count", interface="users") == 3
    assert of(found, f"{name}_bucket", interface="users", le="+Inf") == 3
    assert 0 < of(found, f"{name}_sum", interface="users") < 3
    buckets = [
        value
        for (each, labels), value in found.items()
        if each == f"{name}_bucket" and ("interface", "users") in labels
    ]
    assert buckets == sorted(buckets)


def test_no_label_is_an_app_or_a_user(app: Flask, acme: Tenant) -> None:
    acme.as_user("alice").get("/metadata/user/alice")
    acme.client.open("/acme/chat/alice", method="BREW")
    acme.client.get("/secretive/thing/users/alice")

    text = app.test_client().get("/metrics").text

    for word in ("acme", "alice", "BREW", "secretive", acme.token):
        assert word not in text


def test_every_figure_that_can_refuse_is_there_from_the_start(app: Flask) -> None:
    found = scraped(app)

    for interface in rules.INTERFACES:
        for rule in interface.rules:
            for edition in rules.EDITIONS:
                states = (
                    rule.stated(edition) is not None
                    if isinstance(rule, Bound)
                    else edition in rule.rates
                )
                labels = (("edition", edition), ("rule", rule.name))
                assert (("weir_rule_refused_total", labels) in found) == states


def test_quotas_offline_queues_and_who_is_near(
    app: Flask, acme: Tenant, globex: Tenant, clock: Clock
) -> None:
    figure = 20_000
    send(acme, target=["alice", "bob", "nobody"])
    send(globex)
    for n, used in enumerate((figure, figure * 8 // 10, figure * 8 // 10 - 1)):
        tenant = make_tenant(app, f"near/{n}", "community")
        rule = "messages.daily_system_push_messages"
        day = clock.unix_ns // (86_400 * 10**9)
        QuotaUse.create(app=tenant.id, rule=rule, day=day, used=used)
        QuotaUse.create(app=tenant.id, rule=rule, day=day - 1, used=figure)

    found = scraped(app)

    community = {"rule": "messages.daily_system_push_messages", "edition": "community"}
    enterprise = community | {"edition": "enterprise"}
    assert of(found, "weir_quota_apps", **community) == 4
    assert of(found, "weir_quota_used", **community) == 3 + figure * 26 // 10 - 1
    assert of(found, "weir_quota_apps_near", **community) == 2
    assert of(found, "weir_quota_used", **enterprise) == 1
    assert ("weir_quota_apps_near", tuple(sorted(enterprise.items()))) not in found
    assert of(found, "weir_offline_waiting") == 2
    assert offline.count_all(at_most=1) == 1


@databases.only_sqlite
def test_what_the_quotas_cost_does_not_grow_with_the_days(acme: Tenant) -> None:
    used = [step for step in steps_of(quotas._USED_BY_ALL) if "quota_use" in step]

    assert used
    assert all("(app_id=? AND rule=? AND day=?)" in step for step in used)


def test_the_database_out_of_reach_is_told(
    app: Flask, acme: Tenant, tmp_path: Path
) -> None:
    acme.get("/users/alice")
    out_of_reach(tmp_path)

    found = scraped(app)

    assert of(found, "weir_database_up") == 0
    assert calls(found, "users", "community", "ok") == 1
    assert ("weir_offline_waiting", ()) not in found


def test_downloads_are_counted_while_they_last(app: Flask, acme: Tenant) -> None:
    uuid = kept(acme, picture("PNG", (30, 30)))["uuid"]
    answer = acme.get(f"/chatfiles/{uuid}")

    during = scraped(app)
    answer.close()
    answer.close()

    assert of(during, "weir_downloads_in_progress") == 1
    assert of(scraped(app), "weir_downloads_in_progress") == 0


def test_counters_out_of_reach_are_told(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "in the way").write_text("")
    app = create_app(
        Settings(
            state_dir=tmp_path / "state", counters_url=f"file://{tmp_path}/in the way/c"
        )
    )
    tenant = make_tenant(app, "acme/chat", "community")

    assert tenant.get("/users/alice").status_code == 503

    assert of(scraped(app), "weir_counters_degraded") == 1
    database.disconnect()


def test_guard_and_shadow_are_told(app: Flask, acme: Tenant) -> None:
    for _ in range(62):
        acme.as_nobody().get("/users/alice")
    metrics.shadow_refused("users.calls", "community")
    metrics.shadow_refused("users.calls", "an edition of the proposed table")
    metrics.shadow_refused("rule.of_the_proposed_table", "community")

    found = scraped(app)

    assert of(found, "weir_guard_refused_total") == 2
    shadow = {name: value for name, value in found.items() if "shadow" in name[0]}
    assert sorted(shadow.values()) == [1, 1]


def test_what_runs_is_told(app: Flask) -> None:
    (labels,) = [labels for name, labels in scraped(app) if name == "weir_build_info"]

    assert dict(labels)["rules"] == rules.DIGEST


def test_an_edition_that_left_the_table_is_none(app: Flask, acme: Tenant) -> None:
    apps.set_edition("acme", "chat", "lost")

    assert acme.get("/users/alice").status_code == 503

    assert calls(scraped(app), "users", "none", "failed") == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.8.9.1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("10.0.0.1", {}, 404),
        ("", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("127.0.0.1", {"X-Real-IP": "192.0.2.1"}, 404),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 404),
    ],
)
def test_without_a_token_only_this_host_may_look(
    app: Flask, address: str, headers: dict[str, str], status: int
) -> None:
    answer = app.test_client().get(
        "/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers
    )

    assert answer.status_code == status
    assert ("weir_" in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("connected", "forwarded", "status"),
    [
        ("127.0.0.1", "192.0.2.1", 404),
        ("127.0.0.1", "127.0.0.1, 192.0.2.1", 404),
        ("192.0.2.1", "127.0.0.1", 404),
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", None, 200),
    ],
)
def test_through_a_trusted_proxy_the_real_address_counts(
    tmp_path: Path, connected: str, forwarded: str | None, status: int
) -> None:
    app = create_app(
        Settings(
            state_dir=tmp_path / "state", counters_url="memory://", trusted_proxies=1
        )
    )
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    answer = app.test_client().get(
        "/metrics", environ_base={"REMOTE_ADDR": connected}, headers=headers
    )

    assert answer.status_code == status
    database.disconnect()


@pytest.fixture
def guarded(tmp_path: Path, clock: Clock) -> Any:
    app = create_app(
        Settings(
            state_dir=tmp_path / "state", counters_url="memory://", metrics_token=TOKEN
        )
    )
    yield app
    database.disconnect()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (None, 401),
        ("Bearer", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer \xe9\xff", 401),
    ],
)
def test_with_a_token_it_is_needed_from_anywhere(
    guarded: Flask, authorization: str | None, status: int
) -> None:
    for address in ("127.0.0.1", "192.0.2.1"):
        answer = guarded.test_client().get(
            "/metrics",
            environ_base={"REMOTE_ADDR": address}
            | ({"HTTP_AUTHORIZATION": authorization} if authorization else {}),
        )
        assert answer.status_code == status


def test_guessing_the_token_is_guarded(guarded: Flask) -> None:
    client = guarded.test_client()
    wrong = {"Authorization": "Bearer wrong"}

    answers = [client.get("/metrics", headers=wrong).status_code for _ in range(61)]

    assert answers == [401] * 60 + [429]
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=right).status_code == 200


def test_an_apps_token_is_no_key_to_it(guarded: Flask) -> None:
    tenant = make_tenant(guarded, "acme/chat", "community")
    headers = {"Authorization": f"Bearer {tenant.token}"}

    assert tenant.client.get("/metrics", headers=headers).status_code == 401


def test_who_takes_the_slot_of_a_dead_worker_has_none_of_its_downloads(
    app: Flask, settings: Settings
) -> None:
    metrics.downloading(1)
    metrics.guard_refused()
    metrics.counters_lost(True)

    metrics.connect(settings, rules.INTERFACES, rules.EDITIONS)

    workers, now = metrics.present()
    assert workers == 1
    assert set(now.values()) == {0}
    assert metrics.totals()[metrics.GUARD] == 1
