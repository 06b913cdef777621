"""What users receive, seen beside what an app sends, on an app's page of the console."""

import signal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Open, Window
from tests.browser.test_console import run, sign_in
from tests.server.gunicorn import Gunicorn
from tests.waiting import wait_until

APP = "/acme/chat"


@pytest.fixture(scope="module")
def key(server: Gunicorn) -> str:
    run(server, "apps", "create", "acme/chat", "--demo")
    return run(server, "operators", "create", "olga")["key"]


@pytest.fixture
def token(server: Gunicorn) -> str:
    return run(server, "apps", "token", "acme/chat", "--ttl", "9999")["token"]


def open_app(window: Window, key: str) -> Page:
    page = sign_in(window, key)
    page.goto(f"{window.base}/console/apps{APP}")
    return page


def connect(page: Page, user: str) -> Locator:
    page.get_by_label("User", exact=True).fill(user)
    page.get_by_role("button", name="Connect", exact=True).click()
    stream = page.get_by_role("region", name=f"Stream of {user}", exact=True).last
    expect(stream).to_be_visible()
    return stream


def expect_state(stream: Locator, words: str) -> None:
    expect(stream.get_by_role("status")).to_have_text(words, timeout=30_000)


def send(page: Page, to: str, text: str) -> None:
    page.get_by_label("Names or ids").fill(to)
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#tried .status")).to_have_text("200", timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_of_two_users_each_receives_their_own(
    open_window: Open,
    server: Gunicorn,
    key: str,
    token: str,
    tmp_path: Path,
    scheme: str,
) -> None:
    with open_window(scheme) as window:
        page = open_app(window, key)
        ada, grace = connect(page, "ada"), connect(page, "grace")
        expect_state(ada, "Live")
        expect_state(grace, "Live")

        send(page, "ada", f"<b>only you</b>, {scheme}")
        send(page, "grace", f"and only you, {scheme}")
        send(page, "ada, grace", f"both, {scheme}")

        for stream in (ada, grace):
            expect(stream.get_by_role("log")).to_contain_text(f"both, {scheme}")
        hers = grace.locator("li .text").all_inner_texts()
        his = ada.locator("li .text").all_inner_texts()
        assert his[-2:] == [f"<b>only you</b>, {scheme}", f"both, {scheme}"]
        assert hers[-2:] == [f"and only you, {scheme}", f"both, {scheme}"]
        assert not [each for each in hers if "<b>" in each]
        ada.locator("summary").last.click()
        expect(ada.locator("li pre").last).to_contain_text('"to": "ada"')
        page.locator("#receive").scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "two-streams.png", full_page=True)
        window.check()

        assert server.call("GET", f"{APP}/users/ada/disconnect", token=token)[0] == 200
        expect_state(ada, "Ended: the user was disconnected.")
        expect_state(grace, "Live")
        ada.get_by_role("button", name="Connect again").click()
        expect_state(ada, "Live")
        send(page, "ada", f"once more, {scheme}")
        expect(ada.get_by_role("log")).to_contain_text(f"once more, {scheme}")
        again = ada.locator("li .text").all_inner_texts()
        assert again == [
            *his,
            f"once more, {scheme}",
        ]  # from where it was, and nothing twice
        window.check()


def test_a_stream_is_refused_in_words_and_opened_by_the_keyboard(
    open_window: Open, server: Gunicorn, key: str, tmp_path: Path
) -> None:
    with open_window("dark", PHONE) as window:
        page = open_app(window, key)
        nobody = connect(page, "nobody")
        expect_state(nobody, "Refused. acme/chat has no user 'nobody'.")
        assert len(window.complaints) == 1  # the browser itself notes the 404
        window.complaints.clear()

        page.get_by_label("User", exact=True).focus()
        page.keyboard.type("ken")
        page.keyboard.press("Enter")
        ken = page.get_by_role("region", name="Stream of ken")
        expect_state(ken, "Live")
        window.page.locator("#receive").scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        window.check()
        out = ken.get_by_role("button", name="Disconnect")
        for _ in range(12):
            page.keyboard.press("Tab")
            if out.evaluate("(each) => each === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect_state(ken, "Disconnected by you.")
        nobody.get_by_role("button", name="Remove").click()
        expect(nobody).to_have_count(0)
        expect(page.get_by_label("User", exact=True)).to_be_focused()
        window.check()


def test_a_stream_that_is_cut_goes_on_where_it_was(
    open_window: Open, server: Gunicorn, key: str
) -> None:
    with open_window() as window:
        page = open_app(window, key)
        linus = connect(page, "linus")
        expect_state(linus, "Live")
        send(page, "linus", "before")
        expect(linus.get_by_role("log")).to_contain_text("before")

        old = set(server.workers())
        server.process.send_signal(signal.SIGHUP)  # every stream ends
        wait_until(lambda: not old & set(server.workers()))
        expect_state(linus, "Live")
        send(page, "linus", "after")

        expect(linus.get_by_role("log")).to_contain_text("after")
        texts = linus.locator("li .text").all_inner_texts()
        assert texts[-2:] == ["before", "after"]
        assert len(texts) == len(set(texts))


def test_a_session_that_is_over_ends_the_streams_it_opened(
    open_window: Open, server: Gunicorn
) -> None:
    key = run(server, "operators", "create", "otto")["key"]
    with open_window() as window:
        page = open_app(window, key)
        ada = connect(page, "ada")
        expect_state(ada, "Live")

        run(server, "operators", "delete", "otto", "--yes")

        expect_state(ada, "Ended: your session is over.")
