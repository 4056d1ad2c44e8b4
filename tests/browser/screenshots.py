"""Screenshots of every page of a site, wide and narrow, light and dark: for looking at, and for the README.

``python tests/browser/screenshots.py leaderboard/public OUT`` writes ``OUT/start-wide-light.png`` and so on;
``--readme FILE`` writes the one picture of the start page that the README shows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chromium import Watch, browser, why_not

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = {"wide": 1280, "narrow": 375}
_HEIGHT = 860
_TALLEST = 6000


def pages_of(site: Path) -> dict[str, str]:
    """Pages by a short name: one method stands for all."""
    found = {
        "start": "index.html",
        "compare": "compare.html",
        "protocols": "protocols.html",
        "datasets": "datasets.html",
        "submit": "submit.html",
        "changes": "changes.html",
        "about": "about.html",
    }
    methods = sorted(site.glob("methods/*/*.html"), key=lambda path: (path.stem != "ucsd-ped2", path.parts))
    if methods:
        found["method"] = methods[0].relative_to(site).as_posix()
    return found


def settle(page: Page) -> None:
    """Scroll through the page, so that everything that is drawn late is drawn, and wait for it."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, height, _HEIGHT):
        page.evaluate(f"window.scrollTo(0, {top})")
        page.wait_for_timeout(60)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(700)


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", help="names of pages")
    parser.add_argument("--readme", type=Path, help="write one picture of the start page, too")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        parser.error(reason)
    options.out.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for width_name, width in WIDTHS.items():
            for scheme in ("light", "dark"):
                context = chromium.new_context(
                    viewport={"width": width, "height": _HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
                )
                watch = Watch(context, options.site)
                for name, address in pages_of(options.site).items():
                    if options.only and name not in options.only:
                        continue
                    page = context.new_page()
                    page.goto((options.site / address).resolve().as_uri())
                    settle(page)
                    tall = min(page.evaluate("document.documentElement.scrollHeight"), _TALLEST)
                    page.set_viewport_size({"width": width, "height": max(tall, _HEIGHT)})
                    page.wait_for_timeout(300)
                    page.screenshot(path=options.out / f"{name}-{width_name}-{scheme}.png")
                    page.close()
                sys.stderr.writelines(f"{line}\n" for line in sorted({*watch.complaints, *watch.foreign}))
                context.close()
        if options.readme:
            context = chromium.new_context(viewport={"width": 1280, "height": 1060}, device_scale_factor=1.5)
            page = context.new_page()
            page.goto((options.site / "index.html").resolve().as_uri())
            # Folded, so that every row of the first ranking is in the picture.
            page.evaluate("document.querySelectorAll('details.remarks').forEach(part => { part.open = false; })")
            page.wait_for_timeout(500)
            page.screenshot(path=options.readme)


if __name__ == "__main__":
    main()
