"""A network of a test's own: hosts that can be killed, cut off, and joined again.

Each host is a network namespace with one cable to a bridge, where root may make those.
Elsewhere the hosts are ports of the loopback, and one that is cut off is stopped, so
that it is as silent as behind a torn cable.
"""

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol

HOSTS = 4
REASON = "needs root and iproute2 for network namespaces (apt-get install iproute2)"


class Network(Protocol):
    """Where hosts are, and what may happen to them."""

    center: str
    """The address of what all hosts share."""

    def address(self, host: int) -> str: ...
    def command(self, host: int) -> Sequence[str]:
        """What a command begins with that is run on a host."""

    def cut(self, host: int, pids: Sequence[int]) -> None:
        """Nothing comes from there any longer, not even that it is gone."""

    def join(self, host: int, pids: Sequence[int]) -> None: ...


class Loopback:
    """Hosts that are ports."""

    center = "127.0.0.1"

    def address(self, host: int) -> str:  # noqa: ARG002 (all are at one)
        return self.center

    def command(self, host: int) -> Sequence[str]:  # noqa: ARG002 (likewise)
        return ()

    def cut(self, host: int, pids: Sequence[int]) -> None:  # noqa: ARG002 (by its processes)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)

    def join(self, host: int, pids: Sequence[int]) -> None:  # noqa: ARG002 (by its processes)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


class Namespaces:
    """A bridge and a namespace for each host, in addresses kept for such trials.

    They are RFC 2544's, of which each process has a net of its own.
    """

    def __init__(self) -> None:
        number = os.getpid()
        self._name = f"weir{number:x}"[:11]
        self._net = f"198.18.{number % 256}"
        self.center = f"{self._net}.1"

    def address(self, host: int) -> str:
        return f"{self._net}.{host + 11}"

    def command(self, host: int) -> Sequence[str]:
        return ("ip", "netns", "exec", self._host(host))

    def cut(self, host: int, pids: Sequence[int]) -> None:  # noqa: ARG002 (its cable)
        _ip("link", "set", self._cable(host), "down")

    def join(self, host: int, pids: Sequence[int]) -> None:  # noqa: ARG002 (its cable)
        _ip("link", "set", self._cable(host), "up")

    def _host(self, host: int) -> str:
        return f"{self._name}-{host}"

    def _cable(self, host: int) -> str:
        return f"{self._name}v{host}"

    @contextmanager
    def made(self) -> Iterator[None]:
        with ExitStack() as stack:
            _ip("link", "add", self._name, "type", "bridge")
            stack.callback(_ip, "link", "del", self._name)
            _ip("addr", "add", f"{self.center}/24", "dev", self._name)
            _ip("link", "set", self._name, "up")
            for host in range(HOSTS):
                self._add(host, stack)
            yield

    def _add(self, host: int, stack: ExitStack) -> None:
        place, cable = self._host(host), self._cable(host)
        _ip("netns", "add", place)
        stack.callback(_ip, "netns", "del", place)
        _ip("link", "add", cable, "type", "veth", "peer", "eth0", "netns", place)
        # By itself it would go with the namespace: at some later time.
        stack.callback(_ip, "link", "del", cable)
        _ip("link", "set", cable, "master", self._name, "up")
        for command in (
            ("addr", "add", f"{self.address(host)}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", place, *command)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@functools.cache
def allowed() -> bool:
    """Whether this machine lets us make namespaces: tried, as no flag tells."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        with Namespaces().made():
            return True
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False


@contextmanager
def network() -> Iterator[Network]:
    """The best that this machine has; NETNS_REQUIRED asks for namespaces."""
    if not allowed():
        assert not os.environ.get("NETNS_REQUIRED"), REASON
        yield Loopback()
        return
    namespaces = Namespaces()
    with namespaces.made():
        yield namespaces
