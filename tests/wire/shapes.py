"""What an answer must look like: JSON typed out, with a shape where it cannot be known.

``{kind}`` stands for any value of that kind, ``{kind:name}`` keeps what it met under
that name, ``{=name}`` is what was kept. ``{a*65}`` is the letter 65 times, ``{names*3}``
is ``"user1", "user2", "user3"`` and ``{path*3}`` is ``user1,user2,user3``; ``{base}`` is
the address of acme's app.
"""

import re
import time
from dataclasses import dataclass, field

NEAR_MS = 10 * 60 * 1000
"""How far a time that the server tells may be from ours."""

_TEXT = {
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "id": r"[0-9]+",
    "int": r"[0-9]+",
    "ms": r"[0-9]{13}",
    "seconds": r"[0-9]{10}",
    "token": r"wt1\.(?:app|usr)\.[\w-]+\.[\w-]+",
    "secret": r"[A-Za-z0-9_-]{48}",
    "cursor": r"\S+",
    "any": r".*",
}
_NUMBERS = {"int", "ms", "seconds", "number", "id:number"}
_PLACE = re.compile(
    r"\{(?:=(?P<kept>\w+)|(?P<kind>id:number|[a-z]+)(?::(?P<name>\w+))?)\}"
)
_REPEATED = re.compile(r"\{(?P<what>[a-z]|names|path)\*(?P<times>\d+)\}")


class Differs(AssertionError):
    """An answer is not what was written down."""


@dataclass
class Kept:
    """Values by name: those a scenario began with, and those its answers brought."""

    values: dict[str, object] = field(default_factory=dict)

    def keep(self, name: str | None, value: object, where: str) -> None:
        if name is None:
            return
        if self.values.setdefault(name, value) != value:
            message = f"{where}: {value!r}, but {name} was {self.values[name]!r}"
            raise Differs(message)

    def fill(self, text: str) -> str:
        """*text* with the values that are known and the repetitions written out."""

        def known(place: re.Match[str]) -> str:
            if place["kept"] is None:
                return place[0]
            return str(self.values[place["kept"]])

        text = text.replace("{base}", str(self.values.get("base", "")))
        return _REPEATED.sub(_repeat, _PLACE.sub(known, text))

    def match(self, wanted: object, found: object, where: str = "body") -> None:
        """
        Raises:
            Differs: *found* is not of the shape *wanted*; says where.
        """
        if isinstance(wanted, dict) and isinstance(found, dict):
            filled = {self.fill(key): value for key, value in wanted.items()}
            self._match_keys(filled, found, where)
        elif isinstance(wanted, list) and isinstance(found, list):
            if len(wanted) != len(found):
                message = f"{where}: {len(found)} elements, not {len(wanted)}: {found}"
                raise Differs(message)
            for n, (one, other) in enumerate(zip(wanted, found, strict=True)):
                self.match(one, other, f"{where}[{n}]")
        elif isinstance(wanted, str):
            self._match_text(wanted, found, where)
        elif type(wanted) is not type(found) or wanted != found:
            message = f"{where}: {found!r}, not {wanted!r}"
            raise Differs(message)

    def _match_keys(
        self, wanted: dict[str, object], found: dict[str, object], where: str
    ) -> None:
        if wanted.keys() != found.keys():
            missing, extra = wanted.keys() - found.keys(), found.keys() - wanted.keys()
            message = (
                f"{where}: without {sorted(missing)}, with {sorted(extra)}: {found}"
            )
            raise Differs(message)
        for key, value in wanted.items():
            self.match(value, found[key], f"{where}.{key}")

    def _match_text(self, wanted: str, found: object, where: str) -> None:
        wanted = wanted.replace("{base}", str(self.values.get("base", "")))
        whole = _PLACE.fullmatch(wanted)
        if whole and whole["kept"]:
            if found != self.values[whole["kept"]]:
                message = f"{where}: {found!r}, not {self.values[whole['kept']]!r}"
                raise Differs(message)
        elif whole and whole["kind"] == "any":
            self.keep(whole["name"], found, where)
        elif whole and whole["kind"] in _NUMBERS:
            _check_number(whole["kind"], found, where)
            self.keep(whole["name"], found, where)
        elif not isinstance(found, str):
            message = f"{where}: {found!r}, not {wanted!r}"
            raise Differs(message)
        else:
            self._match_parts(self.fill(wanted), found, where)

    def _match_parts(self, wanted: str, found: str, where: str) -> None:
        pattern, names, end = "", [], 0
        for place in _PLACE.finditer(wanted):
            pattern += re.escape(wanted[end : place.start()])
            pattern += f"({_TEXT[place['kind']]})"
            names.append(place["name"])
            end = place.end()
        met = re.fullmatch(pattern + re.escape(wanted[end:]), found, re.DOTALL)
        if met is None:
            message = f"{where}: {found!r}, not {wanted!r}"
            raise Differs(message)
        for name, value in zip(names, met.groups(), strict=True):
            self.keep(name, value, where)


def _check_number(kind: str, found: object, where: str) -> None:
    if type(found) is not int or found < 0:
        message = f"{where}: {found!r} is no {kind}"
        raise Differs(message)
    per_second = {"ms": 1000, "seconds": 1}.get(kind)
    if per_second is not None:
        away_ms = abs(found * 1000 // per_second - time.time_ns() // 1_000_000)
        if away_ms > NEAR_MS:
            message = f"{where}: {found} is not now"
            raise Differs(message)


def _repeat(repeated: re.Match[str]) -> str:
    times = int(repeated["times"])
    if repeated["what"] == "names":
        return ", ".join(f'"user{n}"' for n in range(1, times + 1))
    if repeated["what"] == "path":
        return ",".join(f"user{n}" for n in range(1, times + 1))
    return repeated["what"] * times
