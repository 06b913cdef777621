"""The fenced blocks of README.md that have a name of their own."""

import re

from tests.server.gunicorn import ROOT

_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def block(name: str) -> str:
    """The text of the block whose fence ends in *name*, as in "```ini weir.service"."""
    found = [
        text
        for named, text in _BLOCK.findall((ROOT / "README.md").read_text())
        if named == name
    ]
    assert len(found) == 1, f"README.md has {len(found)} blocks named {name}"
    return found[0]
