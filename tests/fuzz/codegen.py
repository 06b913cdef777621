"""``python -m tests.fuzz.codegen --minutes 10``: the compiler against any bytes.

What has to hold is in ``tests/codegen/holding.py``. What is found goes to
``tests/codegen/corpus``, where the tests try it at every run; so do, with ``--keep``,
the fewest inputs that reach all the code that was reached.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from tests.codegen.holding import SHARDS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = ROOT / "tests/codegen"
CORPUS = CASES / "corpus"
TARGET = HERE / "codegen_target.py"
LONGEST = 4096
SLOW_SECONDS = 10


@click.command()
@click.option("--minutes", type=float, default=10, show_default=True)
@click.option("--keep", is_flag=True, help="Add what reaches more code to the corpus.")
def main(minutes: float, keep: bool) -> None:
    """Try the compiler with what reaches ever more of its code."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        place = Path(scratch)
        seeds, found = place / "seeds", place / "found"
        for folder in (seeds, found):
            folder.mkdir()
        _fill(seeds, _known())
        (place / "words").write_text(_dictionary(SHARDS))
        status = _run(
            seeds, f"-dict={place / 'words'}", f"-artifact_prefix={found}/",
            f"-max_total_time={int(minutes * 60)}", f"-max_len={LONGEST}",
            f"-timeout={SLOW_SECONDS}", "-print_final_stats=1",
        )  # fmt: skip
        kept = _keep(found.iterdir())
        if keep:
            smallest = place / "smallest"
            smallest.mkdir()
            _run(smallest, str(CORPUS), str(seeds), "-merge=1", f"-max_len={LONGEST}")
            _keep(smallest.iterdir())
    for path in kept:
        click.echo(f"found: {path.relative_to(ROOT)}")
    sys.exit(1 if kept else status)


def _run(folder: Path, *options: str) -> int:
    command = [sys.executable, str(TARGET), *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _known() -> Iterator[bytes]:
    """Every table that the tests have, and what was found before."""
    for path in (ROOT / "limits.md", *CASES.glob("data/*.md"), *CORPUS.iterdir()):
        yield path.read_bytes()
    for path in CASES.glob("cases/*/table.*"):
        yield path.read_bytes()


def _fill(folder: Path, contents: Iterable[bytes]) -> None:
    for content in contents:
        (folder / _name(content)).write_bytes(content)


def _keep(found: Iterable[Path]) -> list[Path]:
    CORPUS.mkdir(exist_ok=True)
    return [
        Path(shutil.copy(path, CORPUS / _name(path.read_bytes())))
        for path in sorted(found)
    ]


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
