"""What a change means for those who call: tighter breaks them, looser does not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from codegen.changes import Changed
from codegen.spec import Spec


@dataclass(frozen=True)
class Effect:
    """A change, and whether it refuses what passes today or lets pass what does not.

    A rate that is neither above nor below the old one is both; a new edition or a new
    interface is neither, since nobody calls there yet.
    """

    changed: Changed
    tighter: bool
    looser: bool

    @property
    def word(self) -> str:
        if self.tighter and self.looser:
            return "tighter and looser"
        if self.tighter:
            return "tighter"
        return "looser" if self.looser else "new"


def of(changes: Iterable[Changed], old: Spec, new: Spec) -> list[Effect]:
    """Weigh each change, in the given order."""
    return [_weigh(changed, old, new) for changed in changes]


def _weigh(changed: Changed, old: Spec, new: Spec) -> Effect:
    if changed.change == "added":
        # A bound where there was none binds people, unless nobody was there.
        return Effect(changed, tighter=_stands(changed, old), looser=False)
    if changed.change == "removed":
        # An interface or an edition that is gone serves nobody any more.
        stands = _stands(changed, new)
        return Effect(changed, tighter=not stands, looser=stands)
    both = changed.change == "changed"
    return Effect(
        changed,
        tighter=both or changed.change == "tighter",
        looser=both or changed.change == "looser",
    )


def _stands(changed: Changed, spec: Spec) -> bool:
    """Whether the table has the interface and the edition of the change."""
    interfaces = {interface.name for interface in spec.interfaces}
    edition = changed.edition is None or changed.edition in spec.editions
    return edition and changed.rule.partition(".")[0] in interfaces


def totals(effects: Iterable[Effect]) -> dict[str, int]:
    """How many are tighter, looser, new; one that is both counts in both."""
    listed = list(effects)
    return {
        "tighter": sum(each.tighter for each in listed),
        "looser": sum(each.looser for each in listed),
        "new": sum(not each.tighter and not each.looser for each in listed),
    }


FAILS: Mapping[str, Callable[[Effect], bool]] = {
    "tighter": lambda effect: effect.tighter,
    "looser": lambda effect: effect.looser,
    "any": lambda _: True,
}
"""By the word of ``--fail-on``: which effects fail."""
