"""The counts of a replay are those of the live counters, call for call."""

from hypothesis import given, settings
from hypothesis import strategies as st

from server.kinds import Calls, Quota, Rate, Stated
from server.limiting.plan import plan
from server.limiting.rings import Rings, Want
from server.limiting.tables import Table
from server.replay.books import DAY_US, Book, take, use

EDITIONS = ("community", "enterprise")
WIDE, NARROW = "GET /wide", "GET /narrow"


def rate(calls: int, unit: str) -> Rate:
    return Rate(calls, unit, f"{calls} times/{unit}", "limits.md:1")


# Figures that a ring of 64 keeps, of two units, so that a change of edition may
# lengthen the window; and one that needs a larger ring.
figures = st.tuples(st.integers(1, 5), st.sampled_from(["second", "minute"]))
tables = st.tuples(figures, figures, st.integers(1, 4))
seconds = st.integers(0, 3).map(lambda n: n * 1_000_000)
steps = st.one_of(
    st.integers(0, 3), st.integers(0, 2_000_000), seconds, st.just(59_999_999)
)
calls = st.lists(
    st.tuples(
        steps,
        st.sampled_from([1, 2]),
        st.sampled_from(EDITIONS),
        st.sampled_from([WIDE, WIDE, NARROW]),
    ),
    max_size=120,
)


def table(app: Calls, cluster: Calls) -> Table:
    bound = {WIDE: (app,), NARROW: (app, cluster)}
    return Table(EDITIONS, bound, {"trial": (app,)}, {})


@settings(max_examples=300, deadline=None)
@given(tables, calls)
def test_a_replay_decides_as_the_servers_rings_do(
    stated: tuple[tuple[int, str], tuple[int, str], int],
    made: list[tuple[int, int, str, str]],
) -> None:
    community, enterprise, together = stated
    app = Calls(
        "trial.calls",
        "app",
        {"community": rate(*community), "enterprise": rate(*enterprise)},
    )
    cluster = Calls(
        "trial.narrow", "cluster", dict.fromkeys(EDITIONS, rate(together, "second"))
    )
    book = Book(table(app, cluster))
    now_us = 1_800_000_000_000_000
    rings = Rings(None, clock=lambda: now_us * 1000)

    for step, whose, edition, operation in made:
        now_us += step
        bound = book.bound(f"acme/{whose}", edition, "trial", operation)
        assert bound
        limits = [
            (each, each.rates[edition]) for each in table(app, cluster).rates[operation]
        ]
        planned = plan(limits, frozenset())
        admitted, taken = rings.take(planned.wants(whose))
        waits = {
            each.name: state.wait_ns
            for (each, _), state in zip(limits, taken, strict=True)
        }
        told = None if admitted else max(waits, key=waits.__getitem__)

        assert take(bound.rates, now_us) == told


@settings(max_examples=50, deadline=None)
@given(
    st.integers(65, 200), st.lists(st.integers(0, 20_000), min_size=200, max_size=600)
)
def test_a_large_figure_likewise(figure: int, gaps: list[int]) -> None:
    app = Calls("trial.calls", "app", {"community": rate(figure, "second")})
    book = Book(Table(("community",), {WIDE: (app,)}, {}, {}))
    bound = book.bound("acme/chat", "community", "trial", WIDE)
    assert bound
    now_us = 1_800_000_000_000_000
    rings = Rings(None, clock=lambda: now_us * 1000)

    for gap in gaps:
        now_us += gap
        admitted, _ = rings.take([Want("k", figure, 10**9)])

        assert (take(bound.rates, now_us) is None) == admitted


def test_a_quota_takes_all_or_nothing_and_begins_anew_at_midnight() -> None:
    quota = Quota("trial.daily", None, {"community": Stated(10, "10", "limits.md:1")})
    book = Book(Table(EDITIONS, {}, {"trial": ()}, {"trial": (quota,)}))
    held = book.bound("acme/chat", "community", "trial", WIDE)
    free = book.bound("acme/chat", "enterprise", "trial", WIDE)
    assert held
    assert free
    noon = 20_000 * DAY_US + DAY_US // 2
    midnight = 20_001 * DAY_US

    assert use(held.quotas, noon, 8) is None
    assert use(held.quotas, noon, 3) == "trial.daily"
    assert use(held.quotas, noon, 2) is None
    assert use(held.quotas, midnight - 1, 1) == "trial.daily"
    assert use(free.quotas, midnight, 11) is None  # counted without a figure too
    assert use(held.quotas, midnight, 1) == "trial.daily"


def test_an_edition_or_an_interface_that_the_table_lacks() -> None:
    app = Calls("trial.calls", "app", {"community": rate(1, "second")})
    book = Book(Table(("community",), {WIDE: (app,)}, {"trial": (app,)}, {}))

    gone = book.bound("acme/chat", "ultimate", "trial", WIDE)
    assert gone
    assert not gone.edition
    assert book.bound("acme/chat", "community", "other", "GET /other") is None
    unknown = book.bound("acme/chat", "community", "trial", "GET /no/longer/served")
    assert unknown
    assert [limit.rule for limit in unknown.rates] == ["trial.calls"]
