"""``flask`` commands of this tree, each in a process of its own that is soon there.

What a command imports takes two thirds of a second, and tests run hundreds of them. So
they are forked from a process that has it imported: the same code, with settings, files
and database of its own.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask.cli import main

ROOT = Path(__file__).parent.parent.parent

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        "server.app",
        "server.commands",
        "server.limit_commands",
        "server.operator_commands",
        "tests.server.flask_command",
    ]
)


def printed(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the command prints.

    Raises:
        CalledProcessError: it ended with another code than 0.
    """
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        process = _processes.Process(
            target=_run, args=(list(arguments), dict(environment), str(out), str(err))
        )
        process.start()
        process.join()
        if process.exitcode:
            raise subprocess.CalledProcessError(
                process.exitcode,
                ["flask", *arguments],
                out.read_text(),
                err.read_text(),
            )
        return out.read_text()


def _run(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    for stream, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv = ["flask", "--app", "wsgi", *arguments]
    main()
