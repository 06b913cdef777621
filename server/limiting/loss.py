"""Counters out of reach: closed or local, as the operator chose; never unlimited."""

import errno
import hashlib
import logging
import os
import stat
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from server import redis_urls
from server.errors import Unavailable
from server.limiting.counters import Rings, Taken, Want, connect
from server.settings import MEMORY, Settings

if TYPE_CHECKING:
    from server.limiting.redis_windows import RedisWindows

log = logging.getLogger("weir.counters")


class Counters:
    """The counters the settings name, and what happens when they do not answer."""

    def __init__(self, settings: Settings) -> None:
        self._loss = settings.counters_loss
        self._directory: Path | None = None
        self._standby_directory: Path | None = None
        self._place = ""
        self._lock = threading.Lock()
        self._shared: RedisWindows | None = None
        self._windows: Rings | RedisWindows | None = None
        self._standby: Rings | None = None
        self._lost = False
        if redis_urls.is_shared(settings.counters_url):
            address = redis_urls.read(settings.counters_url)
            self._place = address.shown
            self._standby_directory = settings.state_dir / "counters-standby"
            self._windows = self._shared = connect(address)
            return
        if settings.counters_url != MEMORY:
            self._directory = Path(unquote(urlsplit(settings.counters_url).path))
        self._place = str(self._directory)
        try:
            self._windows = Rings(self._directory)
        except OSError as error:
            self._note_loss(error)

    @property
    def lost(self) -> bool:
        """Whether the counters were out of reach at the last try."""
        return self._lost

    def take(self, wants: Sequence[Want]) -> tuple[bool, list[Taken]]:
        """Take all of *wants* or none: whether they were, and how each stands.

        Raises:
            Unavailable: the counters do not answer and the setting is ``closed``.
        """
        try:
            found = self._reach().take(wants)
        except OSError as error:
            return self._instead(error).take(wants)
        if self._lost:
            self._note_return()
        return found

    def peek(self, wants: Sequence[Want]) -> list[Taken]:
        """How each of *wants* stands; takes nothing.

        Raises:
            Unavailable: as for :meth:`take`.
        """
        try:
            return self._reach().peek(wants)
        except OSError as error:
            return self._instead(error).peek(wants)

    def _reach(self) -> "Rings | RedisWindows":
        if self._windows is None:
            with self._lock:
                if self._windows is None:
                    self._windows = Rings(self._directory)
        return self._windows

    def _instead(self, error: OSError) -> Rings:
        self._note_loss(error)
        if self._loss == "closed":
            raise Unavailable(retry_after=1) from error
        try:
            with self._lock:
                if self._standby is None:
                    self._standby = Rings(
                        self._standby_directory or _standby_directory(self._directory)
                    )
        except OSError as worse:
            raise Unavailable(retry_after=1) from worse
        return self._standby

    def _note_loss(self, error: OSError) -> None:
        if self._shared is not None and not self._shared.lost:
            return  # they are back meanwhile
        with self._lock:
            if self._lost:
                return
            self._lost = True
        log.error(
            "counters out of reach in %s (%s); calls are %s",
            self._place,
            error,
            "answered 503" if self._loss == "closed" else "counted by this host",
        )

    def _note_return(self) -> None:
        if self._shared is not None and self._shared.lost:
            return  # another server of a cluster, or an answer to an earlier call
        with self._lock:
            if not self._lost:
                return
            self._lost = False
        log.warning("counters are back in %s", self._place)


def _standby_directory(directory: Path | None) -> Path:
    """Where this host's processes count together meanwhile: another disk, if any."""
    name = hashlib.sha256(f"{os.getuid()}:{directory}".encode()).hexdigest()[:16]
    shared_memory = Path("/dev/shm")  # noqa: S108 (0700, and named by our uid)
    base = shared_memory if shared_memory.is_dir() else Path(tempfile.gettempdir())
    standby = base / f"weir-counters-{name}"
    standby.mkdir(mode=0o700, exist_ok=True)
    # Anyone may have made it first, where everyone may write.
    found = standby.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "not ours", str(standby))
    return standby
