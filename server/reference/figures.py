"""The rules that bind an operation: for programs, and in words."""

from server import rules
from server.kinds import Bound, Calls
from server.reference.fields import Json


def _editions(rule: Calls | Bound) -> dict[str, Json]:
    told = {edition: rule.told(edition) for edition in rules.EDITIONS}
    return {edition: each for edition, each in told.items() if each is not None}


def limit(rule: Calls | Bound) -> Json:
    scope = {"scope": rule.scope} if isinstance(rule, Calls) else {}
    return {
        "rule": rule.name,
        "kind": rule.kind,
        **scope,
        "editions": _editions(rule),
    }


def in_words(rule: Calls | Bound) -> str:
    """`users.calls`: the words of each edition, and where they stand."""
    by_words: dict[tuple[str, str], list[str]] = {}
    for edition, told in _editions(rule).items():
        by_words.setdefault((told["limit"], told["doc"]), []).append(edition)
    said = []
    for (limit, doc), editions in by_words.items():
        for_all = len(editions) == len(rules.EDITIONS)
        whom = "" if for_all or _names(limit, editions) else _titles(editions)
        said.append(f"{limit}{whom} ({doc})")
    return f"`{rule.name}`: {'; '.join(said)}"


def _titles(editions: list[str]) -> str:
    return ", " + " and ".join(rules.EDITIONS[each] for each in editions)


def _names(words: str, editions: list[str]) -> bool:
    """Whether the words say themselves whom they bind."""
    return all(rules.EDITIONS[each].lower() in words.lower() for each in editions)
