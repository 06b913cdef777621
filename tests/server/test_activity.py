"""What goes on: calls of each second by interface, and who was refused lately."""

from flask import Flask

from server import activity
from server.refusal_ring import PLACES, RECORD, RINGS, Ring, Seen, latest
from tests.conftest import Clock, Tenant
from tests.probes.messages import send


def last(word: str, seconds: int) -> tuple[list[int], list[int]]:
    series = activity.calls_per_second(seconds)[word]
    return series.admitted, series.refused


def test_calls_are_told_by_second_interface_and_outcome(
    acme: Tenant, clock: Clock
) -> None:
    for _ in range(12):
        acme.get("/users/alice")
    send(acme)
    clock.forward(2)
    acme.get("/users/alice")
    acme.client.get("/healthz")
    clock.forward(1)

    assert last("users", 4) == ([0, 10, 0, 1], [0, 2, 0, 0])
    assert last("messages", 4) == ([0, 1, 0, 0], [0, 0, 0, 0])
    assert last("other", 4) == ([0, 0, 0, 1], [0, 0, 0, 0])


def test_the_second_under_way_is_not_told_yet(acme: Tenant, clock: Clock) -> None:
    acme.get("/users/alice")

    assert last("users", 1) == ([0], [0])
    clock.forward(1)
    assert last("users", 1) == ([1], [0])


def test_a_quarter_of_an_hour_later_it_is_forgotten(acme: Tenant, clock: Clock) -> None:
    acme.get("/users/alice")

    clock.forward(activity.SECONDS - 1)
    assert sum(last("users", activity.SECONDS)[0]) == 1
    clock.forward(1)
    assert sum(last("users", activity.SECONDS)[0]) == 0
    acme.get("/users/alice")  # in the row of that second
    clock.forward(1)
    assert last("users", 1) == ([1], [0])


def test_the_table_gives_the_order(app: Flask) -> None:
    assert list(activity.calls_per_second(1))[:2] == ["users", "friends"]
    assert list(activity.calls_per_second(1))[-1] == "other"


def test_refusals_are_told_with_caller_operation_and_the_words_of_the_table(
    acme: Tenant, globex: Tenant, clock: Clock
) -> None:
    for _ in range(10):
        acme.get("/users/alice")
    acme.as_user("alice").get(
        "/metadata/user/alice", headers={"X-Request-Id": "the-one"}
    )
    clock.forward(1)
    many = {"target_type": "users", "target": ["x"] * 601, "msg": {"type": "txt"}}
    acme.post("/messages", json=many)

    length, rate = activity.recent_refusals(acme.row.uuid)
    assert (length.rule, length.caller) == ("messages.targets", "app")
    assert length.status == 400
    assert rate.caller == "user:alice"
    assert rate.operation == "GET /metadata/user/{username}"
    assert rate.rule == "users.calls"
    assert rate.limit == "single app call limit 10 times/second"
    assert rate.doc.startswith("limits.md:")
    assert (rate.status, rate.request_id) == (429, "the-one")
    assert 0 <= clock.unix_ns - rate.unix_ns - 1_000_000_000 < 1_000_000
    assert activity.recent_refusals(globex.row.uuid) == []


def seen(n: int, **words: str) -> Seen:
    told = {"caller": "app", "operation": "GET /x", "rule": "r", "limit": "l"} | words
    return Seen(n, **told, doc="limits.md:1", status=429, request_id="i")


def test_the_latest_are_kept_and_come_first(app: Flask) -> None:
    for n in range(3 * PLACES):
        activity.refused("one", seen(n))

    kept = [each.unix_ns for each in activity.recent_refusals("one")]

    assert kept == list(reversed(range(2 * PLACES, 3 * PLACES)))


def test_apps_that_share_a_ring_are_told_apart(app: Flask, tmp_path) -> None:
    ring = Ring(tmp_path / "refusals")
    names = [f"app{n}" for n in range(4 * RINGS)]
    for n, name in enumerate(names):
        ring.add(name, seen(n, rule=name))

    told = {name: latest(ring, name) for name in names}

    assert sum(map(len, told.values())) > 2 * RINGS
    assert all(each.rule == name for name in names for each in told[name])


def test_words_too_long_are_shortened_however_they_are_written(tmp_path) -> None:
    ring = Ring(tmp_path / "refusals")
    longest = ("x" * 10_000, "\x00" * 10_000, "長" * 10_000, "\N{GRINNING FACE}" * 999)
    for n, long in enumerate(longest):
        ring.add("long", seen(n, caller=long, operation=long, rule=long, limit=long))

        (told, *_) = latest(ring, "long")

        assert told.caller.startswith(long[:10])
        assert told.caller.endswith("…")
    assert RECORD < 1000


def test_bytes_that_are_no_record_are_passed_over(tmp_path) -> None:
    ring = Ring(tmp_path / "refusals")
    ring.add("one", seen(1))
    for place, torn in (
        (1, b'["one",'),
        (2, b'{"one":1}'),
        (3, b'["one",1]'),
        (4, b"7"),
    ):
        for n in range(RINGS):
            at = n * (8 + PLACES * RECORD) + 8 + place * RECORD
            ring.tally.pages[at : at + len(torn)] = torn

    assert latest(ring, "one") == [seen(1)]
