"""The platform's own table, blemishes and all, and ours beside it."""

from pathlib import Path

import pytest

from codegen import document, interpret
from codegen.problems import Problem
from codegen.spec import Bound, Calls, Spec

HERE = Path(__file__).parent
PLATFORM = HERE / "data" / "platform-limits.md"
OURS = HERE.parent.parent / "limits.md"

TEN = {"community": (10, 1), "enterprise": (30, 1)}
RULES = {
    "users.calls": TEN,
    "users.user_id": 64,
    "users.bulk_registration": 60,
    "friends.calls": TEN,
    "friends.user_id": 64,
    "blacklist.calls": TEN,
    "blocking.calls": TEN,
    "offline.calls": TEN,
    "history.calls": {"community": (1, 60), "enterprise": (1, 60)},
    "files.calls": TEN,
    "files.download_bandwidth": 500 * 1024,
    "files.cluster_downloads": {"community": (300, 1), "enterprise": (300, 1)},
    "messages.calls": TEN,
    "messages.daily_system_push_messages": 20_000,
    "messages.message_and_extension": 4096,
    "groups.calls": TEN,
    "groups.joined_groups": 500,
    "chatrooms.calls": TEN,
    "chatrooms.joined_chat_rooms": 500,
}


def read(path: Path) -> tuple[Spec, tuple[Problem, ...]]:
    return interpret.read(document.of_bytes(path.read_bytes(), path.name))


def figures(spec: Spec) -> dict[str, object]:
    found: dict[str, object] = {}
    for interface, rule in spec.rules():
        name = f"{interface.name}.{rule.name}"
        if isinstance(rule, Calls):
            found[name] = {e: (r.calls, r.seconds) for e, r in rule.rates.items()}
        elif name in found:  # another edition's own figure
            found[name] = [found[name], rule.figure]
        else:
            found[name] = rule.figure
    return found


def test_the_platforms_table_states_nineteen_rules() -> None:
    spec, _ = read(PLATFORM)

    assert figures(spec) == RULES
    assert len(RULES) == 19


def test_its_stray_lines_are_named() -> None:
    _, warnings = read(PLATFORM)

    assert [(one.span.line, one.warning) for one in warnings] == [
        (13, True),
        (14, True),
    ]


def test_the_quota_binds_the_community_edition_alone() -> None:
    spec, _ = read(PLATFORM)

    bound = {
        rule.name: rule.edition for _, rule in spec.rules() if isinstance(rule, Bound)
    }
    assert bound.pop("daily_system_push_messages") == "community"
    assert set(bound.values()) == {None}


def test_our_first_table_states_the_same() -> None:
    ours, warnings = read(OURS)

    stated = figures(ours)
    assert not warnings
    assert {name: stated[name] for name in RULES} == RULES
    first = [name for name in stated if _line(ours, name) <= _last_row(ours)]
    assert set(first) == set(RULES)


def _line(spec: Spec, name: str) -> int:
    return next(
        rule.stated.line
        for interface, rule in spec.rules()
        if f"{interface.name}.{rule.name}" == name
    )


def _last_row(spec: Spec) -> int:
    return max(interface.line for interface in spec.interfaces)


@pytest.mark.parametrize("path", [PLATFORM, OURS], ids=["platform", "ours"])
def test_every_phrase_stands_where_its_place_says(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")

    for _, rule in read(path)[0].rules():
        rates = rule.rates.values() if isinstance(rule, Calls) else [rule]
        for stated in (each.stated for each in rates):
            rest = lines[stated.line - 1][stated.column - 1 :]
            assert rest.startswith(stated.words)
