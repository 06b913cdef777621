"""``python -m tests.fuzz.codegen --minutes 10``: the compiler against any bytes.

What has to hold is in ``tests/codegen/holding.py``. What is found goes to
``tests/codegen/corpus``, where the tests try it at every run; so do, with ``--keep``,
the fewest inputs that reach all the code that was reached.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from tests.codegen.holding import SHARDS, holds_of_bytes
from tests.fuzz import reach

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = ROOT / "tests/codegen"
CORPUS = CASES / "corpus"
TARGET = HERE / "codegen_target.py"
COMPILER = ROOT / "codegen"
LONGEST = 2048
SLOW_SECONDS = 10


@click.command()
@click.option("--minutes", type=float, default=10, show_default=True)
@click.option("--keep", is_flag=True, help="Add what reaches more code to the corpus.")
def main(minutes: float, keep: bool) -> None:
    """Try the compiler with what reaches ever more of its code."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        place = Path(scratch)
        seeds, found = place / "seeds", place / "found"
        found.mkdir()
        _fill(seeds, _known())
        (place / "words").write_text(_dictionary(SHARDS))
        status = _run(
            seeds, f"-dict={place / 'words'}", f"-artifact_prefix={found}/",
            f"-max_total_time={int(minutes * 60)}", f"-max_len={LONGEST}",
            f"-timeout={SLOW_SECONDS}", "-print_final_stats=1",
        )  # fmt: skip
        failing = [path.read_bytes() for path in found.iterdir()]
        if keep and not failing:
            tried = [path.read_bytes() for path in seeds.iterdir()]
            _fill(CORPUS, reach.beyond(_known(), tried, holds_of_bytes, COMPILER))
        _fill(CORPUS, failing)
    for content in failing:
        click.echo(f"found: {CORPUS.relative_to(ROOT) / _name(content)}")
    sys.exit(1 if failing else status)


def _run(folder: Path, *options: str) -> int:
    command = [sys.executable, str(TARGET), *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _known() -> Iterator[bytes]:
    """Every table that the tests have, and what was found before."""
    for path in (ROOT / "limits.md", *CASES.glob("data/*.md"), *CORPUS.glob("*")):
        yield path.read_bytes()
    for path in CASES.glob("cases/*/table.*"):
        yield path.read_bytes()


def _fill(folder: Path, contents: Iterable[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for content in contents:
        (folder / _name(content)).write_bytes(content)


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _dictionary(words: Iterable[str]) -> str:
    """Pieces that are worth trying, as libFuzzer reads them."""
    escaped = (
        "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "replace"))
        for word in words
    )
    return "".join(f'"{word}"\n' for word in escaped)


if __name__ == "__main__":
    main()
