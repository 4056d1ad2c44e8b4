"""The start page in a browser: sorting, filters, what columns mean, copying, narrow screens, colours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chromium import until

from leaderboard.board import Board
from leaderboard.site.environment import percent

if TYPE_CHECKING:
    from conftest import Reader
    from playwright.sync_api import Page

Make = Callable[..., "Reader"]
RANKING = "#ucsd-ped2-standard"


def sorted_by(page: Page, title: str, order: str) -> None:
    """Wait until a column says that it is sorted; the rows are drawn by then."""
    heads = f"Array.from(document.querySelectorAll('{RANKING} thead th'))"
    until(page, f"{heads}.find(head => head.textContent.includes('{title}')).getAttribute('aria-sort') === '{order}'")
    page.wait_for_timeout(50)


def names(page: Page) -> list[str]:
    return page.locator(f"{RANKING} tbody th a").all_inner_texts()


def column(page: Page, title: str) -> list[str]:
    heads = [text.strip().replace("\n", "") for text in page.locator(f"{RANKING} thead th").all_inner_texts()]
    index = next(i for i, head in enumerate(heads) if head.startswith(title))
    cells = page.locator(f"{RANKING} tbody tr > :nth-child({index + 1})").all_inner_texts()
    return [cell.split("\n")[0] for cell in cells]


def test_a_ranking_is_sorted_filtered_and_explained(reader: Make, board: Board) -> None:
    page = reader().open("index.html")
    page.wait_for_selector(f"{RANKING} .dt-column-order")
    ranking = board.rankings[0]
    rows = [ranked.row for ranked in ranking.rows]
    assert names(page) == [row.name for row in rows]
    assert column(page, ranking.titles[ranking.sorted_by]) == [percent(row.report.value("pixel_ap")) for row in rows]

    # Who has no value comes last, whichever way.
    values = sorted(value for row in rows if (value := row.report.value("rbdc")) is not None)
    assert len(values) == len(rows) - 1
    head = page.locator(f"{RANKING} thead th", has_text="RBDC")
    head.click()
    sorted_by(page, "RBDC", "descending")
    assert column(page, "RBDC") == [*map(percent, reversed(values)), "–"]
    assert page.locator(f"{RANKING} thead th", has_text="Rank by Pixel-AP").count() == 1
    head.click()
    sorted_by(page, "RBDC", "ascending")
    assert column(page, "RBDC") == [*map(percent, values), "–"]
    page.locator(f"{RANKING} thead th", has_text="Method").locator("[tabindex='0']").first.focus()
    page.keyboard.press("Enter")
    sorted_by(page, "Method", "ascending")
    assert names(page) == sorted((row.name for row in rows), key=str.lower)

    page.locator(f"{RANKING} [data-filter=supervision]").select_option("zero-shot")
    assert names(page) == sorted((row.name for row in rows if row.supervision == "zero-shot"), key=str.lower)
    page.locator(f"{RANKING} [data-filter=supervision]").select_option("")
    page.locator(f"{RANKING} [data-filter=status]").select_option("verified")
    verified = [row.name for row in rows if row.status == "verified"]
    assert names(page) == sorted(verified, key=str.lower)
    assert page.locator(f"{RANKING} .shown").inner_text() == f"{len(verified)} of {len(rows)} rows"
    page.locator(f"{RANKING} [data-filter=status]").select_option("")
    page.locator(f"{RANKING} [data-filter=text]").fill("MEMORY")
    assert names(page) == ["Memory of Normal Motion"]
    page.locator(f"{RANKING} [data-filter=text]").fill("no such method")
    assert names(page) == []
    assert "No row fits" in page.locator(f"{RANKING} tbody").inner_text()
    page.locator(f"{RANKING} [data-filter=text]").fill("")
    assert len(names(page)) == len(rows)

    # What columns mean, on hover and on focus.
    tip = page.locator(".tip")
    page.mouse.move(5, 5)
    assert not tip.is_visible()
    head.hover()
    assert "false positives per frame" in tip.inner_text()
    page.mouse.move(5, 5)
    assert not tip.is_visible()
    head.locator("[tabindex='0']").first.focus()
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    described = head.get_attribute("aria-describedby")
    assert "false positives per frame" in page.locator(f"#{described}").text_content()


def test_copying_latex_and_the_other_forms(reader: Make, site: Path) -> None:
    one = reader(permissions=["clipboard-read", "clipboard-write"])
    page = one.open("index.html")
    for form, word in (("tex", "LaTeX"), ("csv", "CSV"), ("md", "Markdown"), ("bib", "BibTeX")):
        page.locator(RANKING).get_by_role("button", name=f"Copy as {word}").click()
        expected = (site / "tables" / f"ucsd-ped2-standard.{form}").read_text("utf-8")
        # The text is in the page; Playwright's own wait for it is forbidden by the page's policy.
        until(page, f"navigator.clipboard.readText().then(text => text === {json.dumps(expected)})")
    assert page.locator("#spoken").inner_text() == "Copied"
    page.evaluate("""() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
        document.execCommand = (what) => { window.copied = [what, document.activeElement.value]; return true; };
    }""")
    page.locator(RANKING).get_by_role("button", name="Copy as LaTeX").click()
    until(page, "Boolean(window.copied)")
    expected = (site / "tables/ucsd-ped2-standard.tex").read_text("utf-8")
    assert page.evaluate("window.copied") == ["copy", expected]


def test_from_a_server(reader: Make, site: Path) -> None:
    page = reader(served=True, accept_downloads=True).open("index.html")
    page.wait_for_selector(f"{RANKING} .dt-column-order")
    with page.expect_download() as started:
        page.locator(f"{RANKING} a[download$='.tex']").click()
    saved = Path(started.value.path())
    assert started.value.suggested_filename == "ucsd-ped2-standard.tex"
    assert saved.read_bytes() == (site / "tables/ucsd-ped2-standard.tex").read_bytes()
    page.locator(f"{RANKING} tbody th a").first.click()
    page.wait_for_url("**/methods/**")
    figure = page.locator("figure[data-curve=roc]").first
    figure.scroll_into_view_if_needed()
    figure.locator(".plot .main-svg").first.wait_for()


ADDRESSES = (
    *("index.html", "compare.html", "protocols.html", "datasets.html", "submit.html", "changes.html", "about.html"),
    "methods/method-0/ucsd-ped2.html",
)


def test_narrow_pages_do_not_scroll_sideways_and_tables_do(reader: Make) -> None:
    one = reader(viewport={"width": 360, "height": 740})
    page = one.open(ADDRESSES[-1])
    for address in reversed(ADDRESSES):
        page.goto(f"{one.root}/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address
    page.wait_for_selector(f"{RANKING} .dt-column-order")
    scroller = page.locator(f"{RANKING} .scroller")
    scroller.scroll_into_view_if_needed()
    # What decides the order is in sight; the names stay so.
    first = page.locator(f"{RANKING} tbody td.number").first.bounding_box()
    assert first is not None
    assert first["x"] + first["width"] <= 360
    name = page.locator(f"{RANKING} tbody th").first
    before = name.bounding_box()
    scroller.evaluate("place => { place.scrollLeft = 200; }")
    assert scroller.evaluate("place => place.scrollLeft") == 200
    assert name.bounding_box() == before
    scroller.focus()
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('{RANKING} .scroller').scrollLeft > 200")


def test_dark_by_the_system_and_by_choice(reader: Make) -> None:
    def background(page: Page) -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    dark, light = "rgb(20, 23, 26)", "rgb(252, 252, 250)"
    one = reader(color_scheme="dark", served=True)
    page = one.open("changes.html")
    assert background(page) == dark
    page.emulate_media(color_scheme="light")
    assert background(page) == light
    button = page.locator("#theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert background(page) == dark
    assert button.get_attribute("aria-pressed") == "true"
    page.goto(f"{one.root}/submit.html")
    assert background(page) == dark
    page.locator("#theme").click()
    assert background(page) == light


def test_the_keyboard_reaches_the_content_first(reader: Make) -> None:
    page = reader().open("changes.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_without_scripts_everything_is_there(reader: Make, board: Board) -> None:
    one = reader(java_script_enabled=False)
    page = one.open("index.html")
    assert names(page) == [ranked.row.name for ranked in board.rankings[0].rows]
    assert page.locator(f"{RANKING} .filters").is_hidden()
    assert page.locator(f"{RANKING} a.download").first.is_visible()
    assert page.locator(f"{RANKING} button").count() == page.locator(f"{RANKING} button:not(:visible)").count()
    page.locator(f"{RANKING} details.meanings summary").click()
    assert page.get_by_text("share of anomalous tracks that are found").first.is_visible()
    page = one.open("methods/method-0/ucsd-ped2.html")
    assert page.locator("svg.curve:visible").count() == 7
    assert page.locator("svg.bars:visible").count() == 2
    page.locator("svg.timeline").last.scroll_into_view_if_needed()
    assert page.locator("svg.timeline").count() == 12
    assert one.open("compare.html").get_by_text("scripts do not run here").is_visible()
    assert [address for address in one.watch.asked if address.endswith(".js")] == []
