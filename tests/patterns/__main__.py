"""Time every pattern on hostile input of growing length; the first that is not linear ends it."""

import sys
import time

from tests.patterns import found, hostile
from tests.patterns.found import Found
from tests.patterns.hostile import Kind

STEP = 8
FEW, ALL = 2**11, 2**14
LONGEST = 2**20
SLACK = STEP * STEP // 2
"""Between a step's square, which must not be, and itself, which caches may spoil."""
LEAST_SECONDS = 0.004


def main() -> None:
    for one in found.every():
        # Told before it is tried: who waits for ever learns for what.
        print(f"{one.where} {one.method}", flush=True)
        tried = hostile.kinds(one.words)
        for kind in tried:
            grow(one, kind, ALL)
        for kind in tried:
            if kind.plain:
                grow(one, kind, LONGEST)


def grow(one: Found, kind: Kind, most: int, few: int = FEW) -> None:
    """Try texts of *few* to *most* characters, each eight times as long as the last."""
    size, before = few, LEAST_SECONDS
    while size <= most:
        text = kind.text(size)
        took = max(LEAST_SECONDS, _seconds(one, text))
        if took > before * SLACK:  # once more, or twice: it may have been a bad moment
            took = min(took, _seconds(one, text), _seconds(one, text))
        if took > before * SLACK:
            sys.exit(
                f"{one.where}: {one.words!r} takes {took:.3f} s for {size}"
                f" characters of {kind}, and {before:.3f} s for {size // STEP}"
            )
        size, before = size * STEP, took


def _seconds(one: Found, text: str) -> float:
    """Of this process alone: other work of the machine does not count."""
    began = time.process_time()
    one.apply(text)
    return time.process_time() - began


if __name__ == "__main__":
    main()
