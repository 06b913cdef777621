"""``flask run --debug``: rules compiled anew at each save of limits.md, and reloaded.

Flask's reloader starts the server again when a module of it changes, and the rules are
modules. What is missing is who compiles them: ``python -m codegen watch``, which keeps
the last good rules while the table is wrong, and says what is wrong with it.
"""

import atexit
import subprocess
import sys
from pathlib import Path

import click
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

ROOT = Path(__file__).parent.parent
_SECONDS_TO_END = 5


def start() -> None:
    """Watch the table beside the process that restarts the server, while it lives."""
    if not _reloads() or is_running_from_reloader():
        return  # the process that is restarted would leave a watcher at each turn
    watch = subprocess.Popen([sys.executable, "-m", "codegen", "watch"], cwd=ROOT)
    atexit.register(_end, watch)


def _reloads() -> bool:
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return False
    wanted: bool | None = context.params.get("reload")
    return get_debug_flag() if wanted is None else wanted


def _end(watch: subprocess.Popen[bytes]) -> None:
    watch.terminate()
    try:
        watch.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        watch.kill()
