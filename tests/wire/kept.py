"""All that a server keeps, read beside it: whether a call changed anything."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.settings import Settings
from server.store import database


class Store:
    """All that is kept, every row and every file: the same as before, or put back."""

    def __init__(self, settings: Settings) -> None:
        self._files = settings.state_dir / "files"
        self._database = settings.database_url.removeprefix("sqlite://")
        self._rows = sqlite3.connect(":memory:")
        with self._opened() as now:
            now.backup(self._rows)
        self._before = self._read()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._database)
        try:
            yield connection
        finally:
            connection.close()

    def _read(self) -> tuple[list[str], dict[Path, bytes]]:
        with self._opened() as now:
            rows = list(now.iterdump())
        found = (path for path in self._files.rglob("*") if path.is_file())
        return rows, {path: path.read_bytes() for path in found}

    def check_same(self) -> None:
        assert self._read() == self._before

    def put_back(self) -> None:
        database.disconnect()
        with self._opened() as now:
            self._rows.backup(now)
        for path, content in self._before[1].items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def close(self) -> None:
        self._rows.close()
