"""A browser for tests and screenshots: Chromium, driven by Playwright, without anything that asks the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
)


def executable() -> str | None:
    """Path of a Chromium; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def why_not() -> str:
    """Reason why no browser can be driven here; empty where one can."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if executable() else "no chromium is installed"


@contextmanager
def browser() -> Iterator[Browser]:
    """One browser, closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


class Watch:
    """What a context's pages ask for and complain about.

    Parameters
    ----------
    context : BrowserContext
    folder : Path
        The site; what a page from a file asks for outside of it is foreign.
    server : str
        Address of a local server of the same folder; empty for none.

    Attributes
    ----------
    foreign, asked, complaints : list of str
    """

    def __init__(self, context: BrowserContext, folder: Path, server: str = "") -> None:
        self._folder = folder.resolve()
        self._server = server
        self.foreign: list[str] = []
        self.asked: list[str] = []
        self.complaints: list[str] = []
        context.route("**/*", self._decide)
        context.on("console", lambda message: self._said(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))
        context.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url[:200]}"))

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _decide(self, route: Route) -> None:
        address = route.request.url
        self.asked.append(address)
        if self._own(address):
            route.continue_()
        else:
            self.foreign.append(address)
            route.abort()

    def _own(self, address: str) -> bool:
        parts = urlsplit(address)
        if parts.scheme == "file":
            return Path(unquote(parts.path)).resolve().is_relative_to(self._folder)
        if parts.scheme in {"data", "blob"}:
            return True
        return bool(self._server) and address.startswith(self._server)


def until(page: Page, expression: str, seconds: float = 8.0) -> None:
    """Wait until an expression holds; the pages' policy forbids what Playwright's own way needs."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"still not so: {expression}")
