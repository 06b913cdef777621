"""The reference as a person meets it: every page opened, calls tried from it."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from server import rules
from tests.browser.conftest import LOOKS, PHONE, Open
from tests.server.gunicorn import ROOT, Gunicorn, flask

SECTIONS = [interface.name for interface in rules.INTERFACES]
PAGES = [
    "/docs",
    "/docs/limits",
    "/docs/server",
    *(f"/docs/{name}" for name in SECTIONS),
]


SPEND = """
async (all) => {
  all.querySelector(".answer").replaceChildren();
  const { app, token } = JSON.parse(Object.values(sessionStorage)[0]);
  const headers = { Authorization: `Bearer ${token}` };
  const call = () => fetch(`/${app}/users`, { headers });
  await Promise.all(Array.from({ length: 10 }, call));
  all.querySelector("form button").click();
}
"""
"""Spends what the Community edition may call in a second, then presses Send."""


@pytest.fixture(scope="module")
def app(server: Gunicorn) -> dict[str, str]:
    """The credentials of an app of its own."""
    command = ("apps", "create", "acme/lounge", "--json")
    return json.loads(flask(ROOT, server.state_dir, *command))


def sign_in(page: Page, app: dict[str, str]) -> None:
    page.locator("#session > summary").click()
    form = page.locator("#sign-in")
    form.get_by_label("App", exact=True).fill(app["app"])
    form.get_by_label("Client id, or user name").fill(app["client_id"])
    form.get_by_label("Client secret, or password").fill(app["client_secret"])
    form.get_by_role("button", name="Sign in as the app").click()
    expect(page.locator("#session-said")).to_have_text("Signed in.")
    page.keyboard.press("Escape")


# Light and wide, dark and on a phone: colours do not hang on the width.
@pytest.mark.parametrize(("scheme", "size"), LOOKS[::3])
def test_every_page_is_whole_in_light_and_dark_wide_and_on_a_phone(
    open_window: Open, scheme: str, size: tuple[int, int]
) -> None:
    with open_window(scheme, size) as window:
        for path in PAGES:
            window.go(path)
            # The fullest operation and rule of the page, opened.
            window.page.evaluate(
                "[...document.querySelectorAll('.operation, .rule')].slice(0, 3)"
                ".forEach((each) => { each.open = true; each.querySelectorAll('details')"
                ".forEach((inner) => { inner.open = true; }); })"
            )
            window.check()


def test_nothing_is_asked_of_anyone_else(open_window: Open) -> None:
    with open_window() as window:
        asked: list[str] = []
        window.page.on("request", lambda request: asked.append(request.url))
        for path in PAGES:
            window.go(path)

        assert asked
        assert {url for url in asked if not url.startswith(f"{window.base}/")} == set()


def test_a_page_that_is_not_there_says_so(open_window: Open) -> None:
    with open_window() as window:
        answer = window.page.goto(f"{window.base}/docs/nope")

        assert answer is not None
        assert answer.status == 404
        expect(window.page.get_by_role("heading", level=1)).to_have_text(
            "There is no such page"
        )
        window.page.get_by_role("link", name="the reference").click()
        expect(window.page).to_have_url(f"{window.base}/docs")


def test_a_path_with_a_slash_at_its_end_is_led_to_the_page(open_window: Open) -> None:
    with open_window() as window:
        window.go("/docs/users/")

        expect(window.page).to_have_url(f"{window.base}/docs/users")
        window.check()


def test_signed_in_a_call_is_sent_and_its_answer_shown(
    open_window: Open, app: dict[str, str]
) -> None:
    with open_window() as window:
        page = window.page
        window.go("/docs/users#users.register")
        sign_in(page, app)
        expect(page.locator("#who")).to_have_text("acme/lounge · the app")
        register = page.locator("details[id='users.register']")
        expect(register.locator("[data-whom]")).to_have_text(
            "In acme/lounge, with the token of the app."
        )

        register.get_by_role("button", name="Send").click()

        answer = register.locator(".answer")
        expect(answer.locator(".status")).to_have_text("200")
        expect(answer.locator(".left")).to_have_text(
            re.compile(r"users\.calls \d+ left, more in \d+ s")
        )
        expect(answer.locator("dt", has_text="ratelimit-policy")).to_be_visible()
        expect(answer.locator("pre")).to_contain_text('"username": "ada"')
        window.check()

        window.go("/docs/users#users.read")  # the token goes along
        read = page.locator("details[id='users.read']")
        read.get_by_label("username").fill("ada")
        read.get_by_role("button", name="Send").click()
        expect(read.locator(".answer .status")).to_have_text("200")


def test_a_limit_met_is_shown_with_its_line(
    open_window: Open, app: dict[str, str]
) -> None:
    with open_window() as window:
        window.go("/docs/users#users.list_users")
        sign_in(window.page, app)
        listed = window.page.locator("details[id='users.list_users']")
        status = listed.locator(".answer .status")

        for _ in range(60):
            # A second's calls at once, however slow the machine, and one by hand.
            listed.evaluate(SPEND)
            expect(status).to_have_text(re.compile("200|429"))
            if status.text_content() == "429":
                break

        expect(status).to_have_text("429")
        expect(listed.locator(".answer pre")).to_contain_text("limits.md:18")
        # The browser itself notes an answer of 429 on its console.
        assert all("429" in complaint for complaint in window.complaints)


def test_a_wrong_secret_is_told_and_nothing_kept(
    open_window: Open, app: dict[str, str]
) -> None:
    with open_window() as window:
        page = window.page
        window.go("/docs")
        page.locator("#session > summary").click()
        form = page.locator("#sign-in")
        form.get_by_label("App", exact=True).fill(app["app"])
        form.get_by_label("Client id, or user name").fill(app["client_id"])
        form.get_by_label("Client secret, or password").fill("wrong")
        form.get_by_role("button", name="Sign in as the app").click()

        expect(page.locator("#session-said")).to_have_text(
            "Not signed in: client_secret does not match"
        )
        expect(page.locator("#who")).to_have_text("Sign in to try calls")


def test_a_token_can_be_brought_and_forgotten(
    open_window: Open, server: Gunicorn, app: dict[str, str]
) -> None:
    token = flask(ROOT, server.state_dir, "apps", "token", app["app"]).strip()
    with open_window(size=PHONE) as window:
        page = window.page
        window.go("/docs/server#limits.read")
        page.locator("#session > summary").click()
        form = page.locator("#paste")
        form.get_by_label("App").fill(app["app"])
        form.get_by_label("Token").fill(token)
        form.get_by_role("button").click()
        page.keyboard.press("Escape")
        limits = page.locator("details[id='limits.read']")
        limits.get_by_role("button", name="Send").click()
        expect(limits.locator(".answer .status")).to_have_text("200")
        window.check()

        page.locator("#session > summary").click()
        page.get_by_role("button", name="Forget the token").click()

        expect(page.locator("#who")).to_have_text("Sign in to try calls")
        page.keyboard.press("Escape")
        limits.get_by_role("button", name="Send").click()
        expect(limits.locator(".answer .status")).to_have_text("401")


def test_a_file_goes_up_and_comes_down(open_window: Open, app: dict[str, str]) -> None:
    with open_window() as window:
        page = window.page
        window.go("/docs/files#files.upload")
        sign_in(page, app)
        upload = page.locator("details[id='files.upload']")
        upload.locator("input[type=file]").set_input_files(
            {"name": "dot.bin", "mimeType": "image/gif", "buffer": bytes(range(256))}
        )
        upload.get_by_role("button", name="Send").click()
        expect(upload.locator(".answer .status")).to_have_text("200")
        told = json.loads(upload.locator(".answer pre").text_content() or "")

        download = page.locator("details[id='files.download']")
        download.locator("summary").first.click()
        download.get_by_label("uuid").fill(told["entities"][0]["uuid"])
        download.get_by_role("button", name="Send").click()

        save = download.locator(".answer a")
        expect(save).to_have_text("Save 256 bytes of image/gif")
        with page.expect_download() as saved:
            save.click()
        assert saved.value.path().read_bytes() == bytes(range(256))


def test_a_server_that_is_gone_is_said_to_be(
    open_window: Open, app: dict[str, str]
) -> None:
    with open_window() as window:
        window.go("/docs/server#ops.health")
        window.page.context.set_offline(True)
        health = window.page.locator("details[id='ops.health']")

        health.get_by_role("button", name="Send").click()

        expect(health.locator(".answer")).to_have_text(
            "The server did not answer. Is it running?"
        )


def test_each_figure_leads_to_its_rule_and_the_rule_to_its_operations(
    open_window: Open,
) -> None:
    with open_window() as window:
        page = window.page
        window.go("/docs/limits")

        page.get_by_role("link", name="bulk registration 60 IDs each time").click()

        rule = page.locator("details[id='users.bulk_registration']")
        expect(rule).to_have_attribute("open", "")
        expect(rule).to_be_in_viewport()
        rule.get_by_role("link", name="POST /users").click()
        expect(page).to_have_url(f"{window.base}/docs/users#users.register")
        register = page.locator("details[id='users.register']")
        expect(register).to_have_attribute("open", "")
        register.get_by_role("link", name="users.bulk_registration").click()
        expect(page).to_have_url(f"{window.base}/docs/limits#users.bulk_registration")


def test_the_keyboard_alone_will_do(open_window: Open, app: dict[str, str]) -> None:
    with open_window() as window:
        page = window.page
        window.go("/docs/server")

        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        summary = page.locator("details[id='ops.health'] > summary")
        for _ in range(60):
            page.keyboard.press("Tab")
            if summary.evaluate("(each) => each === document.activeElement"):
                break
        page.keyboard.press("Enter")
        send = page.locator("details[id='ops.health']").get_by_role(
            "button", name="Send"
        )
        for _ in range(60):
            page.keyboard.press("Tab")
            if send.evaluate("(each) => each === document.activeElement"):
                break
        page.keyboard.press("Enter")

        status = page.locator("details[id='ops.health'] .answer .status")
        expect(status).to_have_text("200")
