"""The state dir, before anything is served from it."""

import os
import tempfile
from pathlib import Path

_LITTLE = bytes(4096)


def prepare(path: Path, pidfile: Path) -> None:
    """Make it, and see that it takes something.

    Not at a reload, which *pidfile* tells: whoever serves already goes on, with a disk
    that is full for the moment too.

    Raises:
        OSError: it cannot be used.
    """
    if _is_ours(pidfile):
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path) as file:
        file.write(_LITTLE)


def _is_ours(pidfile: Path) -> bool:
    try:
        return pidfile.read_text().strip() == str(os.getpid())
    except OSError:
        return False
