"""Every unit the table may use, each once."""

from collections.abc import Mapping

from codegen.spec import Unit

TIME: Mapping[str, Unit] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("day", "days"), "day"),
}

BYTES: Mapping[str, int] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **dict.fromkeys(("k", "kb"), 1024),
    **dict.fromkeys(("m", "mb"), 1024**2),
    **dict.fromkeys(("g", "gb"), 1024**3),
}

CHARACTERS = {"character": 1, "characters": 1}
