"""The rule itself, counted anew each time; and the clock that is tried against it."""

from hypothesis import strategies as st

from server.limiting.rings import Taken, Want

SECOND = 10**9
MICROSECOND = 1000

TEN = Want("users.calls/1", 10, SECOND)


class Clock:
    def __init__(self, now=1000 * SECOND):
        self.now = now

    def __call__(self):
        return self.now


def admitted(windows, want, calls):
    return sum(windows.take([want])[0] for _ in range(calls))


class Model:
    """A list of every call."""

    def __init__(self):
        self.calls = {}

    def take(self, now, wants, cost, count):
        seen = [
            [s for s in self.calls.get(w.key, []) if s > now - w.window_ns][-w.amount :]
            for w in wants
        ]
        fits = all(len(s) + cost <= w.amount for s, w in zip(seen, wants, strict=True))
        states = []
        for stamps, want in zip(seen, wants, strict=True):
            wait = 0
            if cost > want.amount:
                wait = want.window_ns
            elif len(stamps) + cost > want.amount:
                gone = stamps[len(stamps) + cost - want.amount - 1]
                wait = gone + want.window_ns - now
            if fits and count:
                self.calls.setdefault(want.key, []).extend([now] * cost)
                stamps += [now] * cost
            reset = stamps[0] + want.window_ns - now if stamps else 0
            states.append(Taken(want.amount - len(stamps), reset, wait))
        return fits, states


def wants_of(amounts):
    return st.lists(
        st.builds(
            Want,
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(amounts),
            st.sampled_from([1, 10, 100, 1000]),
            st.just(""),
            st.just(0),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda want: want.key,
    )


def agree(windows, clock, steps, unit=1):
    """Whether *windows* answer each step as a plain list of calls does.

    Times of the steps are in *unit* nanoseconds.
    """
    model = Model()
    for pause, wants, cost, count in steps:
        clock.now += pause * unit
        wants = [want._replace(window_ns=want.window_ns * unit) for want in wants]
        if count:
            found = windows.take(wants, cost)
            assert found == model.take(clock.now, wants, cost, True)
        else:
            found = windows.peek(wants)
            assert found == model.take(clock.now, wants, 1, False)[1]


NEAR_FIGURES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 3, 9, 10, 101]),
        wants_of([1, 2, 3, 40, 63, 64]),
        st.sampled_from([1, 1, 1, 2, 17, 30]),
        st.booleans(),
    ),
    max_size=80,
)
# So few that no ring has forgotten anything when it is moved.
GROWING_FIGURES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 9, 101]),
        wants_of([1, 3, 20, 64, 65, 511, 513, 5000]),
        st.sampled_from([1, 2]),
        st.booleans(),
    ),
    max_size=30,
)
