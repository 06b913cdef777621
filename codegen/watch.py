"""watch: compile at each save, and keep the last good rules when the table is wrong."""

import signal
import threading
from pathlib import Path

from watchfiles import Change, watch

from codegen import commands, output
from codegen.job import Job
from codegen.output import FINE

QUIET_MS = 50  # after the last of a burst of changes
LOOK_MS = 1000  # where the system tells of no change, as on some network drives


def run(job: Job) -> int:
    """Compile now and at each save, until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def of_table(_: Change, path: str) -> bool:
        return Path(path).name == job.table.name

    last = _compile(job, b"")
    output.note(f"watching {job.shown}; Ctrl-C ends it")
    # The folder, not the file: editors save by putting a new file in its place.
    for _ in watch(
        job.table.resolve().parent,
        watch_filter=of_table,
        stop_event=stop,
        step=QUIET_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        recursive=False,
        raise_interrupt=False,
    ):
        last = _compile(job, last)
    return FINE


def _compile(job: Job, last: bytes | None) -> bytes | None:
    """Compile the table unless it is as it was; its bytes, None while it is away."""
    try:
        content = job.table.read_bytes()
        if content != last:
            commands.write(job)
    except OSError as error:
        if last is not None:
            output.note(f"codegen: {output.reason(error)}; the last good rules stay")
        return None
    return content
