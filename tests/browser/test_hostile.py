"""What a hostile page or a hostile name can do to an operator, in a real browser."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Window
from tests.server.gunicorn import ROOT, Gunicorn, flask

HOSTILE = "<script>hit(1)</script>\"'><img src=x onerror=hit(2)><svg onload=hit(3)>"
TRAP = "window.hits = []; window.hit = (n) => hits.push(n);"


@pytest.fixture(scope="module")
def key(server: Gunicorn) -> str:
    flask(ROOT, server.state_dir, "apps", "create", "acme/chat", "--demo")
    made = flask(ROOT, server.state_dir, "operators", "create", "olga", "--json")
    return str(json.loads(made)["key"])


def sign_in(window: Window, key: str) -> Page:
    window.go("/console")
    window.page.get_by_label("Operator key").fill(key)
    window.page.get_by_role("button", name="Sign in").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Overview")
    return window.page


def test_what_others_wrote_is_only_text_in_a_browser(
    open_window: Open, key: str
) -> None:
    """In a query, a form, what it sends, and what the API answers to that."""
    with open_window() as window:
        window.page.add_init_script(TRAP)
        page = sign_in(window, key)
        for path in ("", "/audit", "/document", "/apps/acme/chat"):
            names = ("q", "of", "app", "deleted", "done", "after", "next", "over")
            query = "&".join(f"{name}={HOSTILE}" for name in names)
            page.goto(f"{window.base}/console{path}?{query}")
            assert page.evaluate("hits") == []
        page.goto(f"{window.base}/console/apps/acme/chat")
        for field in ("from", "to", "text"):
            page.locator(f"[name={field}]").fill(HOSTILE)
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#tried")).to_contain_text("<script>hit(1)</script>")

        assert page.evaluate("hits") == []
        assert not [each for each in window.complaints if "Content Security" in each]


def test_what_is_tried_in_the_reference_is_only_text(open_window: Open) -> None:
    with open_window() as window:
        window.page.add_init_script(TRAP)
        window.go("/docs/users")
        keep = {"app": f"{HOSTILE}/{HOSTILE}", "token": HOSTILE, "whom": HOSTILE}
        window.page.evaluate(
            f"sessionStorage.setItem('weir.session', {json.dumps(json.dumps(keep))})"
        )
        window.page.reload()
        form = window.page.locator("form.try").first
        form.evaluate("form => form.closest('details').open = true")
        form.evaluate("form => form.requestSubmit()")
        expect(form.locator(".answer")).to_be_visible()

        assert "<script>hit(1)" in window.page.locator("#who").inner_text()
        assert window.page.evaluate("hits") == []


@contextmanager
def evil(html: str) -> Iterator[str]:
    """A page on another port: of the same site to a browser, of another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_of_another_origin_gets_nothing_out_of_a_session(
    open_window: Open, server: Gunicorn, key: str
) -> None:
    """Even one to which a SameSite cookie is sent: no frame, no form, no answer."""
    console = f"http://127.0.0.1:{server.port}/console"
    html = f"""
        <iframe id="framed" src="{console}"></iframe>
        <form method="post" action="{console}/apps/acme/chat/delete">
          <input name="key" value="acme/chat"><button>Win a prize</button>
        </form>
        <script>
          window.read = fetch("{console}", {{ credentials: "include" }})
            .then((answer) => answer.text()).catch((error) => "refused");
        </script>
    """
    with open_window() as window, evil(html) as place:
        sign_in(window, key)
        page = window.page
        page.goto(place)
        page.wait_for_load_state("networkidle")

        assert page.evaluate("read") == "refused"
        assert page.frames[1].url.startswith("chrome-error:")
        page.get_by_role("button", name="Win a prize").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("That is not allowed")
        page.goto(f"{console}/apps/acme/chat")
        expect(page.get_by_role("heading", level=1)).to_contain_text("acme/chat")
