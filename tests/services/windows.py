"""Windows in Redis whose time a test moves."""

from collections.abc import Callable, Sequence

from server.limiting.redis_windows import RedisWindows
from server.limiting.rings import Want
from server.redis_clients import Script
from server.redis_urls import Address

DAY_NS = 86_400 * 10**9
ASKS_THE_TIME = "call('TIME')"


def patient(windows: RedisWindows) -> RedisWindows:
    """The same, which a busy machine does not lose: for tests of something else."""
    for client in windows._servers.every():
        client.connection_pool.connection_kwargs |= {
            "socket_timeout": 10, "socket_connect_timeout": 10,
        }  # fmt: skip
    return windows


class StillWindows(RedisWindows):
    """The same script, but for where the time comes from: here, the last argument.

    Keys expire by the server's own clock, so they are told to last.
    """

    script = Script(RedisWindows.script.text.replace(ASKS_THE_TIME, "{0, ARGV[#ARGV]}"))

    def __init__(self, address: Address, clock: Callable[[], int]) -> None:
        super().__init__(address)
        self._clock = clock
        patient(self)

    def _arguments(self, wants: Sequence[Want], cost: int, *, take: bool) -> list[int]:
        lasting = [want._replace(looks_back_ns=DAY_NS) for want in wants]
        return [*super()._arguments(lasting, cost, take=take), self._clock() // 1000]
