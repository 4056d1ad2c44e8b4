"""Every page before axe-core, light and dark, wide and narrow: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Reader
    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(
    find_spec("axe_playwright_python") is None, reason="axe-playwright-python is not installed"
)

Make = Callable[..., "Reader"]
BAD = {"serious", "critical"}

COLOURFUL = ("index.html", "compare.html", "protocols.html", "methods/method-0/ucsd-ped2.html")
PLAIN = ("datasets.html", "submit.html", "changes.html", "about.html")


def findings(page: Page, **options: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # It would read the style sheet once more, which no page from a file may.
    result = Axe().run(page, options={"resultTypes": ["violations"], "preload": False} | options)
    return [
        f"{own['id']} ({own['impact']}): {own['nodes'][0]['html'][:160]} {own['nodes'][0]['failureSummary'][:300]}"
        for own in result.response["violations"]
        if own["impact"] in BAD
    ]


def contrast(page: Page) -> list[str]:
    return findings(page, runOnly={"type": "rule", "values": ["color-contrast"]})


def prepare(page: Page) -> None:
    """Unfold and draw everything."""
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    if page.locator("#result").count():
        page.locator("#result table").wait_for()
    figures = page.locator("figure[data-curve]")
    if figures.count():
        figures.last.scroll_into_view_if_needed()
        figures.last.locator(".main-svg").first.wait_for()


def test_nothing_serious_is_found(reader: Make) -> None:
    one = reader(color_scheme="light", bypass_csp=True, reduced_motion="reduce")
    page = one.open(PLAIN[0])
    found = {}
    for address in (*PLAIN, *COLOURFUL):
        page.goto(f"{one.root}/{address}")
        prepare(page)
        found[address] = findings(page)
        if address in COLOURFUL:
            page.emulate_media(color_scheme="dark")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
            found[f"{address}, dark"] = contrast(page)
            page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{one.root}/index.html")
    prepare(page)
    found["index.html, narrow"] = findings(page)
    assert {address: own for address, own in found.items() if own} == {}


def test_the_check_finds_what_is_wrong(reader: Make) -> None:
    page = reader(bypass_csp=True, color_scheme="dark").open("changes.html")
    bad = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><button></button><p style="color:#333">faint</p>'
    page.evaluate("text => document.querySelector('h1').insertAdjacentHTML('afterend', text)", bad)
    assert {own.partition(" ")[0] for own in findings(page)} >= {"image-alt", "button-name", "color-contrast"}
    assert len(contrast(page)) == 1
