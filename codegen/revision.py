"""A table as an earlier revision of git has it."""

import subprocess
from pathlib import Path

SECONDS = 30


class NoRevision(Exception):
    """Git does not have the table at that revision; the text is git's own reason."""


def read(table: Path, revision: str) -> bytes:
    """The bytes of *table* at *revision*.

    Raises:
        NoRevision: git, the revision or the file is not there.
    """
    if not revision or revision.startswith("-"):
        message = f"{revision!r} is no revision"
        raise NoRevision(message)
    wanted = f"{revision}:./{table.name}"
    try:
        answer = subprocess.run(  # noqa: S603 (no shell; the revision is no option)
            ["git", "-C", str(table.parent), "cat-file", "blob", wanted],  # noqa: S607 (git is where PATH has it)
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NoRevision(str(error)) from error
    if answer.returncode:
        reason = answer.stderr.decode("utf-8", "replace").strip()
        raise NoRevision(reason or f"git has no {wanted}")
    return answer.stdout
