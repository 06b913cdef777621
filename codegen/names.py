"""Words of the table as Python names."""

import keyword
import re
from collections.abc import Collection

from codegen.problems import Misread, Span

LONGEST = 60
DROPPED = frozenset({"the", "a", "an", "of"})
TAKEN = frozenset({"blueprint", "calls", "cluster_downloads"})

WORDS = re.compile(r"[A-Za-z0-9]+(?:[ /&_'-]{1,3}[A-Za-z0-9]+)*")


def identifier(
    words: str, span: Span, what: str, *, taken: Collection[str] = TAKEN
) -> str:
    """*words* in snake_case, fit to name a Python module or constant.

    Raises:
        Misread: with the reason, at *span*.
    """
    if len(words) > LONGEST:
        reason = f"it has {len(words):,} characters, at most {LONGEST} make a name"
    elif not WORDS.fullmatch(words):
        reason = "letters a-z and figures make a name, with blanks between"
    elif words[0].isdigit():
        reason = "a name begins with a letter"
    elif len(words) < 2:
        reason = "a name has at least two letters"
    else:
        name = "_".join(re.findall("[a-z0-9]+", words.lower()))
        if not keyword.iskeyword(name) and name not in taken:
            return name
        reason = f'"{name}" means something else in Python or in the generated file'
    raise Misread(span, f"this cannot name {what}", reason)


def of_subject(words: str, span: Span) -> str:
    """The name of the rule that a subject such as "the user ID" gives."""
    kept = " ".join(word for word in words.split() if word not in DROPPED)
    return identifier(kept, span, "a rule")


def plural(words: str) -> str:
    """The last word with an s, so that "1 administrator" keeps its name."""
    return words if words.endswith("s") else words + "s"
