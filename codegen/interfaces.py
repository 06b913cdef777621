"""Row title to module name: short words for the ten, snake_case for any other."""

import builtins
from difflib import get_close_matches

from codegen.inline import Text
from codegen.names import LONGEST, identifier

TITLES = {
    "users": ("users", "chat user related", "chat users"),
    "friends": ("friends", "chat friend relationship", "chat friends"),
    "blacklist": ("blacklist", "chat blacklist"),
    "blocking": ("blocking", "account blocking", "user account blocking"),
    "offline": ("offline", "offline messages"),
    "history": (
        "history",
        "chat history",
        "chat history download",
        "download chat history",
    ),
    "files": ("files", "upload and download"),
    "messages": ("messages", "sending messages"),
    "groups": ("groups", "group related information"),
    "chatrooms": ("chatrooms", "chat rooms", "chat room related information"),
}
SHORT = {title: name for name, titles in TITLES.items() for title in titles}
BUILTINS = frozenset(dir(builtins))
NEAR = 0.85


def name_of(title: Text) -> str:
    """The one word that names the interface everywhere.

    Raises:
        Misread: no module can be called so.
    """
    words = title.words()
    return SHORT.get(_plain(words)) or identifier(
        words, title.span, "an interface", taken=BUILTINS
    )


def meant(title: Text) -> str | None:
    """The interface whose title this seems to be misspelt for, if any."""
    words = _plain(title.words())[:LONGEST]
    close = get_close_matches(words, SHORT, n=1, cutoff=NEAR)
    return SHORT[close[0]] if close and words not in SHORT else None


def _plain(words: str) -> str:
    return words.lower().replace("-", " ")
