"""A running product, and Debian's chromium on its page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.channels.browser.products import ROOT, Product, running

SHOTS = ROOT / "var" / "test-output"
CHROMIUM = shutil.which("chromium")
STEP_MS = 30_000
expect.set_options(timeout=STEP_MS)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("phone")) as product:
        yield product


# Not for the session: while Playwright runs, an event loop does, and other tests of the process could start none.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        # Its own sandbox does not start for root; it visits nothing but our page.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page that remembers what it asked of whom, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.urls: list[str] = []
        self.errors: list[str] = []
        self.frames: list[str] = []
        page.set_default_timeout(STEP_MS)
        page.on("request", lambda request: self.urls.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("websocket", self._follow)

    def _follow(self, socket: object) -> None:
        def keep(payload: str | bytes) -> None:
            if isinstance(payload, str):
                self.frames.append(payload)

        self.urls.append(socket.url)  # type: ignore[attr-defined]
        socket.on("framereceived", keep)  # type: ignore[attr-defined]

    def shoot(self, name: str) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        return SHOTS / f"{name}.png"


@pytest.fixture
def watched(chromium: Browser, product: Product) -> Iterator[Watched]:
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    watched = Watched(context.new_page())
    watched.page.goto(f"{product.page}/")
    yield watched
    context.close()
