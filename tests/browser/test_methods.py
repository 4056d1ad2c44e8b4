"""Pages of methods and the comparison of two in a browser: curves, timelines, differences, the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from chromium import until

from leaderboard.board import Board, RankedRow, Ranking
from leaderboard.site.environment import percent
from vadbench.comparison import Unit, compare, sign_flip

if TYPE_CHECKING:
    from conftest import Reader
    from playwright.sync_api import Page

Make = Callable[..., "Reader"]


def signed(value: float) -> str:
    text = f"{100 * abs(value):.2f}"
    return ("" if text == "0.00" else "+" if value > 0 else "−") + text


def test_a_method_is_opened_and_its_figures_are_drawn(reader: Make) -> None:
    one = reader(color_scheme="light")
    page = one.open("index.html")
    assert not any("plotly" in address for address in one.watch.asked)
    page.locator("#ucsd-ped2-standard tbody th a").first.click()
    page.wait_for_url("**/methods/**")
    assert page.locator("h1").inner_text() == "Track Any Anomalous Object"
    figure = page.locator("figure[data-curve=roc]").first
    figure.scroll_into_view_if_needed()
    figure.locator(".plot .main-svg").first.wait_for()
    assert figure.locator("svg.curve").count() == 0
    assert figure.locator(".scatterlayer .trace").count() == 1
    assert "true-positive rate" in figure.locator(".plot").inner_text()
    line = figure.locator(".scatterlayer .js-line").first
    line.wait_for(state="attached")
    assert "rgb(0, 114, 178)" in line.get_attribute("style")
    page.locator("#theme").click()
    until(
        page,
        "document.querySelector('figure[data-curve=roc] .scatterlayer .js-line').style.stroke === 'rgb(86, 180, 233)'",
    )

    bars = page.locator("figure[data-bars]").first
    bars.scroll_into_view_if_needed()
    select = bars.locator("select")
    select.wait_for()
    assert select.input_value() == "pixel_ap"
    select.select_option("rbdc")
    bars.get_by_text("RBDC, %").wait_for()
    assert bars.locator("h4").inner_text().startswith("RBDC of each clip")
    assert bars.locator(".barlayer .point").count() == 12

    page.locator("button[data-timeline='003']").or_(page.locator("button[data-timeline='03']")).click()
    place = page.locator(".large-timeline")
    place.locator(".main-svg").first.wait_for()
    assert place.locator("h4").inner_text() == "Clip 03"
    assert place.locator(".scatterlayer .trace").count() == 1
    assert place.locator(".shapelayer path").count() >= 1


def shown_rows(page: Page) -> dict[str, list[str]]:
    return {
        cells[0]: cells[1:]
        for row in page.locator("#result tbody tr").all()
        if (cells := row.locator("th, td").all_inner_texts())
    }


def compared(page: Page, ranking: Ranking, first: RankedRow, second: RankedRow, unit: Unit) -> None:
    """Hold the page against what the command computes of all rows of the ranking that can be compared."""
    reports = {
        own.row.method: (own.row.report, statistics)
        for own in ranking.rows
        if (statistics := own.row.statistics) is not None and own.row.report.value("rbdc") is not None
    }
    whole = compare(
        {name: own for name, own in reports.items() if own[1].clip_ids == reports[first.row.method][1].clip_ids}
    )
    rows = shown_rows(page)
    for key, title in ranking.titles.items():
        [exact] = [
            own
            for own in whole.differences
            if own.metric == key and {own.first, own.second} == {first.row.method, second.row.method}
        ]
        sign = 1 if exact.first == first.row.method else -1
        assert rows[title][:3] == [
            percent(first.row.report.value(key)),
            percent(second.row.report.value(key)),
            signed(sign * exact.value),
        ]
        known = [own for own in (exact.clips, exact.scenes) if own is not None]
        wider = max(known, key=lambda own: own.high - own.low)
        shown = [float(part.replace("−", "-")) / 100 for part in rows[title][3].split(" to ")]
        assert shown == pytest.approx(sorted((sign * wider.low, sign * wider.high)), abs=6e-5)
        test = exact.test if unit is Unit.CLIPS else exact.scene_test
        adjusted = exact.adjusted_p if unit is Unit.CLIPS else exact.adjusted_scene_p
        assert test is not None
        assert adjusted is not None
        assert test.exact
        assert rows[title][6] == f"{test.p:.4f}"
        corrected, _, pairs = rows[title][7].partition(" (× ")
        assert float(corrected) == pytest.approx(min(1.0, test.p * int(pairs.rstrip(")"))), abs=6e-5)
        # The first step of Holm's method is never below what he gives.
        assert float(corrected) >= adjusted - 6e-5


def test_two_methods_are_compared_as_the_command_does(reader: Make, board: Board) -> None:
    page = reader().open("compare.html?ranking=ucsd-ped2-standard&a=method-2&b=method-3")
    page.locator("#result table").wait_for()
    ranking = board.rankings[0]
    ranked = {own.row.method: own for own in ranking.rows}
    compared(page, ranking, ranked["method-2"], ranked["method-3"], Unit.CLIPS)
    rows = shown_rows(page)
    # One of the six rows has no RBDC: fewer pairs to correct for.
    assert rows["RBDC"][7].endswith("(× 10)")
    assert rows["Pixel-AP"][7].endswith("(× 15)")

    page.locator("select[name=b]").select_option("method-4")
    until(page, "document.querySelector('#result thead').textContent.includes('Background Model')")
    before = page.locator("#result tbody tr").first.locator("td").all_inner_texts()
    page.locator("#swap").click()
    until(page, f"document.querySelector('#result tbody td').textContent === '{before[1]}'")
    after = page.locator("#result tbody tr").first.locator("td").all_inner_texts()
    assert after[:2] == before[1::-1]
    assert "a=method-4" in page.url
    assert page.locator(".clip-differences .track").count() == 12
    page.locator("#clip-metric").select_option("tbdc")
    assert page.locator(".clip-differences .track").count() > 0

    page.locator("select[name=b]").select_option("method-99")
    page.get_by_text("there are no intervals of differences").wait_for()
    page.locator("select[name=b]").select_option("method-4")
    page.get_by_text("Choose two different methods").wait_for()


def test_scenes_and_other_clips(reader: Make, board: Board) -> None:
    page = reader().open("compare.html?ranking=shanghaitech-standard&a=method-0&b=method-1")
    page.get_by_text("p of that mean, by scenes").wait_for()
    ranking = next(own for own in board.rankings if own.id == "shanghaitech-standard")
    ranked = {own.row.method: own for own in ranking.rows}
    compared(page, ranking, ranked["method-0"], ranked["method-1"], Unit.SCENES)
    remarks = page.locator("#result .remarks").inner_text()
    assert "With 3 scenes that differ" in remarks
    assert "nothing can be rejected" in remarks
    page.locator("select[name=b]").select_option("method-2")
    page.get_by_text("were scored on different clips (24 and 20)").wait_for()
    assert {tuple(cells[3:4]) for cells in shown_rows(page).values()} == {("–",)}
    assert {tuple(cells[5:]) for cells in shown_rows(page).values()} == {("–", "–", "–")}


def test_the_test_of_signs_is_that_of_the_command(reader: Make) -> None:
    # An address with nonsense opens the first pair.
    page = reader().open("compare.html?ranking=%3Cscript%3Ealert(1)%3C/script%3E&a=../../x&b=%00")
    page.locator("#result table").wait_for()
    assert page.locator("select[name=ranking]").input_value() == "ucsd-ped2-standard"
    rng = np.random.default_rng(3)
    flip = "values => vadbenchComparison.signFlip(values, 0)"
    for n, shift in ((107, 0.0), (107, 0.02), (40, 0.5)):
        differences = rng.normal(shift, 0.1, n)
        found = page.evaluate(flip, differences.tolist())
        assert found == page.evaluate(flip, differences.tolist())
        assert not found["exact"]
        assert found["p"] == pytest.approx(sign_flip(differences).p, abs=0.015)
    rng = np.random.default_rng(5)
    few = [rng.normal(0.05, 0.1, n) for n in (1, 2, 5, 12, 16)]
    for differences in (*few, *(np.round(rng.normal(0, 0.2, n), 1) for n in (5, 12, 15, 18)), np.zeros(4)):
        found = page.evaluate(flip, differences.tolist())
        exact = sign_flip(differences)
        assert (found["p"], found["exact"], found["n"]) == (exact.p, exact.exact, exact.n)
        assert found["leastP"] == exact.least_p


def test_a_data_file_that_is_missing_is_said(reader: Make, site: Path) -> None:
    one = reader()
    one.context.route("**/data/**", lambda route: route.abort())
    page = one.open("compare.html")
    page.get_by_text("cannot be read").wait_for()
    one.watch.complaints.clear()
