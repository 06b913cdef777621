"""Hypothesis strategies: tables that are right, however they are laid out.

Columns in any order, phrases in any cell that may hold them, markup, blemishes as the
platform's own table has them. Each comes with what it says.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.codegen import any_phrase
from tests.codegen.any_phrase import Said, Value

Draw = Callable[..., Any]
Rows = list[list[str]]

EDITIONS = {
    "Community": "community", "Enterprise": "enterprise", "Ultimate": "ultimate",
    "Pro Plus": "pro_plus", "Stage 2": "stage_2",
}  # fmt: skip
TITLES = {
    "Users": "users", "Chat user-related": "users", "blacklist": "blacklist",
    "Chat friend relationship": "friends", "Account blocking": "blocking",
    "Offline messages": "offline", "Download chat history": "history",
    "Upload and download": "files", "Sending messages": "messages",
    "Group related information": "groups", "CHAT ROOMS": "chatrooms",
    "Presence": "presence", "Web hooks 2": "web_hooks_2", "Read-receipts": "read_receipts",
}  # fmt: skip
PROSE = [
    "Register one user or many", "block/unblock users; force them offline", "a & b",
    "keep it (or do not)", "a `code` word", "[a page](https://example.org/v2/limits)",
]  # fmt: skip
BEFORE = [
    "", "# Limits\n\nWhat callers may do, 5 times.\n\n", "```\n| Interface | 5 |\n```\n\n",
    "Name | Colour\n--- | ---\nsky | blue\n\n", "<!-- | 5 | 6 | -->\n\n", "\ufeff",
]  # fmt: skip
AFTER = ["", "\nThat is all 5 of them.\n", "Edit me../../\n"]
DASHES = ["---", ":---", "---:", ":-:", "-----"]
MARKS = ["{}", "{}", "{}", "**{}**", "*{}*", "_{}_", "`{}`", "~~{}~~", "<b>{}</b>",
         "[{}](https://example.org/9)"]  # fmt: skip
BLANKS = [" ", " ", " ", "  ", "&nbsp;", "<br>", "\t", "\u3000", "&#32;"]


@dataclass
class Expected:
    """What a table says."""

    editions: list[str]
    rates: dict[tuple[str, str], Value] = field(default_factory=dict)
    """Calls and unit, by interface and edition; interfaces in the table's order."""
    others: dict[tuple[str, str, str | None], tuple[str, Value]] = field(
        default_factory=dict
    )
    """Kind and figure, by interface, rule and edition."""


@st.composite
def tables(draw: Draw, stray: str = "") -> tuple[str, Expected]:
    """The text of a document, and what it says; with *stray* as one more phrase."""
    named = draw(
        st.lists(st.sampled_from([*EDITIONS]), min_size=1, max_size=4, unique=True)
    )
    notes = draw(st.lists(st.sampled_from(named), max_size=2, unique=True))
    columns = draw(
        st.permutations(
            ["Interface", "Description"]
            + [f"{each} Edition" for each in named]
            + [f"{each} Edition Supplementary Notes" for each in notes]
        )
    )
    # What follows speaks of editions in the order of their columns.
    editions = {each: EDITIONS[each.removesuffix(" Edition")]
                for each in columns if each.endswith(" Edition")}  # fmt: skip
    expected = Expected(list(editions.values()))
    titles = draw(
        st.lists(
            st.sampled_from([*TITLES]), min_size=1, max_size=3, unique_by=TITLES.get
        )
    )
    rows: Rows = [columns]
    further: Rows = []
    for title in titles:
        name = TITLES[title]
        said = draw(_phrases(expected.editions))
        expected.others |= {
            (name, one.name, one.edition): (one.kind, one.value) for one in said
        }
        cells: dict[str, list[str]] = {column: [] for column in columns}
        texts = [draw(_marked(one.text)) for one in said]
        if stray and title == titles[0]:
            texts.insert(draw(st.integers(0, len(texts))), stray)
        for text in texts:
            place = draw(st.sampled_from([*columns, "further", "further"]))
            if place == "further" or place == "Interface":
                further.append([title, text])
            else:
                cells[place].append(text)
        for heading, edition in editions.items():
            rate = draw(any_phrase.rates())
            expected.rates[name, edition] = rate.value
            cells[heading].append(draw(_marked(rate.text)))
        rows.append([
            draw(_marked(draw(st.sampled_from([str, str.lower, str.upper]))(title)))
            if column == "Interface"
            else draw(_joined(cells[column], spilled=column in editions))
            for column in columns
        ])  # fmt: skip
    return draw(_document(rows, further)), expected


def _phrases(editions: list[str]) -> st.SearchStrategy[list[Said]]:
    return st.lists(
        any_phrase.bounds(editions), max_size=4, unique_by=lambda said: said.name
    )


@st.composite
def _marked(draw: Draw, text: str) -> str:
    """With a mark around it, or a blank of another kind somewhere."""
    at = [n for n, letter in enumerate(text) if letter == " "]
    if at and draw(st.booleans()):
        n = draw(st.sampled_from(at))
        text = text[:n] + draw(st.sampled_from(BLANKS)) + text[n + 1 :]
    return draw(st.sampled_from(MARKS)).format(text)


@st.composite
def _joined(draw: Draw, phrases: list[str], *, spilled: bool) -> str:
    """A cell of these phrases, description among them; what *spilled* goes first."""
    parts = [*phrases]
    if draw(st.booleans()):
        at = 0 if spilled else draw(st.integers(0, len(parts)))
        parts.insert(at, draw(st.sampled_from(PROSE)))
        if spilled and len(parts) == 2 and draw(st.booleans()):
            return " ".join(parts)  # glued to the rate, as in the platform's table
    if not spilled and len(parts) > 1 and draw(st.booleans()):
        return f"{parts[0]} ({'；'.join(parts[1:])})"
    return draw(st.sampled_from(["; ", " ;", "；"])).join(parts)


@st.composite
def _document(draw: Draw, rows: Rows, further: Rows) -> str:
    swapped = draw(st.booleans())
    more = [["Interface", "Further limits"], *draw(st.permutations(further))]
    if swapped:
        more = [row[::-1] for row in more]
    blocks = [draw(_laid_out(rows)) + draw(st.sampled_from(AFTER))]
    if further:
        blocks.insert(draw(st.sampled_from([0, 1])), draw(_laid_out(more)))
    text = draw(st.sampled_from(BEFORE)) + "\n\n".join(blocks)
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))


@st.composite
def _laid_out(draw: Draw, rows: Rows) -> str:
    """Lines of a Markdown table, its header first."""
    header = [
        draw(st.sampled_from([str, str.upper, str.lower]))(each) for each in rows[0]
    ]
    dashes = [draw(st.sampled_from(DASHES)) for _ in header]
    empty = [""] if draw(st.booleans()) else []  # a column of nothing at the end
    lines = [[*header, *empty], [*dashes, *(["---"] if empty else [])]]
    lines += [[*row, *empty] for row in rows[1:]]
    return "".join(draw(_line(cells)) for cells in lines)


@st.composite
def _line(draw: Draw, cells: list[str]) -> str:
    bar = draw(st.sampled_from([" | ", "|", " |  ", "\t|"]))
    begin = "| " if not cells[0] or draw(st.booleans()) else ""
    end = " |" if not cells[-1] or draw(st.booleans()) else ""
    return f"{begin}{bar.join(cells)}{end}\n"
