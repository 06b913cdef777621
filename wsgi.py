"""What gunicorn and ``flask`` serve: ``wsgi:app``."""

import os
import sys

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
from server.first_start import serving, welcome
from server.limiting import shadow
from server.settings import BadSettings, Settings
from server.store.database import UnusableDatabase

WORKER_BOOT_ERROR = 3

try:
    settings = Settings.from_env(os.environ)
    if serving():
        logs.start(settings)
        access_log.start(settings)
    app = create_app(settings)
except (BadSettings, UnusableDatabase, access_log.UnusableLog) as wrong:
    print(f"Weir cannot start:\n{wrong}", file=sys.stderr)
    sys.exit(WORKER_BOOT_ERROR)  # any other code, and gunicorn would try for ever

if serving():
    metrics.ready()
    rules_history.note()
    welcome(settings)
    retention.start(settings)
    shadow.on_refusal(metrics.shadow_refused)
    shadow.start(app, settings, limiting.let_shadow)
    develop.start()
