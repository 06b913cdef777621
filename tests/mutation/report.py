"""What is printed of mutants: a line each as they are done, a count, or JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tests.mutation.observe import Outcome


def progress() -> Progress:
    """A bar on stderr, so that stdout is the listing alone."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def lines(outcome: Outcome) -> str:
    """What was changed, and what was seen of it."""
    mark = "survived" if outcome.wrong else "moved"
    said = [
        f"{mark}  {outcome.name}: {outcome.was} -> {outcome.became}"
        f"  ({outcome.place}, {outcome.seconds:.1f} s)"
    ]
    said += [
        f"    {edition}: {seen.value} ({seen.by}) {seen.calls}"
        for edition, seen in outcome.observed.items()
    ]
    said.append(f"    {outcome.unmoved} other figures bind where they did")
    said += [f"    WRONG: {wrong}" for wrong in outcome.wrong]
    return "\n".join(said)


def total(outcomes: Sequence[Outcome], seconds: float) -> str:
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    figures = len({outcome.place for outcome in outcomes})
    return (
        f"{len(outcomes)} changes of {figures} figures: {len(outcomes) - wrong} moved"
        f" what they should and nothing else, {wrong} did not; {seconds:.0f} s"
    )


def as_json(outcomes: Sequence[Outcome], seconds: float) -> str:
    listed = [asdict(outcome) for outcome in outcomes]
    return json.dumps({"seconds": round(seconds, 1), "mutants": listed}, indent=2)
