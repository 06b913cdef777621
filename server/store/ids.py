"""Ids that tell the time: of messages, and of groups and rooms.

An id is the Unix milliseconds shifted left, or the next number after the last id given
where that is larger: decimal digits that grow, fit 64 bits with sign, and are never
given twice, whatever the clocks do.

On SQLite the insert itself looks for the last one, as nobody else writes meanwhile. On
PostgreSQL hosts write at once, so the database's own clock and a sequence give them
(``take_ids`` in migrations/): unique over all apps, and within an app, whose lock the
transaction holds, in the order of the commits.
"""

from dataclasses import dataclass

from server.store import database
from server.store.database import Statement


@dataclass(frozen=True, slots=True)
class Ids:
    """One kind of id."""

    sequence: str
    shift: int

    def first(self, at_ms: int) -> int:
        """The least id that is given at this moment or later."""
        return at_ms << self.shift

    def least(self, now: int, count: int = 1) -> int:
        """Part of a transaction: the id that *count* in a row may begin with.

        Theirs, on PostgreSQL. On SQLite their insert puts it after those there are.
        """
        if not database.gives_ids():
            return self.first(now)
        (first,) = _TAKE.one(self.sequence, self.shift, count)
        return int(first)


_TAKE = Statement("SELECT take_ids(?, ?, ?)")

OF_MESSAGES = Ids("message_ids", 20)
OF_MUCS = Ids("muc_ids", 12)
