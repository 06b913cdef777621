"""What is probed after a change: what has to have moved, and what has to be as before."""

from dataclasses import dataclass

from tests import facts
from tests.mutation.figures import Figure, Mutant, Value

EDITIONS = ("community", "enterprise")
ALL_ALIKE = "enterprise"
"""The edition that is probed for what binds all, as it may call more often."""

# Half of the work of all together: only asked for when their own interface was changed.
COSTLY = frozenset(
    {
        "files.cluster_downloads",  # hundreds of calls, by dozens of apps
        "files.file",  # megabytes
        "groups.shared_file",
        "users.bulk_registration",  # dozens of passwords to hash
    }
)


@dataclass(frozen=True)
class Subject:
    """A rule as an app of an edition meets it; *value* None: it binds no such app."""

    rule: str
    edition: str
    value: Value | None

    @property
    def interface(self) -> str:
        return self.rule.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.rule} ({self.edition})"


def as_stated() -> list[Subject]:
    """Every figure of the facts; those of one edition alone in the other too."""
    return [
        Subject(rule, edition, value)
        for rule, rates in facts.RATES.items()
        for edition, value in rates.items()
    ] + [subject for rule in facts.BOUNDS for subject in _bound(rule)]


def _bound(rule: str) -> list[Subject]:
    stated = {edition: value for _, value, edition in facts.bound(rule)}
    if None in stated:
        return [Subject(rule, ALL_ALIKE, stated[None])]
    return [Subject(rule, edition, stated.get(edition)) for edition in EDITIONS]


def moved(mutant: Mutant) -> list[Subject]:
    """The changed figure, in each edition that it binds."""
    figure = mutant.figure
    bound = [figure.edition] if figure.edition else EDITIONS
    return [Subject(figure.rule, edition, mutant.value) for edition in bound]


def unmoved(figure: Figure) -> list[Subject]:
    """All else: of its interface everything, of the others what costs little."""
    bound = {figure.edition} if figure.edition else set(EDITIONS)
    interface = figure.rule.partition(".")[0]
    return [
        subject
        for subject in as_stated()
        if not (subject.rule == figure.rule and subject.edition in bound)
        if subject.interface == interface or subject.rule not in COSTLY
    ]
