"""Exact sliding windows in Redis or Valkey, shared by any number of hosts.

What `Rings` are to one host. Whatever the number of limits, a call is one script and
one round trip; the time is the server's. A key names a rule and whom it binds, never a
figure, and expires when no figure can ask for its calls any longer.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from server.limiting.breaker import Breaker, OutOfReach
from server.limiting.rings import Taken, Want, check
from server.redis_clients import FAILURES, Script, connect
from server.redis_urls import Address

PREFIX = b"weir:"
_TAKE = Script(Path(__file__).with_name("window.lua").read_text())
_FORGET = Script("return {redis.call('DEL', KEYS[1])}")


class RedisWindows:
    """The counters at *address*, with the methods of `Rings`.

    Each raises OutOfReach, which is an OSError, when the servers do not answer, or
    answer with an error; and ValueError on a figure out of range.
    """

    script: ClassVar[Script] = _TAKE

    def __init__(self, address: Address) -> None:
        self._tagged = address.kind == "cluster"
        self._servers = connect(address)
        self._breaker = Breaker()

    @property
    def lost(self) -> bool:
        """Whether a server did not answer, and has not since."""
        return self._breaker.open

    def take(self, wants: Sequence[Want], cost: int = 1) -> tuple[bool, list[Taken]]:
        """Draw *cost* calls on each of *wants* if all admit them, else on none.

        A key may be wanted once. In a cluster all have the same tag.
        """
        if cost < 1:
            raise ValueError(f"a call costs at least 1, not {cost}")
        check(wants)
        if not wants:
            return True, []
        if self._tagged and len({want.tag or want.key for want in wants}) > 1:
            raise ValueError(f"a cluster takes together what has one tag: {wants}")
        return self._ask(wants, cost, take=True)

    def peek(self, wants: Sequence[Want]) -> list[Taken]:
        """What `take` would meet now; takes nothing. A round trip for each tag."""
        check(wants)
        together: dict[str, list[int]] = defaultdict(list)
        for at, want in enumerate(wants):
            together[want.tag or want.key if self._tagged else ""].append(at)
        found: dict[int, Taken] = {}
        for places in together.values():
            _, states = self._ask([wants[at] for at in places], 1, take=False)
            found.update(zip(places, states, strict=True))
        return [found[at] for at in range(len(wants))]

    def clear(self, key: str, tag: str = "") -> None:
        """Forget what was counted for *key*."""
        name = self._name(Want(key, 1, 1, tag))
        self._run(_FORGET, [name], [])

    def reset(self) -> int:
        """Forget everything; returns how many keys were known."""
        try:
            return sum(
                client.unlink(key)
                for client in self._servers.every()
                for key in client.scan_iter(PREFIX + b"*", 1000)
            )
        except FAILURES as error:
            raise OutOfReach(_words(error)) from error

    def close(self) -> None:
        """Let go of the connections; what was counted stays."""
        self._servers.close()

    def _name(self, want: Want) -> bytes:
        # What is in braces says which server of a cluster has the key.
        tag = f"{{{want.tag}}}" if self._tagged and want.tag else ""
        return PREFIX + f"{tag}{want.key}".encode(errors="surrogatepass")

    def _arguments(self, wants: Sequence[Want], cost: int, *, take: bool) -> list[int]:
        found = [int(take), cost]
        for want in wants:
            window = _microseconds(want.window_ns)
            back = max(window, _microseconds(want.looks_back_ns))
            found += (want.amount, window, back)
        return found

    def _ask(
        self, wants: Sequence[Want], cost: int, *, take: bool
    ) -> tuple[bool, list[Taken]]:
        keys = [self._name(want) for want in wants]
        admitted, *told = self._run(
            self.script, keys, self._arguments(wants, cost, take=take)
        )
        states = zip(told[::3], told[1::3], told[2::3], strict=True)
        return bool(admitted), [
            Taken(left, reset * 1000, wait * 1000) for left, reset, wait in states
        ]

    def _run(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[int]
    ) -> list[int]:
        place = self._servers.place(keys[0])
        trying = self._breaker.enter(place)
        try:
            found: list[int] = self._servers.run(script, keys, arguments, anew=trying)
        except FAILURES as error:
            words = f"{place}: {_words(error)}" if place else _words(error)
            self._breaker.failed(place, words)
            self._servers.let_go(place)
            raise OutOfReach(words) from error
        if trying:
            self._breaker.answered(place, self._servers.places())
        return found


def _microseconds(ns: int) -> int:
    """Rounded up: a window is never shorter than stated."""
    return -(-ns // 1000)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
