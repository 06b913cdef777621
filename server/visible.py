"""Text of callers' making, shown where a control character would do something."""


def visible(text: str) -> str:
    """*text* with what cannot be printed written out, as ``\\n`` or ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
