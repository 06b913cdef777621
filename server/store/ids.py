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


@dataclass(frozen=True, slots=True)
class Ids:
    """One kind of id."""

    sequence: str
    shift: int

    def first(self, at_ms: int) -> int:
        """The least id that is given at this moment or later."""
        return at_ms << self.shift

    @property
    def taken(self) -> str:
        """In the insert on PostgreSQL: the first of as many ids as ``?`` says."""
        return f"take_ids('{self.sequence}', {self.shift}, ?)"

    def asked(self, now: int, count: int = 1) -> int:
        """The insert's first parameter: the least id, or how many PostgreSQL gives."""
        return count if database.gives_ids() else self.first(now)


OF_MESSAGES = Ids("message_ids", 20)
OF_MUCS = Ids("muc_ids", 12)
