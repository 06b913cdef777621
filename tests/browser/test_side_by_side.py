"""Two operators look while apps are called: what both see is what happens.

``CONSOLE_LOAD_SECONDS=30 pytest tests/browser/test_side_by_side.py`` is the long form.
"""

import http.client
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Open
from tests.browser.test_console import run, sign_in
from tests.server.gunicorn import Gunicorn

SECONDS = float(os.environ.get("CONSOLE_LOAD_SECONDS", "6"))
APPS, CALLERS, PAUSE_SECONDS = 6, 4, 0.012
NUMBER = re.compile(r"[\d,.]+")


@contextmanager
def load(server: Gunicorn) -> Iterator[Counter[int]]:
    """Some hundred calls a second, more than some of the apps may: their statuses."""
    tokens = [_app(server, n) for n in range(APPS)]
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def call(first: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with closing(line):
            for n in range(first, 1_000_000, CALLERS):
                if done.wait(PAUSE_SECONDS):
                    return
                key, token = tokens[n % APPS]
                head = {"Authorization": f"Bearer {token}"}
                line.request("GET", f"/{key}/users/ada", headers=head)
                answer = line.getresponse()
                answer.read()
                statuses[answer.status] += 1

    callers = [threading.Thread(target=call, args=(n,)) for n in range(CALLERS)]
    for each in callers:
        each.start()
    try:
        yield statuses
    finally:
        done.set()
        for each in callers:
            each.join()


def _app(server: Gunicorn, number: int) -> tuple[str, str]:
    key = f"acme/load{number}"
    edition = "enterprise" if number % 2 else "community"
    run(server, "apps", "create", key, "--edition", edition, "--demo")
    return key, run(server, "apps", "token", key, "--ttl", "9999")["token"]


def shown(page: Page) -> list[float]:
    """Of the users' interface: calls and refusals a second, then in all."""
    cells = page.get_by_role("row", name=re.compile("^Users ")).locator("td")
    words = cells.all_inner_texts()[1:]
    return [float(NUMBER.search(each)[0].replace(",", "")) for each in words]


def look_again(page: Page) -> None:
    """Wait until the traffic is drawn anew."""
    page.wait_for_function(
        "(was) => document.getElementById('traffic').innerHTML !== was",
        arg=page.locator("#traffic").inner_html(),
        timeout=60_000,
    )


def test_two_windows_stay_live_and_right_under_load(
    open_window: Open, server: Gunicorn, tmp_path: Path
) -> None:
    keys = [
        run(server, "operators", "create", name)["key"] for name in ("olga", "otto")
    ]
    with open_window() as left, open_window("dark", PHONE) as right:
        pages = [sign_in(left, keys[0]), sign_in(right, keys[1])]
        with load(server) as statuses:
            began, looks = time.monotonic(), [0, 0]
            while time.monotonic() < began + SECONDS:
                for n, page in enumerate(pages):
                    look_again(page)
                    expect(page.locator("#pulse")).to_be_hidden()
                    looks[n] += 1
            seen = [shown(page) for page in pages]
            rate = sum(statuses.values()) / (time.monotonic() - began)
            page = pages[0]
            page.screenshot(path=tmp_path / "under-load.png")
            pages[1].screenshot(path=tmp_path / "under-load-phone.png")
            page.goto(f"{left.base}/console/apps/acme/load0")
            full = page.locator("[id='use-users.calls'] .meter")
            expect(full).to_have_class(re.compile("full|near"))
        print(f"{rate:.0f} calls/s, {looks} looks, {seen} shown, {dict(statuses)}")
        page.goto(f"{left.base}/console")
        called, refused = sum(statuses.values()), statuses[429]
        for each in pages:  # in the end, both say exactly what was
            cells = each.get_by_role("row", name=re.compile("^Users ")).locator("td")
            expect(cells.nth(3)).to_have_text(f"{called:,}", timeout=30_000)
            expect(cells.nth(4)).to_have_text(f"{refused:,}", timeout=30_000)
        left.check()
        right.check()

    assert set(statuses) == {200, 429}
    assert min(looks) >= SECONDS / 5
    for calls, refusals, *_ in seen:
        assert 0.4 * rate < calls < 1.6 * rate
        assert 0 < refusals < calls
