"""Try every figure given, as ``tests/test_promises.py`` does in a copy of the tree."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.app import create_app
from server.settings import Settings
from server.store.database import Statement
from tests import databases
from tests.conftest import Clock, Tenant, make_tenant, still
from tests.probes import PROBES, rate


def main(figures: dict[str, Any]) -> None:
    """Try every figure, each with a fresh database; the first that differs ends it."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        still(patch, clock)
        app = create_app(
            Settings(
                state_dir=Path(place),
                database_url=databases.emptied(),
                counters_url="memory://",
            )
        )
        app.testing = True
        for rule, edition, figure in figures["bounds"]:
            PROBES[rule](_tenant(app, clock, edition), figure)
            print(f"{rule} is {figure}")
        for rule, by_edition in figures["rates"].items():
            for edition, (calls, seconds) in by_edition.items():
                rate(_tenant(app, clock, edition), clock, rule, calls, seconds)
                print(f"{rule} is {calls} in {seconds} s for {edition}")


def _tenant(app: Flask, clock: Clock, edition: str) -> Tenant:
    Statement("DELETE FROM app").run()
    clock.forward(86_400)
    return make_tenant(app, "acme/chat", edition)


if __name__ == "__main__":
    main(json.load(sys.stdin))
