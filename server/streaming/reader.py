"""The reader of a process: it looks for all streams, and keeps their leases.

One thread, so that two thousand streams hold one connection to the database. Another
hears who is to be looked for (store/wake.py). Both begin with the first stream, and
wait without waking while there is nothing to do but to renew.
"""

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from peewee import PeeweeException

from server.store import database, files, history_records, inbox, leases, muc_members
from server.store.inbox import Item, Place
from server.store.leases import Lease
from server.store.wake import Ear, Wake
from server.streaming import frames as wire
from server.streaming.stream import Bell, Stream

log = logging.getLogger("weir")

RENEWAL_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
"""Before trying again what the database did not do."""
_FRAMES_KEPT = 512
"""Of messages: one to a large group is read once and shaped once."""


class Reader:
    """The streams of one process."""

    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(8)}"
        self._bell = Bell()
        self._lock = threading.Lock()  # of all that follows
        self._by_user: dict[int, set[Stream]] = {}
        self._by_name: dict[tuple[int, str], int] = {}
        self._to_look: OrderedDict[Stream, None] = OrderedDict()
        self._left: list[Stream] = []
        self._words: deque[bytes] = deque()
        self._threads: list[threading.Thread] = []
        self._ear: Ear | None = None
        self._renewed = 0.0  # when last; the reading thread's alone
        self._ending = False
        self._over = False
        self._frames: OrderedDict[int, bytes] = OrderedDict()

    # What other threads ask.

    def begin(self) -> None:
        """Hear and read, if it does not yet."""
        with self._lock:
            if self._threads:
                return
            heard = threading.Event()
            for work in (self._read, lambda: self._hear(heard)):
                thread = threading.Thread(target=work, name="streams", daemon=True)
                self._threads.append(thread)
                thread.start()
        heard.wait(_PAUSE_SECONDS)  # what is said from now on is heard

    def add(
        self, lease: Lease, at: Place, app_path: str, caller: socket.socket | None
    ) -> Stream:
        """A stream for a device, which is to be given back with :meth:`leave`."""
        stream = Stream(lease, at, app_path, caller, self.look, self._written)
        with self._lock:
            self._by_user.setdefault(lease.user_id, set()).add(stream)
            self._by_name[lease.app_id, lease.username] = lease.user_id
        if self._ending:
            stream.ended = True
            stream.bell.ring()
        return stream

    def leave(self, stream: Stream) -> None:
        """The stream writes no more."""
        with self._lock:
            self._left.append(stream)
        self._bell.ring()

    def look(self, stream: Stream) -> None:
        """Look for it soon."""
        with self._lock:
            self._want(stream)
        self._bell.ring()

    def _written(self, stream: Stream) -> None:
        with self._lock:
            stream.frames, stream.writing = (), False
            again = stream.wanted
            if again:
                self._want(stream)
        if again:
            self._bell.ring()

    def _want(self, stream: Stream) -> None:
        stream.wanted = True
        if not stream.writing:
            self._to_look[stream] = None

    def end_all(self) -> None:
        """Have every stream end and its device connect anew. For a signal's handler."""
        self._ending = True
        self._bell.ring()

    def stop(self) -> None:
        """Read no more; for who makes another."""
        self._over = True
        self._bell.ring()
        if self._ear is not None:
            with contextlib.suppress(OSError):  # it was closed already
                self._ear.shut()
        for thread in self._threads[:1]:
            thread.join()

    # The thread that hears.

    def _hear(self, listening: threading.Event) -> None:
        while not self._over:
            try:
                with contextlib.closing(database.listen()) as ear:
                    self._ear = ear
                    listening.set()
                    self._words.append(b"")  # whatever was said before
                    self._bell.ring()
                    while not self._over:
                        self._words.extend(ear.hear())
                        self._bell.ring()
            except (OSError, database.UnusableDatabase) as error:
                log.warning("cannot hear what is to be streamed: %s", error)
                time.sleep(_PAUSE_SECONDS)

    # The thread that reads.

    def _read(self) -> None:
        renewal = time.monotonic() + RENEWAL_SECONDS
        while not self._over:
            idle = not self._by_user
            self._bell.wait(None if idle else renewal - time.monotonic())
            try:
                self._give_back()
                if time.monotonic() >= renewal:
                    renewal = time.monotonic() + RENEWAL_SECONDS
                    self._renew()
                self._heed()
                self._look_for_all()
            except (PeeweeException, database.UnusableDatabase) as error:
                log.warning("cannot read what is to be streamed: %s", error)
                time.sleep(_PAUSE_SECONDS)
                self._bell.ring()
            finally:
                database.release()
            if self._ending:
                self._end()
        database.disconnect()

    def _give_back(self) -> None:
        with self._lock:
            left, self._left = self._left, []
            for stream in left:
                self._forget(stream)
        if not left:
            return
        try:
            leases.close([stream.lease for stream in left])
        except PeeweeException as error:  # it ends by itself
            log.warning("cannot close leases: %s", error)

    def _forget(self, stream: Stream) -> None:
        lease = stream.lease
        self._to_look.pop(stream, None)
        stream.bell.close()
        streams = self._by_user[lease.user_id]
        streams.discard(stream)
        if not streams:
            del self._by_user[lease.user_id]
            # Perhaps another's by now: names of deleted users are free again.
            if self._by_name.get((lease.app_id, lease.username)) == lease.user_id:
                del self._by_name[lease.app_id, lease.username]

    def _streams(self) -> list[Stream]:
        with self._lock:
            return [each for streams in self._by_user.values() for each in streams]

    def _renew(self) -> None:
        streams = self._streams()
        if not streams:
            return
        renewed = leases.renew(self.owner, {each.lease.app_id for each in streams})
        for each in streams:
            each.lapsed |= self._is_late(each)
        self._renewed = time.monotonic()
        if renewed != len(streams):  # one was taken away; who, its stream will see
            self._want_all(streams)

    def _is_late(self, stream: Stream) -> bool:
        """Whether its lease ended by itself, since nobody renewed it in time."""
        since = max(self._renewed, stream.begun)
        return time.monotonic() - since >= leases.LEASE_MS / 1000

    def _want_all(self, streams: Iterable[Stream]) -> None:
        with self._lock:
            for stream in streams:
                self._want(stream)

    def _heed(self) -> None:
        """Find out whom the words that came are about."""
        while self._words:
            word = self._words.popleft()
            if not word:
                self._want_all(self._streams())
                continue
            wake = Wake.unpack(word)
            if not wake.names and not wake.mucs:
                self._want_all(
                    each for each in self._streams() if each.lease.app_id == wake.app_id
                )
                continue
            user_ids = [
                self._by_name.get((wake.app_id, name), 0) for name in wake.names
            ]
            user_ids += muc_members.ids_of(wake.app_id, wake.mucs)
            with self._lock:
                for user_id in user_ids:
                    for stream in self._by_user.get(user_id, ()):
                        self._want(stream)

    def _look_for_all(self) -> None:
        while True:
            with self._lock:
                if not self._to_look:
                    return
                stream, _ = self._to_look.popitem(last=False)
                stream.wanted = False
            try:
                self._look_for(stream)
            except BaseException:
                self._want_all([stream])
                raise
            time.sleep(0)  # those that were handed something write meanwhile
            if self._left or self._ending:
                self._bell.ring()
                return

    def _look_for(self, stream: Stream) -> None:
        look = inbox.look(stream.lease, stream.at)
        frames = [self._frame(stream, item) for item in look.items]
        if look.leased:
            stream.lapsed = False
        else:
            self._let_go(stream)
        with self._lock:
            stream.at.upto = look.upto
            if frames:
                stream.frames, stream.writing = frames, True
                stream.wanted |= look.more
            elif look.more:
                self._want(stream)
        if frames or stream.kicked or stream.ended:
            stream.bell.ring()

    def _let_go(self, stream: Stream) -> None:
        """Say why; a lease that this process let lapse is no reason to stay away."""
        why = leases.why_gone(stream.lease)
        if why == leases.DISCONNECTED and (stream.lapsed or self._is_late(stream)):
            stream.ended = True
        else:
            stream.kicked = why

    def _frame(self, stream: Stream, item: Item) -> bytes:
        if item.data is not None:
            return wire.frame(item.kind, item.data.encode(), item.id)
        found = self._frames.get(item.id)
        if found is None:
            found = self._shape(stream, item)
            self._frames[item.id] = found
            if len(self._frames) > _FRAMES_KEPT:
                self._frames.popitem(last=False)
        return found

    def _shape(self, stream: Stream, item: Item) -> bytes:
        app_id = stream.lease.app_id
        size_of: Callable[[str], int | None] = lambda uuid: files.size_of(app_id, uuid)  # noqa: E731
        record = history_records.line(item.row, stream.app_path, size_of)
        return wire.frame("message", record.rstrip(b"\n"), item.id)

    def _end(self) -> None:
        for stream in self._streams():
            if not stream.ended:
                stream.ended = True
                stream.bell.ring()
