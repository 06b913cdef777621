"""The bytes of uploads and exports, through fsspec at ``WEIR_FILES_URL``.

A key is a path below that address. Bytes come in under a temporary name and are moved
into place when they are whole and on disk: a key names all of its bytes or none. What a
crash leaves behind is for the sweep (server/retention.py).
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from server.settings import BadSettings, Settings

INCOMING = "incoming"
"""Where temporary names are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a folder."""

    key: str
    is_folder: bool
    modified_ms: int


class _Storage:
    """A file system and a folder in it; modes and syncs where it is a local disk."""

    def __init__(self, url: str) -> None:
        self.fs: Any
        self.fs, self.root = url_to_fs(url)
        self.local = isinstance(self.fs, LocalFileSystem)

    def path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def make_folder(self, key: str) -> None:
        if not self.local:
            self.fs.makedirs(self.path(key), exist_ok=True)
            return
        Path(self.root).mkdir(mode=0o700, parents=True, exist_ok=True)
        place = Path(self.root)
        for part in key.split("/"):  # a parent would get the process's own mode
            place /= part
            place.mkdir(mode=0o700, exist_ok=True)

    def create(self, key: str) -> BinaryIO:
        if not self.local:
            opened: BinaryIO = self.fs.open(self.path(key), "wb")
            return opened
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.fdopen(os.open(self.path(key), flags, 0o600), "wb")

    def sync(self, file: BinaryIO) -> None:
        file.flush()
        if self.local:
            os.fsync(file.fileno())

    def move(self, key: str, to: str) -> None:
        self.fs.mv(self.path(key), self.path(to))
        if self.local:
            _sync_folder(Path(self.path(to)).parent)


def _sync_folder(path: Path) -> None:
    """A name is on disk only when its folder is."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


_storage: _Storage | None = None


def connect(settings: Settings) -> None:
    """Use the place of the settings.

    Raises:
        BadSettings: it cannot be written.
    """
    global _storage  # one a process, as one app a process
    _storage = _Storage(settings.files_url)
    try:
        _storage.make_folder(INCOMING)
    except OSError as error:
        message = f"WEIR_FILES_URL: cannot write {_storage.root}: {error.strerror}"
        raise BadSettings([message]) from error


def _connected() -> _Storage:
    if _storage is None:
        message = "no file storage is connected"
        raise RuntimeError(message)
    return _storage


class Incoming:
    """Bytes on their way in."""

    def __init__(self, storage: _Storage) -> None:
        self._storage = storage
        self._key = f"{INCOMING}/{secrets.token_hex(16)}"
        self._kept = False
        self.file = storage.create(self._key)

    def finish(self) -> None:
        """Nothing more comes: on disk, still under the temporary name."""
        if not self.file.closed:
            self._storage.sync(self.file)
            self.file.close()

    def read_back(self) -> BinaryIO:
        """What came, from its beginning."""
        self.finish()
        opened: BinaryIO = self._storage.fs.open(self._storage.path(self._key), "rb")
        return opened

    def keep(self, key: str) -> None:
        """Move into place; what was there before is replaced."""
        self.finish()
        self._storage.make_folder(key.rpartition("/")[0])
        self._storage.move(self._key, key)
        self._kept = True

    def drop(self) -> None:
        """Leave nothing behind, unless it was kept."""
        self.file.close()
        if not self._kept:
            remove(self._key)


@contextmanager
def incoming() -> Iterator[Incoming]:
    """A place for bytes of unknown fate: gone at the end unless kept."""
    coming = Incoming(_connected())
    try:
        yield coming
    finally:
        coming.drop()


def open_stored(key: str) -> BinaryIO | None:
    """The bytes of *key*; None if there are none."""
    storage = _connected()
    try:
        opened: BinaryIO = storage.fs.open(storage.path(key), "rb")
    except FileNotFoundError:
        return None
    return opened


def remove(key: str) -> None:
    """Make *key* name nothing; it may have been nothing before."""
    storage = _connected()
    try:
        storage.fs.rm_file(storage.path(key))
    except FileNotFoundError:
        return


def remove_folder(key: str) -> None:
    """Remove a folder if nothing is in it."""
    storage = _connected()
    try:
        storage.fs.rmdir(storage.path(key))
    except OSError:
        return  # something is, by now


def entries(folder: str) -> list[Entry]:
    """What is in *folder*, by name; nothing where there is no such folder."""
    storage = _connected()
    try:
        found = storage.fs.ls(storage.path(folder), detail=True)
    except FileNotFoundError:
        return []
    return sorted(
        (
            Entry(
                f"{folder}/{each['name'].rpartition('/')[2]}",
                each["type"] == "directory",
                int(each.get("mtime", 0) * 1000),
            )
            for each in found
        ),
        key=lambda entry: entry.key,
    )
