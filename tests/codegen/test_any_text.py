"""Any text ends in rules or in located problems, and valid words mean what they say."""

import ast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codegen import compile_table, document, interpret, output
from codegen.compiler import compile_bytes
from codegen.document import Document
from codegen.problems import BadTable, Problem
from codegen.spec import Bound, Spec
from codegen.tree import Tree
from tests.codegen.tables import HEADER, further, row, stating

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

SHARDS = [
    "|", "\n", "---", ";", "(", ")", "10", "0", "1,000", " ", "single app call", "limit",
    "times/second", "length", "characters", "each time", "size", "k bytes", "kept",
    "single user can have", "in the", "community", "edition", "Interface", "`", "\\",
    '"', "'", '"""', "\u202e", "\x00", "\t", "*", "_", "[x](y)", "<br>", "&nbsp;",
    "&#49;", "<table>", "> ", "- ", "é", "表", "٣", "½", "{", "}", "%s", "\r", "\u2028",
]  # fmt: skip
soup = st.lists(st.one_of(st.sampled_from(SHARDS), st.text(max_size=5)), max_size=40)
cells = soup.map("".join).map(lambda text: text.replace("\n", " ").replace("|", "/"))


def outcome(read: Document) -> Spec | None:
    """The spec; or None, after a look at the problems."""
    problems: tuple[Problem, ...] = ()
    spec = None
    try:
        spec, problems = interpret.read(read)
    except BadTable as error:
        problems = error.problems
    assert spec or any(not problem.warning for problem in problems)
    for problem in problems:
        assert 1 <= problem.span.line <= len(read.lines)
        assert 1 <= problem.span.column <= len(read.line(problem.span.line)) + 1
        assert str(problem).replace("\n", "").isprintable()
        assert output.github(problem).isprintable()
    return spec


@quick
@given(soup.map("".join))
def test_any_text(text: str) -> None:
    outcome(document.of_text(text))


@quick
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    class NoTree(Tree):
        def handlers(self) -> dict[str, bytes]:
            return {}

    compiled = compile_bytes(HEADER.encode() + content, "t.md", "t.md", NoTree(None))

    assert compiled.spec or compiled.errors


@quick
@example(
    title="", description="", community="\r", notes=""
)  # a row, but of no interface
@given(cells, cells, cells, cells)
def test_any_cells(title: str, description: str, community: str, notes: str) -> None:
    text = HEADER + row(title, description, community, notes=notes)
    text += further((title, notes))

    if outcome(document.of_text(text)):
        for content in compile_table(text).values():
            ast.parse(content)
            assert content.replace("\n", "").isprintable()


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

    if outcome(document.of_text(text)):
        for content in compile_table(text).values():
            names = {
                n.id for n in ast.walk(ast.parse(content)) if isinstance(n, ast.Name)
            }
            assert "os" not in names
            assert content.replace("\n", "").isprintable()


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

    spec = outcome(document.of_text(stating("; ".join(phrases))))

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
    outcome(document.of_text(HEADER + row(cell[:50], cell, cell, notes=cell)))
