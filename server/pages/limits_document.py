"""The limits document as HTML, each of its figures linked to the rule it became."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from server import rules
from server.kinds import Bound, Calls, Stated

Link = Callable[[str], str]
"""Where a figure leads, by the name of its rule."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The document as a page shows it."""

    html: Markup
    figures: frozenset[str]
    """The rules of which a figure was found."""
    is_current: bool
    """Whether the rules in force are what its tables say."""


def render(path: Path, link: Link) -> Rendered | None:
    """The document at *path*; None: there is none that can be read."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    tokens = _parser().parse(text)
    found: set[str] = set()
    for cell in _cells(tokens):
        found |= _mark(cell, link)
    html = _parser().renderer.render(tokens, _parser().options, {})
    return Rendered(Markup(html), frozenset(found), says_the_rules(text))  # noqa: S704 (markdown-it escapes what is not Markdown)


def says_the_rules(text: str) -> bool:
    """Whether the tables of *text* are those that the rules were compiled from."""
    # As codegen does: the numbered lines that can be part of a table.
    lines = text.split("\n")
    tables = "\n".join(f"{n}:{line}" for n, line in enumerate(lines, 1) if "|" in line)
    return hashlib.sha256(tables.encode()).hexdigest() == rules.DIGEST


@cache
def _parser() -> MarkdownIt:
    # No HTML of the document's own gets through, nor a link a browser would run.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _open_table(*_: object) -> str:
    return '<div class="scroll" role="group" tabindex="0" aria-label="Table"><table>\n'


def _cells(tokens: Iterable[Token]) -> Iterator[tuple[int, Token]]:
    """What stands in the cells of tables, with its line, from 1."""
    line = 0
    inside = False
    for token in tokens:
        if token.type == "tr_open" and token.map:
            line = token.map[0] + 1
        inside = inside or token.type == "td_open"
        inside = inside and token.type != "td_close"
        if inside and token.type == "inline":
            yield line, token


@cache
def _figures() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The words of each figure and its rule, by where the document says them."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for interface in rules.INTERFACES:
        for rule in interface.rules:
            for stated in _stated(rule):
                found.setdefault(stated[1], {})[stated[0], rule.name] = None
    return {source: tuple(figures) for source, figures in found.items()}


def _stated(rule: Calls | Bound) -> Iterator[tuple[str, str]]:
    if isinstance(rule, Calls):
        for rate in rule.rates.values():
            yield rate.words, rate.source
        return
    each: Stated | None
    for each in (rule.everyone, *rule.by_edition.values()):
        if each is not None:
            yield each.words, each.source


def _mark(cell: tuple[int, Token], link: Link) -> set[str]:
    """Make links of the figures in a cell; returns the rules they are of."""
    line, inline = cell
    children = inline.children or []
    whole = "".join(_text(child) for child in children)
    spans = list(_spans(whole, _figures().get(f"limits.md:{line}", ())))
    at = 0
    marked: list[Token] = []
    for child in children:
        end = at + len(_text(child))
        inner = [span for span in spans if span[0] < end and span[1] > at]
        marked += _split(child, at, inner, link) if child.type == "text" else [child]
        at = end
    inline.children = marked
    return {rule for _, _, rule in spans}


def _text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content if token.type in ("text", "code_inline") else ""


def _spans(
    whole: str, figures: Iterable[tuple[str, str]]
) -> Iterator[tuple[int, int, str]]:
    """From where to where the words of a rule stand, in their order."""
    found: list[tuple[int, int, str]] = []
    for words, rule in sorted(figures, key=lambda each: -len(each[0])):
        pattern = r"\s+".join(re.escape(word) for word in words.split())
        for met in re.finditer(pattern, whole):
            if not any(met.start() < end and met.end() > at for at, end, _ in found):
                found.append((met.start(), met.end(), rule))
    yield from sorted(found)


def _split(
    child: Token, at: int, spans: Iterable[tuple[int, int, str]], link: Link
) -> Iterator[Token]:
    """The text of *child*, which begins *at*, with links in it."""
    done = 0
    for begin, end, rule in spans:
        first, last = max(begin - at, 0), min(end - at, len(child.content))
        yield _plain(child.content[done:first], child)
        href = {"href": link(rule), "class": "figure", "title": rule}
        yield Token("link_open", "a", 1, attrs=dict(href))
        yield _plain(child.content[first:last], child)
        yield Token("link_close", "a", -1)
        done = last
    yield _plain(child.content[done:], child)


def _plain(content: str, like: Token) -> Token:
    return Token("text", "", 0, content=content, level=like.level)
