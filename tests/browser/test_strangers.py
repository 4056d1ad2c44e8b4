"""Hostile texts of methods in a browser: nothing runs, nothing is asked for, nothing leads away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chromium import Watch, until
from hostile_methods import HOSTILE, hostile_board

from leaderboard.site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "public"
    write_site(hostile_board(), folder, workers=1)
    return folder


@pytest.mark.parametrize("bypass_csp", [False, True], ids=["policy", "no policy"])
def test_hostile_texts_do_nothing(chromium: Browser, hostile_site: Path, bypass_csp: bool) -> None:
    # Without the policy too: it is the second line, and must not be what holds.
    context = chromium.new_context(bypass_csp=bypass_csp, viewport={"width": 360, "height": 740})
    watch = Watch(context, hostile_site)
    dialogs: list[str] = []
    context.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = context.new_page()
    page.set_default_timeout(8_000)
    addresses = ["index.html", "changes.html", "compare.html?ranking=ucsd-ped2-standard&a=method-0&b=method-1"]
    pages = [path.relative_to(hostile_site).as_posix() for path in sorted(hostile_site.glob("methods/*/*.html"))]
    addresses += pages if bypass_csp else pages[:1]
    for address in addresses:
        page.goto(f"{hostile_site.as_uri()}/{address}")
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
        if address == "index.html":
            page.wait_for_selector(".dt-column-order")
            names = page.locator("tbody th a").all_inner_texts()
            assert any(name.startswith("<script>alert(1)</script>") for name in names)
            assert len(names) == len(HOSTILE)
        if "compare" in address:
            page.locator("#result table").wait_for()
        # A link of a script in the address must not be one.
        assert page.evaluate("Array.from(document.links, link => link.protocol).every(p => /^(file|https?):$/.test(p))")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address
    assert page.title() != "49"
    context.close()
    assert dialogs == []
    assert watch.complaints == []
    assert watch.foreign == []


def test_what_a_page_asks_of_others_is_seen(chromium: Browser, hostile_site: Path) -> None:
    # The check of all tests here, checked once itself.
    context = chromium.new_context(bypass_csp=True)
    watch = Watch(context, hostile_site)
    page = context.new_page()
    page.goto(f"{hostile_site.as_uri()}/about.html")
    for address in ("https://example.org/x.png", hostile_site.parent.as_uri() + "/other.png"):
        page.evaluate("address => { document.body.append(Object.assign(new Image(), {src: address})); }", address)
    until(page, "Array.from(document.images).every(image => image.complete)")
    context.close()
    assert len(watch.foreign) == 2
    assert watch.complaints
