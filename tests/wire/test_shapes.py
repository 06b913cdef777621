"""A golden answer is matched exactly: what comes near is a difference."""

import time

import pytest

from tests.wire.shapes import Differs, Kept


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": 1, "b": None}, {"a": 1}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": "1"}, {"a": 1}),
        ({"a": False}, {"a": 0}),
        ({"a": []}, {"a": None}),
        (["a", "b"], ["b", "a"]),
        (["a"], ["a", "a"]),
        ("{int}", -1),
        ("{int}", True),
        ("{id}", 7),
        ("{id}", "7a"),
        ("{uuid}", "a1d4c9e0"),
        ("at {id}.", "at 7!"),
        (["{id:one}", "{id:one}"], ["7", "8"]),
        (["{id:one}", "{=one}"], ["7", "8"]),
    ],
)
def test_what_is_not_as_written_differs(wanted: object, found: object) -> None:
    with pytest.raises(Differs):
        Kept().match(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1, "b": "{any}"}, {"b": [None], "a": 1}),
        (["{id:one}", "{=one}", "x{=one}y"], ["7", "7", "x7y"]),
        ("/users/{uuid}", "/users/a1d4c9e0-5b80-11ec-8c3f-0242ac130003"),
        ("a.b", "a.b"),
        ("{x*3}", "xxx"),
    ],
)
def test_what_is_as_written_matches(wanted: object, found: object) -> None:
    Kept().match(wanted, found)


def test_a_moment_is_a_number_of_about_now() -> None:
    Kept().match("{ms}", now_ms())
    for found in (now_ms() - 86_400_000, str(now_ms())):
        with pytest.raises(Differs):
            Kept().match("{ms}", found)
