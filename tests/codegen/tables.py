"""Small tables for tests, and a tree to compile them in."""

from pathlib import Path

COMMUNITY = "single app call limit 10 times/second"
ENTERPRISE = "single app call limit 30 times/second"

HEADER = (
    "Interface | Description | Community Edition | Enterprise Edition | "
    "Enterprise Edition Supplementary Notes\n"
    "--- | --- | --- | --- | ---\n"
)
FURTHER = "\nInterface | Further limits\n--- | ---\n"


def row(
    title: str = "Users",
    description: str = "things to do",
    community: str = COMMUNITY,
    enterprise: str = ENTERPRISE,
    notes: str = "",
) -> str:
    """A line of the limits table."""
    return f"| {title} | {description} | {community} | {enterprise} | {notes} |\n"


def stating(notes: str) -> str:
    """A table whose one row has these notes."""
    return HEADER + row(notes=notes)


def further(*rows: tuple[str, str]) -> str:
    """A table of further limits."""
    return FURTHER + "".join(f"| {title} | {limits} |\n" for title, limits in rows)


def tree_with(root: Path, **handlers: str) -> Path:
    """A tree at *root* whose server/api/ has these modules."""
    folder = root / "server" / "api"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in handlers.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return root
