"""watch: each save is compiled, and bad ones leave the last good rules."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.codegen.tables import stating
from tests.codegen.test_commands import Checkout

PATIENCE_SECONDS = 30


class Watch:
    """A running `watch`, heard line by line."""

    def __init__(self, checkout: Checkout) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "codegen", "watch"],
            cwd=checkout.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        self.patience.start()

    def says(self, words: str) -> None:
        """Wait until it says *words*."""
        assert self.process.stdout
        heard = []
        for line in self.process.stdout:
            heard.append(line)
            if words in line:
                return
        pytest.fail(f"it never said {words!r}, but {heard}")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit code and last words once it is sent a signal."""
        self.process.send_signal(number)
        last, _ = self.process.communicate()
        return self.process.returncode, last


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.state(stating("user ID length 64 characters"))
    return made


@pytest.fixture
def watch(checkout: Checkout) -> Iterator[Watch]:
    started = Watch(checkout)
    started.says("watching limits.md")
    yield started
    started.patience.cancel()
    if started.process.poll() is None:
        started.end(signal.SIGKILL)


def test_each_save_is_compiled(checkout: Checkout, watch: Watch) -> None:
    checkout.state(stating("user ID length 65 characters"))
    watch.says("2 files of server/rules/ changed")

    assert "length 65" in checkout.files()["users.py"]


def test_a_bad_table_leaves_the_last_good_rules(
    checkout: Checkout, watch: Watch
) -> None:
    checkout.state(stating("user ID length 66 chars"))
    watch.says("1 problem; nothing was written")

    assert "length 64" in checkout.files()["users.py"]


def test_a_table_may_be_away_for_a_moment(checkout: Checkout, watch: Watch) -> None:
    checkout.table.unlink()
    watch.says("the last good rules stay")
    draft = checkout.root / "draft"
    draft.write_text(stating("user ID length 67 characters"))
    draft.replace(checkout.table)
    watch.says("2 files of server/rules/ changed")

    assert "length 67" in checkout.files()["users.py"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_quietly_when_told_to(watch: Watch, number: signal.Signals) -> None:
    assert watch.end(number) == (0, "")
