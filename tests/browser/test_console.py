"""The console as an operator meets it: every page opened, every button used."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOKS, PHONE, Open, Window
from tests.server.gunicorn import ROOT, Gunicorn, environment, flask, serving

MANY = """
import os
from server.settings import Settings
from server.store import apps, database
database.connect(Settings.from_env(os.environ))
for n in range(300):
    apps.create(f"tenant-{n:03}", "chat", "enterprise" if n % 3 else "community")
"""


def run(server: Gunicorn, *command: str) -> dict[str, str]:
    return json.loads(flask(ROOT, server.state_dir, *command, "--json"))


@pytest.fixture(scope="module")
def key(server: Gunicorn) -> str:
    return run(server, "operators", "create", "olga")["key"]


@pytest.fixture(scope="module")
def acme(server: Gunicorn) -> Iterator[str]:
    """An app with a cast, called more often than it may while it is looked at."""
    run(server, "apps", "create", "acme/chat", "--demo")
    run(server, "apps", "create", "acme/lounge", "--demo")
    token = run(server, "apps", "token", "acme/chat", "--ttl", "9999")["token"]
    done = threading.Event()

    def call() -> None:
        while not done.wait(0.05):
            for path in ("users/ada", "chatgroups", "users/nobody"):
                server.call("GET", f"/acme/chat/{path}", token=token)

    load = threading.Thread(target=call)
    load.start()
    yield "acme/chat"
    done.set()
    load.join()


def sign_in(window: Window, key: str) -> Page:
    window.go("/console")
    window.page.get_by_label("Operator key").fill(key)
    window.page.get_by_role("button", name="Sign in").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Overview")
    return window.page


PAGES = {
    "overview": "/console",
    "app": "/console/apps/acme/chat",
    "document": "/console/document?app=acme/chat",
    "audit": "/console/audit",
    "missing": "/console/nope",
}


@pytest.mark.parametrize(("scheme", "size"), LOOKS)
def test_every_page_is_whole_in_light_and_dark_wide_and_on_a_phone(
    open_window: Open,
    acme: str,
    key: str,
    tmp_path: Path,
    scheme: str,
    size: tuple[int, int],
) -> None:
    with open_window(scheme, size) as window:
        window.go("/console/audit")
        window.page.screenshot(path=tmp_path / "sign-in.png")
        window.check()
        page = sign_in(window, key)
        expect(page.locator("#near")).to_contain_text("acme/chat")
        for name, path in PAGES.items():
            page.goto(window.base + path)
            if name == "document":
                page.evaluate(
                    "[...document.querySelectorAll('.rule')].slice(0, 2)"
                    ".forEach((each) => { each.open = true; })"
                )
            if name == "app":
                expect(page.locator("#refusals")).to_contain_text("users/{username}")
            page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
            if name == "missing":  # the browser itself notes the 404
                window.complaints.clear()
            window.check()


def test_an_empty_server_says_what_to_do(open_window: Open, tmp_path: Path) -> None:
    # One: a second that starts after the app is gone would make it again.
    with serving(tmp_path / "state", workers="1") as server:
        flask(ROOT, server.state_dir, "apps", "delete", "demo/chat", "--yes")
        key = run(server, "operators", "create", "olga")["key"]
        with open_window() as window:
            window.base = f"http://127.0.0.1:{server.port}"
            page = sign_in(window, key)
            expect(page.get_by_text("There is no app yet.")).to_be_visible()
            expect(page.get_by_text("No app has called in")).to_be_visible()
            page.screenshot(path=tmp_path / "empty.png", full_page=True)
            window.check()


def test_of_300_apps_each_is_found(
    open_window: Open, server: Gunicorn, key: str, tmp_path: Path
) -> None:
    subprocess.run(
        [sys.executable, "-c", MANY],
        cwd=ROOT,
        env=environment(server.state_dir, server.port),
        check=True,
    )
    with open_window(size=PHONE) as window:
        page = sign_in(window, key)
        window.check()
        seen = 0
        while True:
            listed = page.get_by_role("group", name="Apps", exact=True)
            seen += listed.get_by_role("link", name="tenant-").count()
            following = page.get_by_role("link", name="Next page")
            if not following.count():
                break
            following.click()
            page.wait_for_load_state()
        assert seen == 300
        page.screenshot(path=tmp_path / "many.png", full_page=True)
        page.get_by_label("Search by key").fill("tenant-29")
        page.get_by_role("button", name="Search").click()
        found = listed.get_by_role("link", name="tenant-29")
        expect(found).to_have_count(10)
        page.get_by_label("Search by key").fill("nothing-of-this-name")
        page.get_by_role("button", name="Search").click()
        told = page.locator(".empty", has_text="nothing-of-this-name")
        expect(told).to_be_visible()
        window.check()


def test_what_goes_on_appears_by_itself(open_window: Open, acme: str, key: str) -> None:
    with open_window() as window:
        page = sign_in(window, key)
        before = page.locator("#traffic").inner_html()

        page.wait_for_function(
            "(was) => document.getElementById('traffic').innerHTML !== was", arg=before
        )
        row = page.get_by_role("row", name=re.compile("^Users "))
        expect(row.locator("td").nth(1)).not_to_have_text("0")
        window.check()

        page.goto(f"{window.base}/console/apps/{acme}")
        bar = page.locator("[id='use-users.calls'] .meter")
        expect(bar).to_have_class(re.compile("full|near"))
        expect(page.locator("#refusals")).to_contain_text("the app")
        window.check()


def test_an_app_is_changed_and_deleted_by_its_buttons(
    open_window: Open, server: Gunicorn, key: str, tmp_path: Path
) -> None:
    made = run(server, "apps", "create", "globex/lab")
    with open_window() as window:
        page = sign_in(window, key)
        page.goto(f"{window.base}/console/apps/globex/lab")

        page.get_by_label("The figures that bind it").select_option(
            "Enterprise Edition"
        )
        page.get_by_role("button", name="Change the edition").click()
        expect(page.locator(".done")).to_contain_text("on another edition")
        expect(page.locator(".lead")).to_contain_text("Enterprise Edition")
        window.check()

        page.get_by_role("button", name="Rotate the secret").click()
        secret = page.locator(".made dd").nth(1)
        expect(secret).not_to_have_text(made["client_secret"])
        page.screenshot(path=tmp_path / "secret.png")
        window.check()
        grant = {
            "grant_type": "client_credentials",
            "client_id": page.locator(".made dd").nth(0).inner_text(),
            "client_secret": secret.inner_text(),
        }
        assert server.call("POST", "/globex/lab/token", grant)[0] == 200

        page.get_by_label("Type globex/lab to confirm").fill("globex/lap")
        page.get_by_role("button", name="Delete the app").click()
        expect(page.get_by_role("alert").first).to_contain_text("Nothing is deleted")
        window.complaints.clear()  # the browser itself notes the 400
        page.get_by_label("Type globex/lab to confirm").fill("globex/lab")
        page.get_by_role("button", name="Delete the app").click()
        expect(page.locator(".done")).to_have_text("globex/lab is deleted.")
        window.check()

        page.get_by_role("link", name="Audit").click()
        for row in ("App deleted", "Secret rotated", "Edition changed"):
            changed = page.get_by_role("row", name=f"olga {row} globex/lab")
            expect(changed).to_be_visible()
        page.get_by_label("Of an app or operator").fill("olga")
        page.get_by_role("button", name="Show").click()
        expect(
            page.get_by_role("row", name=re.compile("Operator created"))
        ).to_be_visible()
        window.check()


def test_a_message_is_tried_without_leaving_the_page(
    open_window: Open, acme: str, key: str
) -> None:
    with open_window(size=PHONE) as window:
        page = sign_in(window, key)
        page.goto(f"{window.base}/console/apps/acme/lounge")
        page.get_by_label("Names or ids").fill("ada, grace")
        page.get_by_label("From (nobody").fill("ken")
        page.get_by_label("Text").fill("<img src=x onerror=alert(1)>")
        page.get_by_role("button", name="Send").click()

        tried = page.locator("#tried")
        expect(tried.locator(".status")).to_have_text("200")
        expect(tried).to_contain_text("POST /acme/lounge/messages/users")
        expect(tried).to_contain_text('"msg": "<img src=x onerror=alert(1)>"')
        expect(page).to_have_url(f"{window.base}/console/apps/acme/lounge")
        window.check()

        page.get_by_label("Names or ids").fill("")
        page.get_by_role("button", name="Send").click()
        expect(tried.locator(".status")).to_have_text("400")
        expect(tried).to_contain_text("to must be provided")
        window.check()


def test_a_figure_leads_to_its_rule_and_its_use(
    open_window: Open, acme: str, key: str
) -> None:
    with open_window() as window:
        page = sign_in(window, key)
        page.get_by_role("link", name="Document").click()

        page.get_by_role("link", name="bulk registration 60 IDs each time").click()
        rule = page.locator("details[id='users.bulk_registration']")
        expect(rule).to_have_attribute("open", "")
        expect(rule).to_be_in_viewport()
        expect(page.locator("[id='use-users.calls']")).to_contain_text("calls/s now")

        page.get_by_label("Use of one app").fill(acme)
        page.get_by_role("button", name="Show").click()
        expect(page.locator("[id='use-users.calls']")).to_contain_text("of 10")
        rule.locator("summary").click()
        rule.get_by_role("link", name="POST /users").click()
        expect(page).to_have_url(f"{window.base}/docs/users#users.register")


def test_without_scripts_every_page_works(
    open_window: Open, acme: str, key: str
) -> None:
    with open_window() as window:
        window.page.route("**/*.js", lambda route: route.abort())
        page = sign_in(window, key)
        page.goto(f"{window.base}/console/apps/acme/lounge")
        page.get_by_label("Names or ids").fill("ada")
        page.get_by_role("button", name="Send").click()

        expect(page.locator("#tried .status")).to_have_text("200")


def test_a_wrong_key_and_a_session_that_is_over_are_told(
    open_window: Open, server: Gunicorn, tmp_path: Path
) -> None:
    key = run(server, "operators", "create", "otto")["key"]
    with open_window("dark", PHONE) as window:
        window.go("/console/document")
        page = window.page
        page.get_by_label("Operator key").fill("WEIR-wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("No operator has this key")
        page.screenshot(path=tmp_path / "wrong-key.png")
        window.complaints.clear()  # the browser itself notes the 403
        window.check()
        page.get_by_label("Operator key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{window.base}/console/document")
        page.get_by_role("link", name="Overview").click()

        run(server, "operators", "rotate", "otto")

        expect(page.locator("#pulse")).to_contain_text("Your session is over.")
        page.screenshot(path=tmp_path / "session-over.png")
        window.complaints.clear()  # likewise the 401
        window.check()
        page.get_by_role("link", name="Sign in again").click()
        expect(page.get_by_label("Operator key")).to_be_visible()


def test_a_server_that_is_gone_is_said_to_be_and_comes_back(
    open_window: Open, key: str
) -> None:
    with open_window() as window:
        page = sign_in(window, key)
        page.context.set_offline(True)
        expect(page.locator("#pulse")).to_contain_text("the server does not answer")
        page.context.set_offline(False)
        expect(page.locator("#pulse")).to_be_hidden()


def test_the_keyboard_alone_will_do(open_window: Open, key: str) -> None:
    with open_window() as window:
        window.go("/console")
        page = window.page
        expect(page.get_by_label("Operator key")).to_be_focused()
        page.keyboard.type(key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        out = page.get_by_role("button", name="Sign out")
        for _ in range(12):
            page.keyboard.press("Tab")
            if out.evaluate("(each) => each === document.activeElement"):
                break
        page.keyboard.press("Enter")

        expect(page.get_by_label("Operator key")).to_be_visible()
        page.go_back()
        page.reload()
        expect(page.get_by_label("Operator key")).to_be_visible()
