"""No finding of ruff's is passed over without a reason."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOQA = re.compile(
    r"#\s*noqa\b(?::\s*(?P<codes>[A-Z0-9, ]+?))?(?P<reason>\s*\(.+\))?\s*$"
)
SECURITY = re.compile(r"\bS[0-9]{3}\b")


def sources() -> list[Path]:
    folders = ("codegen", "server", "tests")
    return [
        *ROOT.glob("*.py"),
        *(p for each in folders for p in (ROOT / each).rglob("*.py")),
    ]


def test_a_security_finding_that_is_let_be_has_its_reason_beside_it() -> None:
    without = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if "noqa" in line and (found := NOQA.search(line))
        if not found["codes"]
        or (SECURITY.search(found["codes"]) and not found["reason"])
    ]

    assert without == []


def test_every_rule_that_is_let_be_in_a_folder_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    folders = [rule for each in lint["per-file-ignores"].values() for rule in each]
    security = [rule for rule in folders if SECURITY.fullmatch(rule)]

    reasoned = [
        rule
        for line in text.split("\n")
        for rule in re.findall(r'"(S[0-9]{3})"', line.partition("#")[0])
        if line.partition("#")[2].strip()
    ]

    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    assert sorted(reasoned) == sorted(security)
