"""What is kept is made again only when it is old."""

import types

import pytest

from server.console import kept


def test_a_value_is_made_again_once_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    time = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(kept, "time", time)
    made = iter(range(9))
    value = kept.Kept(2, lambda: next(made))

    first, again = value(), value()
    now[0] += 1.9
    young = value()
    now[0] += 0.2
    old = value()
    value.forget()

    assert (first, again, young, old, value()) == (0, 0, 0, 1, 2)
