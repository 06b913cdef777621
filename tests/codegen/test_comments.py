"""Comments on edits: a folder for each, named for what the edit does.

A case is before.md, after.md, and comment.md, which is what the pull request is told.
To accept new words: WEIR_ACCEPT=1 pytest this file, and read the diff.
"""

import os
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from codegen import changes, document, effects, interpret, markdown
from codegen.changes import Changed
from codegen.effects import Effect
from codegen.problems import Problem, Span
from codegen.spec import Spec, Stated
from tests.codegen.tables import stating

CASES = sorted(path for path in (Path(__file__).parent / "comments").iterdir())


def spec(case: Path, name: str) -> Spec:
    text = (case / f"{name}.md").read_text(encoding="utf-8")
    return interpret.read(document.of_text(text))[0]


def comment(case: Path) -> str:
    old, new = spec(case, "before"), spec(case, "after")
    found = effects.of(changes.between(old, new), old, new)
    return markdown.comment(found, old, new, against="main") + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_edit_is_told(case: Path) -> None:
    if os.environ.get("WEIR_ACCEPT"):
        (case / "comment.md").write_text(comment(case), encoding="utf-8")

    assert comment(case) == (case / "comment.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_row_has_every_cell(case: Path) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(comment(case))

    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in ("th_open", "td_open") for token in tokens)
    assert cells == 5 * rows


HOSTILE = "<b>`|`` ![x](http://a) @ada \x1b[2J"


def test_words_of_the_table_are_only_words() -> None:
    """Whoever edits the table writes into the comment; nothing of it comes alive."""
    old = interpret.read(document.of_text(stating("nick name length 5 characters")))[0]
    found = Changed("users.nick_name", None, "tighter", None, Stated(HOSTILE, 3))

    told = markdown.comment([Effect(found, True, False)], old, old, against=HOSTILE)

    html = MarkdownIt("gfm-like", {"linkify": False}).render(told)
    shown = "&lt;b&gt;`|`` ![x](http://a) @ada \N{REPLACEMENT CHARACTER}[2J"
    assert html.count(f"<code>{shown}</code>") == 2
    assert "<b>" not in html
    assert "<img" not in html
    assert "\x1b" not in html


def test_a_very_long_diff_is_cut() -> None:
    old = interpret.read(document.of_text(stating("nick name length 5 characters")))[0]
    change = Changed("users.nick_name", None, "tighter", Stated("5", 3), Stated("4", 3))

    told = markdown.comment([Effect(change, True, False)] * 500, old, old, against="x")

    assert "**500 tighter** (breaking)" in told
    assert told.count("`users.nick_name`") == 200
    assert told.endswith("And 300 more.")


def test_problems_stay_within_their_fence() -> None:
    problem = Problem("limits.md", Span(3, 1), "heading", "```", ("hint",))

    told = markdown.refusal([problem] * 60, "limits.md")

    tokens = MarkdownIt().parse(told)
    assert [token.type for token in tokens][-1] == "fence"
    assert tokens[-1].content.endswith("and 10 more\n")
