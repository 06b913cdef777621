"""PostgreSQL tells this process who has something to look at, on a connection for that.

``LISTEN`` costs the server nothing until there is a word, and a word costs the sender
one statement in the transaction it is about.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

CHANNEL = "weir_wake"

# A server that is lost without a word is noticed so: nothing else is sent here.
_SILENCE_SECONDS = 20


class Listener:
    """One connection, outside the pool: it has no transactions."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        """
        Raises:
            OSError: the server cannot be reached.
        """
        try:
            self._connection = psycopg.connect(**parameters, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as error:
            raise OSError(str(error)) from error

    def hear(self) -> Sequence[bytes]:
        try:
            found = self._connection.notifies(timeout=_SILENCE_SECONDS, stop_after=1)
            words = [each.payload.encode() for each in found]
            if not words:
                self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise OSError(str(error)) from error
        return words

    def shut(self) -> None:
        """The silence is soon over."""

    def close(self) -> None:
        self._connection.close()
