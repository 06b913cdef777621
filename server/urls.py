"""How a URL of the settings is shown: without who logs in, and with what."""

import re

_OPTIONS = re.compile(r"[?#]")


def without_secrets(text: str) -> str:
    """*text* without a login and without options, be it a URL or meant as one."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    # Up to the last @: a password with one in it, unescaped, is still a password; and
    # with a ? or # before it nobody knows where that ends.
    login, _, where = rest.rpartition("@")
    shown = "..." if _OPTIONS.search(login) else _OPTIONS.split(where)[0]
    return f"{scheme}{separator}{shown}"
