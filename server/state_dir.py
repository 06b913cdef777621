"""The state dir: the owner's alone, and seen to before anything is served from it."""

import os
import stat
import tempfile
from pathlib import Path

_LITTLE = bytes(4096)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make(path: Path) -> None:
    """See that it is there, and closed to everyone else, whatever the umask.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    # What is not ours is not ours to close; nor is a place for everyone, as /tmp is.
    is_ours = found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
    if is_ours and found.st_mode & _OTHERS:
        path.chmod(0o700)


def prepare(path: Path, pidfile: Path) -> None:
    """Make it, and see that it takes something.

    Not at a reload, which *pidfile* tells: whoever serves already goes on, with a disk
    that is full for the moment too.

    Raises:
        OSError: it cannot be used.
    """
    if _is_ours(pidfile):
        return
    make(path)
    with tempfile.TemporaryFile(dir=path) as file:
        file.write(_LITTLE)


def _is_ours(pidfile: Path) -> bool:
    try:
        return pidfile.read_text().strip() == str(os.getpid())
    except OSError:
        return False
