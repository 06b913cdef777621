"""Whether a refusal was due, and whether one was due that did not come.

Seen from outside a call was counted at some moment between its sending and its answer.
So both are only said where no such moments would make it right.
"""

from collections import defaultdict, deque

from tests import facts

Key = tuple[str, str]
"""App and interface."""


class Rates:
    """The calls of each app and interface that were admitted lately."""

    def __init__(self, editions: dict[str, str]) -> None:
        """*editions* of the apps, by their path."""
        self._editions = editions
        self._admitted: dict[Key, deque[tuple[float, float]]] = defaultdict(
            lambda: deque(maxlen=100)
        )
        self._open: dict[Key, int] = defaultdict(int)

    def _limit(self, app: str, interface: str) -> tuple[int, int]:
        calls, seconds = facts.RATES[f"{interface}.calls"][self._editions[app]]
        return calls, seconds

    def sent(self, app: str, interface: str) -> None:
        self._open[app, interface] += 1

    def forgotten(self, app: str, interface: str) -> None:
        """No answer came: it may have been counted, and nobody knows."""
        self._open[app, interface] -= 1

    def admitted(self, app: str, interface: str, sent: float, now: float) -> bool:
        """Whether that is right: no window can hold this one and all before it."""
        calls, seconds = self._limit(app, interface)
        self._open[app, interface] -= 1
        known = self._admitted[app, interface]
        known.append((sent, now))
        if len(known) <= calls:
            return True
        latest = list(known)[-calls - 1 :]
        return now - min(sent for sent, _ in latest) >= seconds

    def refused(self, app: str, interface: str, sent: float) -> bool:
        """Whether that is right: enough others may be in the window before it."""
        calls, seconds = self._limit(app, interface)
        self._open[app, interface] -= 1
        known = self._admitted[app, interface]
        lately = sum(1 for _, answered in known if answered >= sent - seconds)
        return lately + self._open[app, interface] >= calls
