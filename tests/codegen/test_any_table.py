"""Any right table, however worded and laid out, compiles to what it says, and runs so."""

import re

import pytest
from hypothesis import HealthCheck, given, settings

from codegen import changes, compile_table, document, interpret, readback
from codegen.problems import BadTable
from codegen.spec import Bound, Spec
from tests.codegen import any_phrase, running
from tests.codegen.any_table import Expected, tables

quick = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def said_by(spec: Spec) -> Expected:
    """What a spec says, as a strategy would have put it together."""
    found = Expected(list(spec.editions))
    for interface, rule in spec.rules():
        if isinstance(rule, Bound):
            kind = rule.kind.word
            place = (interface.name, rule.name, rule.edition)
            found.others[place] = (kind, rule.figure)
        elif rule.scope == "app":
            for edition, rate in rule.rates.items():
                found.rates[interface.name, edition] = (rate.calls, rate.unit)
        else:
            (value,) = {(rate.calls, rate.unit) for rate in rule.rates.values()}
            wanted = [rule.edition] if rule.edition else list(spec.editions)
            assert list(rule.rates) == wanted
            place = (interface.name, rule.name, rule.edition)
            found.others[place] = ("cluster", value)
    return found


@quick
@given(tables())
def test_a_right_table_says_what_it_was_made_of(made: tuple[str, Expected]) -> None:
    text, expected = made

    spec, problems = interpret.read(document.of_bytes(text.encode(), "limits.md"))

    assert said_by(spec) == expected
    assert list(dict.fromkeys(name for name, _ in expected.rates)) == [
        each.name for each in spec.interfaces
    ]
    assert all(problem.warning for problem in problems)


@quick
@given(any_phrase.strays.flatmap(tables))
def test_a_right_table_with_a_figure_that_no_form_reads_is_refused(
    made: tuple[str, Expected],
) -> None:
    with pytest.raises(BadTable):
        interpret.read(document.of_text(made[0]))


@quick
@given(tables())
def test_what_is_stated_stands_where_it_says(made: tuple[str, Expected]) -> None:
    read = document.of_text(made[0])

    for _, rule in interpret.read(read)[0].rules():
        for stated in running.stated(rule):
            line = read.line(stated.line)
            source = line[stated.column - 1 : stated.column - 1 + stated.length]
            # Letters and figures alone: marks are not part of the words.
            assert letters(stated.words) in letters(source)


def letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", re.sub("&#?[a-z0-9]+;|</?b>|<br>", "", text)))


@quick
@given(tables())
def test_the_generated_code_runs_to_the_same(made: tuple[str, Expected]) -> None:
    text, _ = made
    spec, _ = interpret.read(document.of_text(text))

    files = compile_table(text)

    assert running.package(files) == running.expected(spec)
    read = readback.read({path: each.encode() for path, each in files.items()})
    assert changes.between(read, spec) == []
