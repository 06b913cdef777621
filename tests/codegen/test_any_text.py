"""Any text ends in rules or in located problems, and valid words mean what they say."""

import ast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codegen import compile_table, document
from codegen.spec import Bound
from tests.codegen.any_table import tables
from tests.codegen.holding import SHARDS, holds, holds_of_bytes
from tests.codegen.tables import HEADER, further, row, stating

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

soup = st.lists(st.one_of(st.sampled_from(SHARDS), st.text(max_size=5)), max_size=40)
cells = soup.map("".join).map(lambda text: text.replace("\n", " ").replace("|", "/"))


@quick
@given(soup.map("".join))
def test_any_text(text: str) -> None:
    holds(document.of_text(text))


@quick
@given(st.binary(max_size=200), st.sampled_from([b"", HEADER.encode()]))
def test_any_bytes(content: bytes, before: bytes) -> None:
    holds_of_bytes(before + content)


@quick
@example(
    title="", description="", community="\r", notes=""
)  # a row, but of no interface
@given(cells, cells, cells, cells)
def test_any_cells(title: str, description: str, community: str, notes: str) -> None:
    text = HEADER + row(title, description, community, notes=notes)
    text += further((title, notes))

    holds(document.of_text(text))


@quick
@given(tables(), st.data())
def test_any_damage_to_a_right_table(
    made: tuple[str, object], data: st.DataObject
) -> None:
    """Cut, doubled, swapped or with something put in: it is told, or nothing is lost."""
    text = made[0]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        to = min(len(text), at + data.draw(st.integers(0, 12)))
        put = data.draw(st.one_of(st.sampled_from(SHARDS), st.just(text[at:to] * 2)))
        text = text[:at] + put + text[to:]

    holds(document.of_text(text))


ATTACKS = [
    '"',
    "'",
    '"""',
    "\\",
    "\n",
    "\r",
    "\u202e",
    "\x00",
    "#",
    "${",
    "{0}",
    "\u2029",
]
words = st.lists(st.sampled_from([*ATTACKS, "user", "ID", "import os"]), max_size=6)


@quick
@given(words.map(" ".join), st.integers(1, 99))
def test_no_cell_breaks_out_of_its_string(subject: str, figure: int) -> None:
    text = stating(f"{subject} name length {figure} characters")

    if holds(document.of_text(text)):
        for content in compile_table(text).values():
            names = {
                n.id for n in ast.walk(ast.parse(content)) if isinstance(n, ast.Name)
            }
            assert "os" not in names


figures = st.integers(1, 2**30)
digits = figures.map(lambda n: (n, str(n))) | figures.map(lambda n: (n, f"{n:,}"))
most = st.sampled_from(["", "maximum ", "max ", "up to ", "is ", "is limited to "])
bounds = st.sampled_from(
    [
        ("user_name", "user name length {} characters", 1),
        ("user_name", 'the "user name" length {} character', 1),
        ("uploads", "uploads {} files each time", 1),
        ("body", "body size {}k bytes", 1024),
        ("body", "body size {} M", 1024**2),
        ("contacts_per_user", "single user can have {} contacts", 1),
        ("joined_groups", "single user can join {} groups", 1),
        ("links", "links kept {} hours", 3600),
        ("daily_pushes", 'limit of "daily pushes" {} messages', 1),
        ("download_bandwidth", "single connection download {} kb/s", 1024),
    ]
)
cases = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])
endings = st.sampled_from(
    [("", None), (" in the Community edition", "community"),
     (" in enterprise version", "enterprise")]
)  # fmt: skip


@quick
@given(
    st.lists(
        st.tuples(bounds, digits, most, cases, endings),
        min_size=1,
        max_size=6,
        unique_by=lambda drawn: drawn[0][0],
    )
)
def test_valid_phrases_in_any_order_mean_what_they_say(drawn: list) -> None:
    phrases, expected = [], {}
    for (name, template, unit), (figure, written), filler, case, (
        ending,
        edition,
    ) in drawn:
        phrases.append(case(template.format(filler + written)) + ending)
        expected[name] = (figure * unit, edition)

    spec = holds(document.of_text(stating("; ".join(phrases))))

    assert spec
    found = {
        rule.name: (rule.figure, rule.edition)
        for _, rule in spec.rules()
        if isinstance(rule, Bound)
    }
    assert found == expected


@pytest.mark.parametrize(
    "cell",
    [
        "a" * 1_000_000,
        "1" * 1_000_000,
        "1;" * 100_000,
        ";" * 100_000,
        "_a" * 100_000,
        "](" * 50_000,
        "&#" * 100_000,
        "1," * 300_000,
        " " * 1_000_000 + "1",
        "single app call " * 50_000 + "1",
        "in the edition " * 30 + "5",
    ],
    ids=lambda cell: repr(cell[:12]),
)
def test_a_hostile_cell_costs_no_more_than_its_length(cell: str) -> None:
    holds(document.of_text(HEADER + row(cell[:50], cell, cell, notes=cell)))
