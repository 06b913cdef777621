"""diff: what an edit changes for callers."""

import pytest

from codegen import changes, document, interpret
from codegen.changes import Changed
from codegen.spec import Spec
from tests.codegen.tables import HEADER, row, stating


def spec(text: str) -> Spec:
    return interpret.read(document.of_text(text))[0]


def told(old: str, new: str) -> list[tuple[str, str | None, str]]:
    found = changes.between(spec(old), spec(new))
    return [(one.rule, one.edition, one.change) for one in found]


def rate(words: str) -> str:
    return HEADER + row(community=f"single app call limit {words}")


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("10 times/second", "11 times/second", "looser"),
        ("10 times/second", "9 times/second", "tighter"),
        ("10 times/second", "10 times/minute", "tighter"),
        ("10 times/minute", "10 times/second", "looser"),
        ("10 times/second", "600 times/minute", "looser"),
        ("600 times/minute", "10 times/second", "tighter"),
        ("10 times/second", "300 times/minute", "changed"),
        ("300 times/minute", "10 times/second", "changed"),
        ("1 time/minute", "1440 times/day", "looser"),
    ],
)
def test_a_changed_rate(old: str, new: str, change: str) -> None:
    assert told(rate(old), rate(new)) == [("users.calls", "community", change)]


def test_the_words_before_and_after_are_kept() -> None:
    (found,) = changes.between(
        spec(rate("10 times/second")), spec(rate("5 times/second"))
    )

    assert isinstance(found, Changed)
    assert found.old
    assert found.old.words == "single app call limit 10 times/second"
    assert found.new
    assert found.new.words == "single app call limit 5 times/second"


def test_the_same_figure_in_other_words_changes_nothing() -> None:
    old = stating("user ID length 64 characters; file size 2k")
    new = stating("File size maximum 2048 bytes; the user ID length is 64 characters")

    assert told(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "nick name length 5 characters", [("users.nick_name", None, "added")]),
        ("nick name length 5 characters", "", [("users.nick_name", None, "removed")]),
        (
            "nick name length 5 characters",
            "nick name length 6 characters",
            [("users.nick_name", None, "looser")],
        ),
        (
            "nick name length 5 characters",
            "nick name length 5 characters; nick name length 4 characters in the community edition",
            [("users.nick_name", "community", "tighter")],
        ),
        (
            "nick name length 5 characters",
            "nick name length 5 characters in the community edition",
            [("users.nick_name", "enterprise", "removed")],
        ),
        (
            "nick name size 5k",
            "nick name length 5 characters",
            [("users.nick_name", None, "changed")],
        ),
        ("nick name kept 60 seconds", "nick name kept 1 minute", []),
        (
            "cluster download call limited 5 times/s",
            "cluster download call limited 9 times/s",
            [("users.cluster_downloads", None, "looser")],
        ),
    ],
)
def test_a_changed_bound(
    old: str, new: str, expected: list[tuple[str, str | None, str]]
) -> None:
    assert told(stating(old), stating(new)) == expected


def test_a_new_edition_changes_nothing_for_the_others() -> None:
    old = stating(
        "nick name length 5 characters; cluster download call limited 5 times/s"
    )
    new = old.replace(
        "Enterprise Edition Supp", "Ultimate Edition | Enterprise Edition Supp"
    ).replace("--- |", "--- | ---|", 1)
    new = new.replace(
        "30 times/second |", "30 times/second | single app call 9 times/s |"
    )

    assert told(old, new) == [("users.calls", "ultimate", "added")]


def test_a_new_interface_is_told_after_the_old() -> None:
    old, new = HEADER + row(), HEADER + row() + row("Friends")

    assert told(old, new) == [("friends.calls", None, "added")] or told(old, new) == [
        ("friends.calls", "community", "added"),
        ("friends.calls", "enterprise", "added"),
    ]
