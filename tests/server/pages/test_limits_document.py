"""limits.md as a page: every figure leads somewhere, and nothing else gets in."""

import re
from pathlib import Path

import pytest
from flask import Flask

from server import pages
from server.pages.limits_document import Rendered, render
from tests import facts
from tests.test_promises import ROOT

DOCUMENT = ROOT / "limits.md"
RULES = set(facts.BOUNDS) | set(facts.RATES)


def link(rule: str) -> str:
    return f"#{rule}"


@pytest.fixture
def rendered() -> Rendered:
    found = render(DOCUMENT, link)
    assert found is not None
    return found


def changed(tmp_path: Path, old: str, new: str) -> Rendered:
    text = DOCUMENT.read_text()
    assert old in text
    copy = tmp_path / "limits.md"
    copy.write_text(text.replace(old, new, 1))
    found = render(copy, link)
    assert found is not None
    return found


def test_every_rule_is_led_to_from_its_words(rendered: Rendered) -> None:
    leads = set(re.findall(r'<a href="#([\w.]+)" class="figure"', rendered.html))

    assert leads == RULES
    assert rendered.figures == RULES
    assert rendered.is_current


def test_every_figure_of_the_tables_is_within_a_link(rendered: Rendered) -> None:
    cells = re.findall(r"<td>(.*?)</td>", rendered.html)

    outside = [re.sub(r"<a .*?</a>", "", cell) for cell in cells]

    assert [cell for cell in outside if re.search(r"\d", cell)] == []


def test_the_words_are_those_of_the_document(rendered: Rendered) -> None:
    said = re.search(r'<a href="#messages.daily[^>]*>(.*?)</a>', rendered.html)

    assert said is not None
    assert said[1] == (
        "the limit of &quot;daily system push messages&quot; in the Community edition"
        " is 20,000 messages"
    )


def test_words_with_emphasis_in_them_still_lead_there(tmp_path: Path) -> None:
    found = changed(
        tmp_path, "user ID length 64 characters;", "user ID length **64** characters;"
    )

    assert '<strong><a href="#users.user_id"' in found.html
    assert "users.user_id" in found.figures


def test_html_of_the_document_is_text(tmp_path: Path) -> None:
    found = changed(
        tmp_path,
        "| Friends | Add",
        "| Friends | <script>alert(1)</script> [x](javascript:alert(1)) Add",
    )

    assert "<script>" not in found.html
    assert "&lt;script&gt;" in found.html
    assert 'href="javascript:' not in found.html


def test_another_document_than_the_rules_says_so(app: Flask, tmp_path: Path) -> None:
    changed(tmp_path, "limit 10 times/second", "limit 11 times/second")
    pages.init_app(tmp_path / "limits.md")

    page = app.test_client().get("/docs/limits")

    assert page.status_code == 200
    assert "Callers are held to the rules" in page.text
    assert 'id="users.calls"' in page.text


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_without_the_document_the_rules_are_listed(
    app: Flask, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "limits.md").write_bytes(content)
    pages.init_app(tmp_path / "limits.md")

    page = app.test_client().get("/docs/limits")

    assert page.status_code == 200
    assert "is not beside this server" in page.text
    for rule in RULES:
        assert f'id="{rule}"' in page.text


def test_each_rule_lists_the_operations_it_binds(app: Flask) -> None:
    page = app.test_client().get("/docs/limits").text

    rule = re.search(r'id="users.bulk_registration">(.*?)</details>', page, re.DOTALL)

    assert rule is not None
    assert re.findall(r'href="([^"]*)"', rule[1]) == ["users#users.register"]


def test_pages_are_held_to_assets_of_our_own(app: Flask) -> None:
    client = app.test_client()
    for path in ("/docs", "/docs/limits", "/docs/users", "/docs/nope"):
        page = client.get(path)

        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "style=" not in page.text
        assert re.findall(r"\bon[a-z]+=", page.text) == []
        assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
        for address in re.findall(r'(?:src|href)="([^"]*)"', page.text):
            assert "//" not in address
        assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("docs.js", "text/javascript; charset=utf-8"),
        ("weir.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)
def test_assets_have_their_types(app: Flask, name: str, kind: str) -> None:
    with app.test_client().get(f"/docs/assets/{name}") as found:
        assert found.status_code == 200
        assert found.content_type == kind
        assert found.headers["X-Content-Type-Options"] == "nosniff"


def test_there_is_no_way_out_of_the_assets(app: Flask) -> None:
    client = app.test_client()
    for name in ("..%2f__init__.py", "%2e%2e%2f__init__.py", "nope.js"):
        assert client.get(f"/docs/assets/{name}").status_code == 404
