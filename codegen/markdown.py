"""A diff as a comment on a pull request: GitHub's Markdown, with nothing live in it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from codegen import effects
from codegen.display import counted, safe
from codegen.effects import Effect
from codegen.problems import Problem
from codegen.spec import Spec, Stated

MOST_ROWS = 200  # a comment may have 65,536 characters
MOST_PROBLEMS = 50
COLUMNS = "| Interface | For callers | Rule | Before | After |\n|---|---|---|---|---|"


def comment(found: Sequence[Effect], old: Spec, new: Spec, *, against: str) -> str:
    """What an edit does to callers: totals, then a table for each edition."""
    lines = [f"### What this edit of {_code(new.source)} changes for callers", ""]
    if not found:
        lines.append(f"Nothing changes for callers, compared with {_code(against)}.")
        return "\n".join(lines)
    lines += [f"{_totals(found)}, compared with {_code(against)}.", ""]
    shown = found[:MOST_ROWS]
    for edition, heading in _editions(old, new):
        rows = [each for each in shown if each.changed.edition == edition]
        if rows:
            lines += [f"#### {_plain(heading)}", "", COLUMNS]
            lines += [_row(each, old, new) for each in rows]
            lines.append("")
    if len(found) > len(shown):
        lines.append(f"And {len(found) - len(shown):,} more.")
    return "\n".join(lines).rstrip("\n")


def refusal(problems: Iterable[Problem], source: str) -> str:
    """The comment on a table that does not compile, in the compiler's own words."""
    listed = [problem for problem in problems if not problem.warning]
    words = "\n\n".join(str(problem) for problem in listed[:MOST_PROBLEMS])
    if len(listed) > MOST_PROBLEMS:
        words += f"\n\nand {len(listed) - MOST_PROBLEMS:,} more"
    fence = "`" * max(3, _longest_run(words) + 1)
    title = f"### {_code(source)} does not compile: {counted(len(listed), 'problem')}"
    return f"{title}\n\n{fence}text\n{words}\n{fence}"


def _totals(found: Sequence[Effect]) -> str:
    """As ``**2 tighter** (breaking), 1 looser``; what there is none of is left out."""
    count = effects.totals(found)
    words = {"tighter": "**{} tighter** (breaking)", "looser": "{} looser"}
    return ", ".join(
        words.get(word, f"{{}} {word}").format(number)
        for word, number in count.items()
        if number
    )


def _editions(old: Spec, new: Spec) -> Iterator[tuple[str | None, str]]:
    yield None, "Every edition"
    yield from {**new.editions, **old.editions}.items()


def _row(effect: Effect, old: Spec, new: Spec) -> str:
    changed = effect.changed
    name = changed.rule.partition(".")[0]
    titles = {each.name: each.title for each in (*old.interfaces, *new.interfaces)}
    word = f"**{effect.word}**" if effect.tighter else effect.word
    before, after = _words(changed.old), _words(changed.new)
    cells = (_plain(titles[name]), word, _code(changed.rule), before, after)
    return f"| {' | '.join(cells)} |"


def _words(stated: Stated | None) -> str:
    if stated is None:
        return "—"
    # Within a table a pipe ends the cell, even in code.
    words = _code(stated.words).replace("|", "\\|")
    return f"{words} (line {stated.line})"


def _code(text: str) -> str:
    """*text* as code, so that no mention, link or tag in it comes alive."""
    shown = safe(text)
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _plain(text: str) -> str:
    """*text* as words of their own, with no Markdown in them and nobody mentioned."""
    escaped = re.sub(r"([\\`*_{}\[\]<>()#+!|~&:.-])", r"\\\1", safe(text))
    return escaped.replace("@", "@\N{ZERO WIDTH NON-JOINER}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
