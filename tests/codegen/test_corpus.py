"""What the fuzzer found or reached the most code with, tried again; see tests/fuzz."""

from pathlib import Path

import pytest

from tests.codegen.holding import holds_of_bytes

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_was_found_holds(path: Path) -> None:
    holds_of_bytes(path.read_bytes())
