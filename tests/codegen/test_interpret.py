"""Rows to interfaces: headings in any order, titles in any dress."""

import pytest

from codegen import document, interpret
from codegen.problems import BadTable, Problem
from codegen.spec import Bound, Calls, Spec
from tests.codegen.tables import COMMUNITY, HEADER, further, row, stating


def read(text: str) -> tuple[Spec, tuple[Problem, ...]]:
    return interpret.read(document.of_text(text))


def spec(text: str) -> Spec:
    return read(text)[0]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Chat user-related", "users"),
        ("Users", "users"),
        ("Chat friend relationship", "friends"),
        ("Friends", "friends"),
        ("Chat blacklist", "blacklist"),
        ("Blacklist", "blacklist"),
        ("User account blocking", "blocking"),
        ("Account blocking", "blocking"),
        ("Offline messages", "offline"),
        ("Download chat history", "history"),
        ("Chat history download", "history"),
        ("**Upload** and [download](x)", "files"),
        ("SENDING  messages", "messages"),
        ("Group related information", "groups"),
        ("Groups", "groups"),
        ("Chat room related information", "chatrooms"),
        ("Chat rooms", "chatrooms"),
        ("Presence", "presence"),
        ("Push & e-mail / SMS 2", "push_e_mail_sms_2"),
    ],
)
def test_a_title_names_its_interface(title: str, name: str) -> None:
    (interface,) = spec(HEADER + row(title)).interfaces

    assert interface.name == name


def test_columns_may_stand_in_any_order_and_case() -> None:
    text = (
        "| ENTERPRISE EDITION | gold edition supplementary notes | Gold Edition |"
        " description | INTERFACE | Supplementary Notes | |\n"
        "|---|---|---|---|---|---|---|\n"
        "| single app call 3 times/s | a size 5k | single app call 2 times/h | words |"
        " Users | b thing length 5 characters | |\n"
    ).replace("a size", "one size")

    found = spec(text)

    assert found.editions == {
        "enterprise": "ENTERPRISE EDITION",
        "gold": "Gold Edition",
    }
    (users,) = found.interfaces
    calls = users.rules[0]
    assert isinstance(calls, Calls)
    assert {e: (r.calls, r.unit) for e, r in calls.rates.items()} == {
        "enterprise": (3, "second"),
        "gold": (2, "hour"),
    }
    assert [rule.name for rule in users.rules] == ["calls", "one", "b_thing"]


def test_further_limits_may_stand_first_and_twice() -> None:
    text = (
        further(("Users", "nick name length 5 characters"))
        + "\n"
        + HEADER
        + row()
        + further(("Chat user-related", "list 5 users each time"))
    )

    (users,) = spec(text).interfaces

    assert [rule.name for rule in users.rules] == ["calls", "nick_name", "list"]


def test_what_spills_before_a_rate_binds_every_edition() -> None:
    text = HEADER + row(community=f"join (rooms kept 2 days); leave {COMMUNITY}")

    (users,) = spec(text).interfaces

    kept = users.rules[1]
    assert isinstance(kept, Bound)
    assert (kept.name, kept.figure, kept.edition) == ("rooms", 172_800, None)


def test_a_general_figure_may_stand_beside_one_of_an_edition() -> None:
    text = stating(
        "single user can have 9 contacts;"
        " single user can have 5 contacts in the Community edition"
    )

    (users,) = spec(text).interfaces

    assert [
        (rule.name, rule.edition, rule.figure)
        for rule in users.rules
        if isinstance(rule, Bound)
    ] == [("contacts_per_user", None, 9), ("contacts_per_user", "community", 5)]


def test_other_tables_are_left_alone() -> None:
    text = "Version | Date\n---|---\n1 | 2021\n\n" + HEADER + row()
    text += "\nInterface | Owner\n---|---\nUsers | 5 people\n"

    assert len(list(spec(text).rules())) == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEADER + row() + "Edit me\n", 4, "a row of a single cell is skipped"),
        (HEADER + row() + "| Last changed in 2021 | | | | |\n", 4, "single cell"),
        (HEADER + row() + further(("Users", "")), 7, "single cell"),
        (HEADER + row("Usrs"), 3, "an interface of its own, usrs"),
        (
            stating("") + "\nInterface | More\n---|---\nUsers | body size 5k\n",
            7,
            "this limits nobody",
        ),
        (stating("bulk registration sixty IDs each time"), 3, "a figure in words"),
        (stating("single user can have one device"), 3, "a figure in words"),
    ],
)
def test_what_is_odd_is_a_warning(text: str, line: int, words: str) -> None:
    _, (warning,) = read(text)

    assert warning.warning
    assert warning.span.line == line
    assert words in warning.heading


def test_empty_rows_say_nothing() -> None:
    assert read(HEADER + "| | | | | |\n" + row())[1] == ()


def test_all_problems_are_told_at_once_and_in_order() -> None:
    text = HEADER + row("Users", "5", "6", "7", "8") + row("Friends", "9")

    with pytest.raises(BadTable) as caught:
        read(text)

    places = [(one.span.line, one.span.column) for one in caught.value.problems]
    assert len(places) == 5
    assert places == sorted(places)


def test_there_is_an_end_to_problems() -> None:
    with pytest.raises(BadTable) as caught:
        read(HEADER + "".join(row(f"Row {n}", "5") for n in range(2000)))

    assert len(caught.value.problems) == 1000
