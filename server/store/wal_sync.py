"""The sync of SQLite's write-ahead log, after the write lock is free again.

SQLite's own ``synchronous=FULL`` syncs within the commit, so every writer of the host
waits for every other's disk. A commit is durable when its frames of the log are,
whoever syncs them, and whenever: so SQLite only writes (``NORMAL``: it still syncs
around checkpoints, which is what keeps the file whole), the next writer goes on, and
whoever committed syncs the log before saying so. Threads that ask while a sync is under
way share the next.
"""

import os
import sqlite3
import threading
from pathlib import Path


class WalSync:
    """The log of one database, as one process syncs it."""

    def __init__(self, database: Path) -> None:
        # A connection of its own, since SQLite removes the log with the last one.
        self._connection = sqlite3.connect(database, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = wal").fetchone()
        self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        log = database.with_name(database.name + "-wal")
        self._log = os.open(log, os.O_RDWR | os.O_CLOEXEC)
        _sync_folder(log.parent)  # a file is on disk only when its name is
        self._turn = threading.Lock()
        self._begun = 0  # how many syncs have: written under the lock
        self._failed: OSError | None = None

    def close(self) -> None:
        os.close(self._log)
        self._connection.close()

    def __call__(self) -> None:
        """Return when what this thread has committed is on disk.

        Raises:
            OSError: the disk does not say so.
        """
        before = self._begun
        with self._turn:
            # A sync that fails loses what it should have kept, and the next would not
            # say so: nothing that this process commits can be promised any more.
            if self._failed is not None:
                raise self._failed
            if self._begun > before:  # by now ended, and begun after our commit
                return
            self._begun += 1
            try:
                os.fdatasync(self._log)
            except OSError as error:
                self._failed = error
                raise


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
