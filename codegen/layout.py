"""Expressions as `ruff format` lays them out: one line if it fits, else one a line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from codegen.display import width

WIDEST = 88
INDENT = "    "


@dataclass(frozen=True)
class Name:
    """Text that stays on its line: a name, a number, a string."""

    text: str

    def flat(self) -> str:
        return self.text


@dataclass(frozen=True)
class Call:
    """A call. *fits*: on one line where that is short enough."""

    name: str
    args: tuple["Node", ...] = ()
    named: Mapping[str, "Node"] = field(default_factory=dict)
    fits: bool = False

    def flat(self) -> str:
        parts = [node.flat() for node in self.args]
        parts += [f"{key}={node.flat()}" for key, node in self.named.items()]
        return f"{self.name}({', '.join(parts)})"


@dataclass(frozen=True)
class Dict:
    """A dict with string keys."""

    items: Mapping[str, "Node"]
    fits: bool = False

    def flat(self) -> str:
        items = self.items.items()
        return "{" + ", ".join(f"{literal(k)}: {n.flat()}" for k, n in items) + "}"


@dataclass(frozen=True)
class Tuple:
    """A tuple."""

    items: tuple["Node", ...]
    fits: bool = False

    def flat(self) -> str:
        inner = ", ".join(node.flat() for node in self.items)
        return f"({inner},)" if len(self.items) == 1 else f"({inner})"


Node = Name | Call | Dict | Tuple


def assign(name: str, node: Node) -> list[str]:
    """The lines of `name = node`."""
    return list(_lines(f"{name} = ", node, "", ""))


def _lines(prefix: str, node: Node, suffix: str, indent: str) -> Iterator[str]:
    """*node* between *prefix* and *suffix*, opened up when it must or may not fit."""
    line = f"{indent}{prefix}{node.flat()}{suffix}"
    if isinstance(node, Name) or (_may_fit(node) and width(line) <= WIDEST):
        yield line
        return
    opening, closing, parts = _opened(node)
    yield f"{indent}{prefix}{opening}"
    for start, part in parts:
        yield from _lines(start, part, ",", indent + INDENT)
    yield f"{indent}{closing}{suffix}"


def _may_fit(node: Node) -> bool:
    if isinstance(node, Name):
        return True
    inner = node.args if isinstance(node, Call) else ()
    return node.fits and all(map(_may_fit, inner))


def _opened(node: Call | Dict | Tuple) -> tuple[str, str, list[tuple[str, Node]]]:
    """The opening, the closing, and each part with what stands before it."""
    if isinstance(node, Call):
        parts = [("", part) for part in node.args]
        parts += [(f"{key}=", part) for key, part in node.named.items()]
        return f"{node.name}(", ")", parts
    if isinstance(node, Dict):
        return "{", "}", [(f"{literal(k)}: ", n) for k, n in node.items.items()]
    return "(", ")", [("", part) for part in node.items]


def literal(text: str) -> str:
    """*text* as a string literal: double quotes unless that needs more escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in {"\\", quote}:
        return "\\" + character
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
