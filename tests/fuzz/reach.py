"""Which inputs are enough to reach all the code that many of them reach."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

Step = tuple[str, int, int]
"""From one line of a file to the next that ran."""


def beyond(
    known: Iterable[bytes],
    contents: Iterable[bytes],
    run: Callable[[bytes], None],
    folder: Path,
) -> list[bytes]:
    """Short ones first, each that takes a step in *folder* that none before it took."""
    reached = {step for each in known for step in _steps(each, run, folder)}
    kept = []
    for content in sorted(set(contents), key=lambda each: (len(each), each)):
        steps = _steps(content, run, folder)
        if not steps <= reached:
            reached |= steps
            kept.append(content)
    return kept


def _steps(content: bytes, run: Callable[[bytes], None], folder: Path) -> set[Step]:
    steps: set[Step] = set()
    inside = f"{folder}/"
    last: dict[int, int] = {}

    def look(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(inside):
            return None
        if event == "call":
            last.pop(id(frame), None)  # of a frame that is gone
        elif event == "line":
            at = (frame.f_code.co_filename, last.get(id(frame), 0), frame.f_lineno)
            steps.add(at)
            last[id(frame)] = frame.f_lineno
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        run(content)
    finally:
        sys.settrace(before)
    return steps
