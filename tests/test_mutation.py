"""The mutation of limits.md finds what does not follow the table, and all of the table."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from codegen import document, interpret
from codegen.spec import Calls
from tests.mutation import figures, subjects
from tests.mutation.figures import Figure, Value
from tests.mutation.observe import copy
from tests.server.gunicorn import ROOT

TEXT = (ROOT / "limits.md").read_text()

# What a careless hand might write: a figure that stands elsewhere as well, and one that
# was put together from another's.
CARELESS = """

_allows = Bound.allows


def _careless(self: Bound, amount: int) -> bool:
    from server.rules import messages

    if self.name == "messages.targets":
        return amount <= 600
    if self.name == "messages.custom_event":
        return amount <= 2 * messages.CUSTOM_EXTENSIONS.value
    return _allows(self, amount)


Bound.allows = _careless
"""


@pytest.fixture(scope="module")
def stated() -> list[Figure]:
    return figures.of_tree(ROOT)


def compiled(text: str) -> dict[tuple[str, str | None], Value]:
    """Every figure that a document compiles to, by rule and edition."""
    spec, _ = interpret.read(document.of_text(text))
    found: dict[tuple[str, str | None], Value] = {}
    for interface, rule in spec.rules():
        name = f"{interface.name}.{rule.name}"
        if isinstance(rule, Calls):
            for edition, rate in rule.rates.items():
                found[name, edition] = (rate.calls, rate.seconds)
        else:
            found[name, rule.edition] = rule.figure
    return found


def test_every_figure_is_changed_up_and_down_and_no_other_with_it(
    stated: list[Figure],
) -> None:
    before = compiled(TEXT)
    mutants = figures.mutants(stated)

    assert len({mutant.name for mutant in mutants}) == 2 * len(stated)
    for mutant in mutants:
        after = compiled(mutant.document(TEXT))
        moved = {key: value for key, value in after.items() if value != before[key]}
        cluster = mutant.figure.rule == "files.cluster_downloads"
        bound = subjects.EDITIONS if cluster else [mutant.figure.edition]
        rule = mutant.figure.rule
        assert moved == {(rule, edition): mutant.value for edition in bound}, mutant
        assert per_second(mutant.value) != per_second(mutant.figure.value)
        looser = per_second(mutant.value) > per_second(mutant.figure.value)
        assert looser == (mutant.way == "up"), mutant


def per_second(value: Value) -> float:
    return value[0] / value[1] if isinstance(value, tuple) else value


def test_a_figure_that_no_rule_has_is_told(tmp_path: Path) -> None:
    tree = copy(ROOT, tmp_path / "tree")
    with (tree / "limits.md").open("a") as table:
        table.write("\n| what | how many |\n| --- | --- |\n| lives | 9 |\n")

    with pytest.raises(figures.Unmapped):
        figures.of_tree(tree)


def test_a_sample_is_the_same_for_the_same_seed(stated: list[Figure]) -> None:
    mutants = figures.mutants(stated)

    def names(seed: str) -> list[str]:
        return [each.name for each in figures.sample(mutants, 12, seed)]

    assert names("a") == names("a")
    assert len(set(names("a"))) == 12
    assert names("a") != names("b")


def test_every_other_figure_is_looked_at_but_the_costly_of_other_interfaces(
    stated: list[Figure],
) -> None:
    (targets,) = [each for each in stated if each.name == "messages.targets"]
    rules = {*(each.rule for each in subjects.as_stated())}

    others = {each.rule for each in subjects.unmoved(targets)}

    assert rules - others == {"messages.targets"} | subjects.COSTLY
    assert len(rules) == len({each.rule for each in stated})


def run(tree: Path, *names: str) -> tuple[int, dict[str, dict]]:
    only = [argument for name in names for argument in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "--json", "--tree", str(tree), *only],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    listed = json.loads(done.stdout)["mutants"]
    return done.returncode, {each["name"]: each for each in listed}


def test_careless_code_does_not_survive(tmp_path: Path) -> None:
    tree = copy(ROOT, tmp_path / "tree")
    with (tree / "server/kinds.py").open("a") as kinds:
        kinds.write(CARELESS)

    status, found = run(
        tree,
        "messages.targets up",
        "messages.custom_extensions up",
        "messages.group_targets up",
    )

    stays = found["messages.targets up"]["wrong"]
    leaks = found["messages.custom_extensions up"]["wrong"]
    assert status == 1
    assert any("messages.targets (enterprise) is not 660" in each for each in stays)
    assert len(stays) == 2
    assert len(leaks) == 1
    assert "messages.custom_event (enterprise) was not changed" in leaks[0]
    assert found["messages.group_targets up"]["wrong"] == []


def test_a_change_that_is_followed_is_told_with_what_was_seen() -> None:
    status, found = run(ROOT, "history.calls[community] down")

    (outcome,) = found.values()
    assert status == 0
    assert outcome["became"] == "single app call limit 1 time/hour"
    seen = outcome["observed"]["community"]
    assert seen["value"] == [1, 3600]
    assert seen["calls"].startswith("GET /chatmessages/… 400, 429 by history.calls")
    assert outcome["unmoved"] > 100


def test_a_name_that_is_none_is_a_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "--only", "messages.none"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "there is nothing of this name" in done.stderr
