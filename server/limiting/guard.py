"""The guard of calls without a valid token: so many a second per remote address.

An operator's setting, no part of the table; it keeps an outsider from trying secrets,
and from costing the server more than a count.
"""

from ipaddress import IPv6Address, ip_address

from server import metrics
from server.errors import ReachLimit
from server.limiting.counters import Want
from server.limiting.headers import whole_seconds
from server.limiting.loss import Counters

_WINDOW_NS = 1_000_000_000


class Guard:
    """Counts strangers."""

    def __init__(self, counters: Counters, calls_per_second: int) -> None:
        self._counters = counters
        self._calls = calls_per_second

    def admit(self, remote_address: str | None) -> None:
        """Count a call from *remote_address*.

        Raises:
            ReachLimit: it made too many within the last second.
        """
        want = Want(f"guard/{_network(remote_address)}", self._calls, _WINDOW_NS)
        admitted, (state,) = self._counters.take([want])
        if not admitted:
            metrics.guard_refused()
            raise ReachLimit(retry_after=whole_seconds(state.wait_ns))


def _network(remote_address: str | None) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: one host has all of that."""
    try:
        address = ip_address(remote_address or "")
    except ValueError:  # a unix socket has no address
        return "local"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:x}"
    return str(address)
