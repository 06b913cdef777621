"""No regular expression, and no document, takes longer than it is long."""

import re
import subprocess
import sys

import pytest

from server.store.history_records import _number
from tests.patterns import found
from tests.patterns.__main__ import ALL, grow
from tests.patterns.found import Found
from tests.patterns.hostile import Kind, kinds
from tests.server.gunicorn import ROOT

# Not how fast anything is: only that it ends. What is linear needs a hundredth.
HANG_SECONDS = 1200


@pytest.mark.parametrize("module", ["tests.patterns", "tests.patterns.compiler"])
def test_what_takes_a_megabyte_takes_time_in_proportion(module: str) -> None:
    tried = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert tried.returncode == 0, tried.stderr


def test_the_patterns_are_found() -> None:
    """A few, each written in another way."""
    tried = {(each.where.partition(":")[0], each.method) for each in found.every()}

    assert ("codegen/inline.py", "finditer") in tried  # with flags
    assert ("codegen/headings.py", "sub") in tried  # where it is used
    assert ("codegen/figures.py", "fullmatch") in tried  # imported
    assert ("server/store/tokens.py", "fullmatch") in tried
    assert len(tried) > 25


# The second takes time without end, so it is only tried with few characters.
@pytest.mark.parametrize(
    ("bad", "piece", "most"),
    [
        (r"[0-9]+\.?[0-9]*", "1", ALL),
        (r"(?:a+b?)+", "a", 24),
        (r"\s*x?\s*!", " ", ALL),
    ],
)
def test_a_pattern_that_is_not_linear_is_found(bad: str, piece: str, most: int) -> None:
    one = Found("here", re.compile(bad), "fullmatch")
    assert Kind("", piece, "\x00") in kinds(one.words)

    with pytest.raises(SystemExit, match="characters of Kind"):
        grow(one, Kind("", piece, "\x00"), most, few=most // 8)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("12", 12.0), ("-1.5", -1.5), ("+.5", 0.5), ("1.", 1.0), (" 1e3 ", 1000.0),
        (".", "."), ("1.2.3", "1.2.3"), ("1e", "1e"), ("e5", "e5"), ("9e999", "9e999"),
    ],
)  # fmt: skip
def test_degrees_are_numbers_as_before(said: str, number: object) -> None:
    assert _number(said) == number
