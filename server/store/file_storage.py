"""The bytes of uploads and exports, through fsspec at ``WEIR_FILES_URL``.

A key is a path below that address, and names all of its bytes or none.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from server.settings import S3, BadSettings, Settings
from server.store.file_bucket import Bucket
from server.store.file_disk import Disk
from server.store.file_place import Arriving, Entry, FilesOutOfReach, Place

log = logging.getLogger("weir")

_place: Place | None = None


def connect(settings: Settings) -> None:
    """Use the place of the settings. A bucket may be out of reach until it is used.

    Raises:
        BadSettings: it cannot be.
    """
    global _place  # one a process, as one app a process
    try:
        _place = _place_of(settings)
        with _reaching(_place):
            _place.prepare()
    except ImportError as error:
        message = "WEIR_FILES_URL: for s3:// run: pip install 'weir[cluster]'"
        raise BadSettings([message]) from error
    except FilesOutOfReach as error:
        raise BadSettings([f"WEIR_FILES_URL: {error}"]) from error


def check(settings: Settings) -> None:
    """See that the place is there, before anything is served.

    fsspec starts a thread for a bucket, which must not be forked: not for a process
    that has children.

    Raises:
        BadSettings: it cannot be written.
    """
    connect(settings)
    place = _connected()
    try:
        with _reaching(place):
            place.check()
    except FilesOutOfReach as error:
        raise BadSettings([f"WEIR_FILES_URL: {error}"]) from error


def _place_of(settings: Settings) -> Place:
    if settings.files_url.startswith(S3):
        return Bucket(settings.files_url, settings.state_dir / "incoming")
    return Disk(settings.files_url)


def _connected() -> Place:
    if _place is None:
        message = "no file storage is connected"
        raise RuntimeError(message)
    return _place


@contextmanager
def _reaching(place: Place) -> Iterator[None]:
    try:
        yield
    except FilesOutOfReach:
        raise
    except place.errors as error:
        message = f"cannot use {place.name}: {_reason(error)}"
        raise FilesOutOfReach(message) from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.errno is None:
        return "there is no such bucket"
    told = getattr(error, "strerror", None)
    return told or str(error.__cause__ or error) or type(error).__name__


class Bytes:
    """A file of the place, whose failures are the place's."""

    def __init__(self, place: Place, file: BinaryIO) -> None:
        self._place = place
        self._file = file

    def read(self, size: int = -1) -> bytes:
        with _reaching(self._place):
            return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _reaching(self._place):
            return self._file.seek(offset, whence)

    def write(self, content: bytes) -> int:
        with _reaching(self._place):
            return self._file.write(content)

    def flush(self) -> None:
        with _reaching(self._place):
            self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Bytes":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Incoming:
    """Bytes on their way in."""

    def __init__(self, place: Place) -> None:
        self._place = place
        with _reaching(place):
            self._arriving: Arriving = place.incoming()
        self.file = Bytes(place, self._arriving.file)

    def read_back(self) -> BinaryIO:
        """What came, from its beginning; nothing more comes."""
        with _reaching(self._place):
            return self._arriving.read_back()

    def keep(self, key: str) -> None:
        """Let *key* name them, all at once; what was there before is replaced."""
        with _reaching(self._place):
            self._arriving.keep(key)

    def drop(self) -> None:
        """Leave nothing behind, unless it was kept."""
        with _reaching(self._place):
            self._arriving.drop()


@contextmanager
def incoming() -> Iterator[Incoming]:
    """A place for bytes of unknown fate: gone at the end unless kept."""
    coming = Incoming(_connected())
    try:
        yield coming
    finally:
        coming.drop()


def open_stored(key: str) -> Bytes | None:
    """The bytes of *key*; None if there are none."""
    place = _connected()
    with _reaching(place):
        try:
            return Bytes(place, place.open(key))
        except FileNotFoundError:
            return None


def remove(key: str) -> None:
    """Make *key* name nothing; it may have been nothing before."""
    place = _connected()
    with _reaching(place):
        place.remove(key)


def forget(key: str) -> None:
    """:func:`remove`, of what no row names any more: where it fails, the sweep will."""
    try:
        remove(key)
    except FilesOutOfReach as error:
        log.error("%s is left for the sweep: %s", key, error)


def remove_folder(key: str) -> None:
    """Remove a folder if nothing is in it."""
    place = _connected()
    with _reaching(place):
        place.remove_folder(key)


def entries(folder: str) -> list[Entry]:
    """What is in *folder*, by name; nothing where there is no such folder."""
    place = _connected()
    with _reaching(place):
        return sorted(place.entries(folder), key=lambda entry: entry.key)


def remove_leftovers(before_ms: int) -> int:
    """Remove what came in before this moment and was never kept; how many."""
    place = _connected()
    with _reaching(place):
        return place.remove_leftovers(before_ms)
