"""What gunicorn and ``flask`` serve: ``wsgi:app``."""

import os
import sys
import time

from peewee import OperationalError

from server import (
    access_log,
    develop,
    limiting,
    logs,
    metrics,
    retention,
    rules_history,
)
from server.app import create_app
from server.first_start import in_worker, serving, welcome
from server.limiting import shadow
from server.settings import BadSettings, Settings
from server.store.backend import OutOfReach, UnusableDatabase
from server.store.file_place import FilesOutOfReach

WORKER_BOOT_ERROR = 3
TRY_AGAIN = 1

try:
    settings = Settings.from_env(os.environ)
    if serving():
        logs.start(settings)
        access_log.start(settings)
    app = create_app(settings)
    if serving():
        metrics.ready()
        rules_history.note()
        welcome(settings)
        retention.start(settings)
        shadow.on_refusal(metrics.shadow_refused)
        shadow.start(app, settings, limiting.let_shadow)
        develop.start()
except (
    BadSettings,
    UnusableDatabase,
    logs.UnusableLog,
    OperationalError,  # it went away since it was looked at
) as wrong:
    print(f"Weir cannot start:\n{wrong}", file=sys.stderr)
    passing = isinstance(wrong, OutOfReach | OperationalError)
    if (passing or isinstance(wrong.__cause__, FilesOutOfReach)) and in_worker():
        # gunicorn's first process has seen the database and the place of files, so they
        # will be back; workers that are started meanwhile must not end the server.
        time.sleep(1)
        sys.exit(TRY_AGAIN)
    sys.exit(WORKER_BOOT_ERROR)  # any other code, and gunicorn would try for ever
