"""Who was refused, by app and rule: as recorded, as the rules are, as proposed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from server.limiting.tables import EDITION, Table
from server.replay.books import SECOND_US, Book, Bound, take, use
from server.replay.lines import Attempt, Whose

MOST_ACCOUNTS = 100_000
_NOTHING = Bound((), ())


@dataclass(slots=True)
class Refusals:
    """How often, when first, and the moment (second or minute) with the most."""

    count: int = 0
    first_us: int = 0
    worst_us: int = 0
    worst: int = 0
    _moment_us: int = -1
    _in_moment: int = 0

    def note(self, at_us: int, moment_us: int) -> None:
        if not self.count:
            self.first_us = at_us
        self.count += 1
        moment = at_us - at_us % moment_us
        if moment != self._moment_us:
            self._moment_us, self._in_moment = moment, 0
        self._in_moment += 1
        if self._in_moment > self.worst:
            self.worst, self.worst_us = self._in_moment, moment


@dataclass(slots=True)
class Row:
    """One app under one rule."""

    app: str
    rule: str
    moment_us: int
    """The length of a moment: a second, or a minute for windows beyond a second."""
    calls: int = 0
    recorded: int = 0
    before: Refusals = field(default_factory=Refusals)
    after: Refusals = field(default_factory=Refusals)


@dataclass(slots=True)
class _Account:
    """The calls of one app, in one edition, of one operation."""

    before: Bound
    after: Bound
    calls: int = 0
    sends: int = 0


class Ledger:
    """Counts attempts in two books at once; they must come in order of time."""

    def __init__(self, live: Table, proposed: Table) -> None:
        self._books = Book(live), Book(proposed)
        self._tables = live, proposed
        self._rows: dict[tuple[str, str], Row] = {}
        self._accounts: dict[Whose, _Account] = {}
        self.quotas = {
            quota.name
            for table in self._tables
            for stated in table.quotas.values()
            for quota in stated
        }
        self.moments = {
            calls.name: max(rate.seconds for rate in calls.rates.values())
            for table in self._tables
            for binding in table.rates.values()
            for calls in binding
        }
        self.calls = self.late = self.unknown_recipients = 0
        self.refused_before = self.refused_after = 0
        self.first_us = self.last_us = 0
        self.unstated: Counter[str] = Counter()
        """Calls of interfaces that the proposed table does not have."""
        self.recorded_others: Counter[str] = Counter()
        """Refusals in the log by rules that are not replayed."""

    def replay(self, attempts: Iterable[Attempt]) -> None:
        """Count each attempt, except those that come after later ones."""
        accounts = self._accounts
        clock = self.last_us
        for at_us, whose, recipients, recorded in attempts:
            if at_us < clock:
                self.late += 1
                continue
            clock = at_us
            account = accounts.get(whose)
            if account is None:
                account = self._open(whose)
            account.calls += 1
            if recorded is not None:
                recipients = self._note_recorded(whose, recorded, recipients)
            if recipients:
                account.sends += 1
            bound = account.before
            rule = take(bound.rates, at_us) if bound.edition else EDITION
            if rule is None and recipients:
                rule = use(bound.quotas, at_us, recipients)
            if rule is not None:
                self.refused_before += 1
                row = self._row(whose.app, rule)
                row.before.note(at_us, row.moment_us)
            bound = account.after
            rule = take(bound.rates, at_us) if bound.edition else EDITION
            if rule is None and recipients:
                rule = use(bound.quotas, at_us, recipients)
            if rule is not None:
                self.refused_after += 1
                row = self._row(whose.app, rule)
                row.after.note(at_us, row.moment_us)
            self.calls += 1
            if not self.first_us:
                self.first_us = at_us
        self.last_us = clock

    def rows(self) -> list[Row]:
        """Every app and rule that refused, those that the proposal hits most first."""
        self._close_accounts()
        refused = (
            row
            for row in self._rows.values()
            if row.recorded or row.before.count or row.after.count
        )
        return sorted(
            refused,
            key=lambda row: (
                row.before.count - row.after.count,
                -row.after.count,
                row.app,
                row.rule,
            ),
        )

    def _open(self, whose: Whose) -> _Account:
        if len(self._accounts) >= MOST_ACCOUNTS:
            self._close_accounts()
        before, after = (book.bound(*whose) for book in self._books)
        account = _Account(before or _NOTHING, after or _NOTHING)
        self._accounts[whose] = account
        return account

    def _close_accounts(self) -> None:
        """Add what the accounts counted to the rows; the books keep their counts."""
        for whose, account in self._accounts.items():
            for rule in _rules(account.before, account.after):
                sends = rule in self.quotas
                self._row(whose.app, rule).calls += (
                    account.sends if sends else account.calls
                )
            if self._tables[1].binding(whose.interface, whose.operation) is None:
                self.unstated[whose.interface] += account.calls
        self._accounts.clear()

    def _note_recorded(self, whose: Whose, rule: str, recipients: int) -> int:
        """Note a recorded refusal; how many recipients the call is taken to have."""
        if rule in self.quotas or rule in self.moments:
            self._row(whose.app, rule).recorded += 1
        else:
            self.recorded_others[rule] += 1
        if rule in self.quotas and not recipients:
            self.unknown_recipients += 1
            return 1
        return recipients

    def _row(self, app: str, rule: str) -> Row:
        row = self._rows.get((app, rule))
        if row is None:
            long = rule in self.quotas or self.moments.get(rule, 1) > 1
            row = Row(app, rule, SECOND_US * (60 if long else 1))
            self._rows[app, rule] = row
        return row


def _rules(*sides: Bound) -> Iterator[str]:
    """Each rule that binds on either side, once."""
    named: dict[str, None] = {}
    for bound in sides:
        named |= dict.fromkeys(limit.rule for limit in bound.rates)
        named |= dict.fromkeys(daily.rule for daily in bound.quotas)
    if not all(bound.edition for bound in sides):
        named[EDITION] = None
    yield from named
