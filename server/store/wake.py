"""Word that somebody has something to look at, told to every process that streams.

It only says look: truth is the database, and a word that is lost costs its readers no
more than the time to their next look of themselves. On one host a word is a datagram to
the socket of each process that listens, in a folder of the state dir: with nobody
listening, telling costs one look at the folder's time, and nobody wakes up for nothing.
Several hosts are told by PostgreSQL itself (postgres.py).
"""

import errno
import os
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

# What PostgreSQL tells in one word; a longer one is said to all of the app.
_MOST_BYTES = 7_000
_TICK_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Wake:
    """Who of an app is to look; nobody named: all."""

    app_id: int
    names: Sequence[str] = ()
    """Of users."""
    mucs: Sequence[str] = ()
    """Ids of groups and rooms, whose members are meant."""

    def pack(self) -> bytes:
        packed = orjson.dumps([self.app_id, list(self.names), list(self.mucs)])
        if len(packed) <= _MOST_BYTES:
            return packed
        return orjson.dumps([self.app_id, [], []])

    @classmethod
    def unpack(cls, packed: bytes) -> "Wake":
        return cls(*orjson.loads(packed))


class Ear(Protocol):
    """Where one process hears words."""

    def hear(self) -> Sequence[bytes]:
        """Wait for the next ones.

        Raises:
            OSError: words may have been lost, and it hears no more.
        """

    def shut(self) -> None:
        """Have whoever waits come back, soon."""

    def close(self) -> None: ...


class Datagrams:
    """The processes of this host that listen, by the sockets in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        # A socket's address is short; the way to the state dir may not be.
        self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        # When the folder was changed, and the names in it then; -1: it may change yet.
        self._listening: tuple[int, tuple[str, ...]] = (-1, ())
        self._mouth = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._mouth.setblocking(False)

    def _at(self, name: str) -> str:
        return f"/proc/self/fd/{self._fd}/{name}"

    def tell(self, words: Iterable[bytes]) -> None:
        """Say each to all who listen. Who hears too slowly looks at the next beat."""
        changed = os.fstat(self._fd).st_mtime_ns
        # In one, read and replaced at once: other threads tell at the same time.
        when, listening = self._listening
        if changed != when:
            listening = tuple(os.listdir(self._fd))  # noqa: PTH208 (by its number)
            # Times go in ticks: another may still come in this one.
            settled = time.time_ns() - changed > _TICK_NS
            self._listening = changed if settled else -1, listening
        if not listening:
            return
        for word in words:
            for name in listening:
                self._send(name, word)

    def _send(self, name: str, word: bytes) -> None:
        try:
            self._mouth.sendto(word, self._at(name))
        except OSError as error:
            # BlockingIOError: it has much to hear already. Refused: its process died,
            # for who leaves takes the name along.
            if error.errno == errno.ECONNREFUSED:
                (self._folder / name).unlink(missing_ok=True)

    def listen(self) -> "DatagramEar":
        return DatagramEar(self._folder)

    def close(self) -> None:
        os.close(self._fd)
        self._mouth.close()


class DatagramEar:
    """One process's socket, under a name that nobody has had before."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(f"/proc/self/fd/{fd}/{self._path.name}")
            self._path.chmod(0o600)  # whatever the umask; its folder is ours alone
        finally:
            os.close(fd)

    def hear(self) -> Sequence[bytes]:
        return (self._socket.recv(65_536),)

    def shut(self) -> None:
        self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        self._socket.close()
