"""Cursors: where a list goes on. Opaque to callers, who send the last one back."""

import base64
import binascii
import re

from flask import request

from server.errors import IllegalArgument

_FORM = re.compile(r"([a-z]+):([0-9]{1,19})")


def encode(kind: str, position: int) -> str:
    """A cursor after *position* of the list *kind*."""
    return base64.urlsafe_b64encode(f"{kind}:{position}".encode()).rstrip(b"=").decode()


def sent(kind: str) -> int:
    """The position in the query's cursor; 0, before the first, when there is none.

    Raises:
        IllegalArgument: it is no cursor of this kind. It must not mean page one: runs
            of deletions page with it.
    """
    text = request.args.get("cursor", "")
    if not text:
        return 0
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise IllegalArgument from None
    found = _FORM.fullmatch(decoded)
    if found is None or found[1] != kind or int(found[2]) >= 1 << 63:
        raise IllegalArgument
    return int(found[2])
