"""Headings: which kind of column each one is, and which it was meant to be."""

import re
from difflib import get_close_matches

from codegen.inline import Text
from codegen.names import identifier

NOTES = "supplementary notes"
FURTHER = "further limits"
KNOWN = ("interface", "description", "edition", NOTES, FURTHER)
WRITTEN = "Interface | Description | Community Edition"
LONGEST = 40  # of a heading that is compared with others


def kind(heading: str) -> str:
    """What a column is: one of KNOWN, or the heading itself in lower case."""
    words = heading.lower()
    if words.endswith(" edition " + NOTES):
        return NOTES
    return "edition" if words.endswith(" edition") else words


def edition_name(heading: Text) -> str:
    """The name of an edition: "Community Edition" is community.

    Raises:
        Misread: no edition can be called so.
    """
    words = re.sub(r" ?edition$", "", heading.words(), flags=re.IGNORECASE)
    return identifier(words, heading.span, "an edition", taken=())


def near(unknown: str) -> list[str]:
    """The known heading that *unknown* is close to, if any."""
    return [close.title() for close in get_close_matches(unknown[:LONGEST], KNOWN, n=1)]


def meant(unknown: str, *, states: bool, named: bool) -> str:
    """The heading that one of a table should have been; nothing where all is well.

    *states*: another heading states limits; *named*: another is Interface.
    """
    unknown = unknown[:LONGEST]
    if not named:
        close = states and get_close_matches(unknown, ["interface"], cutoff=0.8)
        return "Interface" if close or (states and unknown == FURTHER) else ""
    if get_close_matches(unknown, [FURTHER], cutoff=0.75):
        return FURTHER.capitalize()
    first, _, last = unknown.rpartition(" ")
    if get_close_matches(last, ["edition"], cutoff=0.75):
        return f"{first} edition".strip().title()
    return "Community Edition" if unknown == "description" else ""
