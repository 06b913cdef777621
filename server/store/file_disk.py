"""Files in a folder on a disk.

Bytes come in under a temporary name and are moved into place when they are whole and on
disk. What a crash leaves under such a name is for the sweep (server/retention.py).
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from fsspec.core import url_to_fs

from server.store.file_place import Entry

INCOMING = "incoming"
"""Where temporary names are."""


class Disk:
    """A folder, its files the owner's alone."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, url: str) -> None:
        self._fs: Any
        self._fs, self.name = url_to_fs(url)

    def path(self, key: str) -> Path:
        return Path(self.name) / key

    def make_folder(self, key: str) -> None:
        Path(self.name).mkdir(mode=0o700, parents=True, exist_ok=True)
        place = Path(self.name)
        for part in key.split("/"):  # a parent would get the process's own mode
            place /= part
            place.mkdir(mode=0o700, exist_ok=True)

    def prepare(self) -> None:
        self.make_folder(INCOMING)

    def check(self) -> None:
        self.incoming().drop()

    def incoming(self) -> "OnDisk":
        return OnDisk(self)

    def open(self, key: str) -> BinaryIO:
        opened: BinaryIO = self._fs.open(str(self.path(key)), "rb")
        return opened

    def remove(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def remove_folder(self, key: str) -> None:
        try:
            self.path(key).rmdir()
        except OSError:
            return  # something is in it, by now

    def entries(self, folder: str) -> list[Entry]:
        try:
            found = self._fs.ls(str(self.path(folder)), detail=True)
        except FileNotFoundError:
            return []
        return [
            Entry(
                f"{folder}/{each['name'].rpartition('/')[2]}",
                each["type"] == "directory",
                int(each["mtime"] * 1000),
            )
            for each in found
        ]

    def remove_leftovers(self, before_ms: int) -> int:
        old = [each for each in self.entries(INCOMING) if each.modified_ms < before_ms]
        for entry in old:
            self.remove(entry.key)
        return len(old)


class OnDisk:
    """Bytes on their way in, in the same file system as the place they go to."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._path = disk.path(f"{INCOMING}/{secrets.token_hex(16)}")
        self._kept = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.file: BinaryIO = os.fdopen(os.open(self._path, flags, 0o600), "wb")

    def _finish(self) -> None:
        if not self.file.closed:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()

    def read_back(self) -> BinaryIO:
        self._finish()
        return self._path.open("rb")

    def keep(self, key: str) -> None:
        self._finish()
        self._disk.make_folder(key.rpartition("/")[0])
        self._path.replace(self._disk.path(key))
        self._kept = True
        _sync_folder(self._disk.path(key).parent)

    def drop(self) -> None:
        with suppress(OSError):  # what is still to be written, on a full disk
            self.file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """A name is on disk only when its folder is."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
