"""Every figure of the table is enforced by an operation, or it is a complaint."""

from collections.abc import Iterator
from difflib import get_close_matches

from codegen.binding import span
from codegen.display import counted
from codegen.document import Document
from codegen.emit import constant
from codegen.problems import Complaints, Problem, Span
from codegen.spec import Interface, Spec
from codegen.uses import Uses


def complaints(spec: Spec, uses: Uses, document: Document) -> list[Problem]:
    """Figures that no operation enforces, and rules that the table does not state."""
    found = Complaints(document)
    for interface in spec.interfaces:
        if not uses.operations.get(interface.name):
            found.found.append(_unhandled(interface, document))
        elif not uses.unread:  # else what is missing may be in a file not read
            _unenforced(interface, uses, found)
    return [*found.found, *_unstated(spec, uses), *_unclear(uses)]


def _unhandled(interface: Interface, document: Document) -> Problem:
    """A warning without its line quoted: there is nothing amiss in the words."""
    count = f"{counted(len(interface.rules), 'rule')} not enforced"
    return Problem(
        document.shown,
        Span(interface.line, interface.column, len(interface.title)),
        f"{interface.name} has no handlers yet; {count}",
        warning=True,
    )


def _unenforced(interface: Interface, uses: Uses, found: Complaints) -> None:
    stated = {rule.name for rule in interface.rules}
    unknown = [
        name
        for of, name in uses.mentioned
        if of == interface.name and name not in stated
    ]
    for rule in interface.rules:
        if uses.of_rule(interface.name, rule.name):
            continue
        close = get_close_matches(rule.name, unknown, n=1)
        name = rule.name if rule.name == "cluster_downloads" else constant(rule.name)
        hint = f"a handler of {interface.name} enforces it by naming rules.{name}"
        hints = [f"did you mean rules.{constant(close[0])}?"] if close else []
        found.error(
            span(rule.stated),
            f"{interface.name}.{rule.name}: no operation enforces this figure",
            *hints,
            hint,
        )


def _unstated(spec: Spec, uses: Uses) -> Iterator[Problem]:
    """Names that handlers read and the table does not give."""
    stated = {(interface.name, rule.name) for interface, rule in spec.rules()}
    words = [interface.name for interface in spec.interfaces]
    for (interface, name), places in uses.mentioned.items():
        if (interface, name) in stated or name == "blueprint":
            continue
        if interface in words:
            rules = [rule for of, rule in stated if of == interface]
            heading = f"the table states no {interface}.{name}"
            close = get_close_matches(name, sorted(rules), n=1)
        else:
            heading = f"the table has no interface {interface}"
            close = get_close_matches(interface, words, n=1)
        hints = (f'did you mean "{close[0]}"?',) if close else ()
        for place in places:
            yield _warning(place.file, place.line, heading, *hints)


def _unclear(uses: Uses) -> Iterator[Problem]:
    for place in uses.computed:
        yield _warning(
            place.file, place.line, "the path of this route is not plain text"
        )
    for place, reason in uses.unread:
        yield _warning(
            place.file,
            place.line,
            f"this is not Python, so what it enforces is not known: {reason}",
        )


def _warning(file: str, line: int, heading: str, *hints: str) -> Problem:
    return Problem(file, Span(line, 1), heading, hints=hints, warning=True)
