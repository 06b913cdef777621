"""What gunicorn and ``flask`` serve: ``wsgi:app``."""

import os
import sys

from server import develop, limiting, retention
from server.app import create_app
from server.first_start import serving, welcome
from server.limiting import shadow
from server.settings import BadSettings, Settings
from server.store.database import UnusableDatabase

WORKER_BOOT_ERROR = 3

try:
    settings = Settings.from_env(os.environ)
    app = create_app(settings)
except (BadSettings, UnusableDatabase) as wrong:
    print(f"Weir cannot start:\n{wrong}", file=sys.stderr)
    sys.exit(WORKER_BOOT_ERROR)  # any other code, and gunicorn would try for ever

if serving():
    welcome(settings)
    retention.start(settings)
    shadow.start(app, settings, limiting.let_shadow)
    develop.start()
