"""What gunicorn and ``flask`` serve: ``wsgi:app``."""

import os
import sys

from server.app import create_app
from server.first_start import serving, welcome
from server.settings import BadSettings, Settings
from server.store.database import UnusableDatabase

try:
    settings = Settings.from_env(os.environ)
    app = create_app(settings)
except (BadSettings, UnusableDatabase) as wrong:
    sys.exit(f"Weir cannot start:\n{wrong}")

if serving():
    welcome(settings)
