"""A real Chromium, and a real gunicorn for it to look at."""

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, BrowserType, Page, sync_playwright

from tests.server.gunicorn import Gunicorn, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDE, PHONE = (1280, 900), (390, 844)
LOOKS = [
    pytest.param(scheme, size, id=f"{scheme}-{name}")
    for scheme in ("light", "dark")
    for name, size in (("wide", WIDE), ("phone", PHONE))
]
"""Everything a page is looked at in."""


class Open(Protocol):
    """Opens a window on pages of the server."""

    def __call__(
        self, scheme: str = "light", size: tuple[int, int] = WIDE
    ) -> AbstractContextManager["Window"]: ...


@dataclass
class Window:
    """One page of a browser, and everything it complained of."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")

    def check(self) -> None:
        """Nothing on the console, nothing wider than the window, nothing that axe says."""
        assert self.complaints == []
        wider = "document.documentElement.scrollWidth - innerWidth"
        assert self.page.evaluate(wider) <= 0
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    if CHROMIUM is None:
        if os.environ.get("BROWSER_REQUIRED"):
            pytest.fail("BROWSER_REQUIRED is set and there is no chromium")
        pytest.skip("there is no chromium; apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """A server with its demo app; the strangers' guard is out of the way."""
    place = tmp_path_factory.mktemp("browser") / "state"
    with serving(place, workers="2", guard_calls="1000") as server:
        yield server


@pytest.fixture
def open_window(chromium: BrowserType, server: Gunicorn, tmp_path: Path) -> Open:
    """Windows of a browser with a profile of its own, gone after the test."""

    @contextmanager
    def opened(scheme: str = "light", size: tuple[int, int] = WIDE) -> Iterator[Window]:
        context: BrowserContext = chromium.launch_persistent_context(
            tmp_path / f"profile-{scheme}-{size[0]}",
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
        )
        window = Window(context.new_page(), f"http://127.0.0.1:{server.port}")
        window.page.on(
            "console",
            lambda said: (
                window.complaints.append(said.text)
                if said.type in ("error", "warning")
                else None
            ),
        )
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        try:
            yield window
        finally:
            context.close()

    return opened
