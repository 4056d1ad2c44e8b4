"""The pages as files: whole HTML, links that lead somewhere, everything that the board says, the same bytes twice."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_methods import board_of_methods, first_row
from site_pages import PageContent, broken_links

from leaderboard.audit import audit
from leaderboard.board import Board, Estimate
from leaderboard.cache import BoardCache
from leaderboard.errors import LeaderboardError
from leaderboard.site import write_site
from leaderboard.site.environment import percent
from leaderboard.site.metric_words import metric_words
from leaderboard.site.start_page import ranking_view
from leaderboard.site.strangers import slug
from leaderboard.site.table_texts import board_texts
from vadbench import Protocol
from vadbench.comparison import Interval, Unit
from vadbench.protocol import preset_names, value_text


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tags_balance_and_ids_are_unique(pages: dict[str, PageContent]) -> None:
    assert len(pages) > 10
    assert {address: page.faults for address, page in pages.items() if page.faults} == {}
    assert {
        address: [i for i, n in page.ids.items() if n > 1]
        for address, page in pages.items()
        if max(page.ids.values()) > 1
    } == {}


def test_a_fault_in_a_page_is_seen() -> None:
    assert PageContent.read("<p><b>a</p>").faults
    assert PageContent.read("<p>a</p></div>").faults
    assert PageContent.read('<p id="a"></p><p id="a"></p>').ids["a"] == 2


def test_references_name_what_is_there(pages: dict[str, PageContent]) -> None:
    for address, page in pages.items():
        assert [name for name in page.references if not page.ids[name]] == [], address


def test_links_lead_somewhere(site: Path, pages: dict[str, PageContent]) -> None:
    assert broken_links(site, pages) == []
    assert sum(len(page.links) for page in pages.values()) > 200


def test_pages_load_nothing_from_elsewhere_and_run_no_script_inside(pages: dict[str, PageContent]) -> None:
    for page in pages.values():
        assert page.scripts == []
        assert page.handlers == []
        loaded = [
            value
            for tag, name, value in page.attributes
            if name in {"src", "poster", "srcset", "action"} or (tag == "link" and name == "href")
        ]
        assert [
            value
            for value in loaded
            if re.match(r"(?i)[a-z]+:|//", value) and not value.startswith("data:image/svg+xml,")
        ] == []
        policies = [
            value
            for tag, name, value in page.attributes
            if tag == "meta" and name == "content" and "default-src" in value
        ]
        assert len(policies) == 1
        assert "default-src 'none'" in policies[0]
        assert "unsafe-eval" not in policies[0]
        assert "http" not in policies[0]


def test_every_page_has_title_description_and_language(site: Path, pages: dict[str, PageContent]) -> None:
    titles = set()
    for address in pages:
        text = (site / address).read_text("utf-8")
        title = re.search(r"<title>(.+?)</title>", text)
        description = re.search(r'<meta name="description" content="([^"]{20,})">', text)
        assert title is not None, address
        assert description is not None, address
        assert '<html lang="en">' in text
        titles.add(title[1])
    assert len(titles) == len(pages)


def test_the_start_page_says_what_the_board_says(board: Board, pages: dict[str, PageContent]) -> None:
    words = pages["index.html"].words
    for ranking in board.rankings:
        assert ranking.signature in words
        for ranked in ranking.rows:
            assert ranked.row.name in words
            for key, estimate in ranked.estimates.items():
                assert percent(ranked.row.report.value(key)) in words
                if estimate.wider is not None:
                    assert f"{percent(estimate.wider.low)}–{percent(estimate.wider.high)}" in words
        for remark in ranking.remarks:
            assert " ".join(remark.split()) in words
    assert "Withdrawn Method" in words
    assert "the authors found an error" in words
    assert "Of an Older Version" in words
    assert "83.6" in words
    assert "partially fine-tuned" in words


def test_the_wider_interval_is_shown_in_cell_and_picture(board: Board) -> None:
    ranking = board.rankings[0]
    texts = board_texts(board)[ranking.id]
    first, *others = ranking.rows
    value = first.row.report.value(ranking.sorted_by)
    assert value is not None
    clips = Interval(value - 0.01, value + 0.01, 0.95, Unit.CLIPS, 1000, 0)
    scenes = replace(clips, low=0.05, high=0.95, unit=Unit.SCENES)
    for estimate in (Estimate(clips, scenes), Estimate(replace(scenes, unit=Unit.CLIPS), clips)):
        own = replace(first, estimates={**first.estimates, ranking.sorted_by: estimate})
        view = ranking_view(replace(ranking, rows=(own, *others)), texts)
        assert view.rows[0].cells[0].interval == "5.00–95.00"
        assert view.span is not None
        assert view.span[0] <= 0.05
        assert view.span[1] >= 0.95
        assert "whole scenes" in view.words["interval"]
        lone = ranking_view(
            replace(ranking, rows=(replace(own, estimates={ranking.sorted_by: Estimate(clips)}),)), texts
        )
        assert lone.rows[0].picture != view.rows[0].picture
        assert "whole scenes" not in lone.words["interval"]


def test_columns_mean_what_their_protocol_says(board: Board) -> None:
    words = {
        ranking.protocol: {
            key: metric_words(key, title, ranking.rows[0].row.report) for key, title in ranking.titles.items()
        }
        for ranking in board.rankings
    }
    standard, release = words["standard"], words["tao-release"]
    assert "Over all pixels of all frames." in standard["pixel_auroc"]
    assert "averaged over frames; frames with an anomalous pixel alone count" in release["pixel_auroc"]
    assert "A frame whose map is 0 everywhere counts as 0." in release["pixel_ap"]
    assert "up to 0.3." in standard["pixel_aupro"]
    assert "lines inflate it" in release["pixel_aupro"]
    assert "best threshold for the test set" in standard["pixel_f1"]
    assert "at the threshold 0.5." in release["pixel_f1"]
    assert "clips of one class are left out" in standard["frame_auroc_macro"]
    assert ("count too" in release["frame_auroc_macro"]) == (
        str(board.rankings[1].rows[0].row.report.parsed_signature.protocol.frame.one_class_clips) == "pad"
    )
    assert not any("unless" in text for own in words.values() for text in own.values())


def test_every_value_that_a_preset_uses_is_explained(site: Path) -> None:
    text = (site / "protocols.html").read_text("utf-8")
    for name in preset_names():
        for field, value in Protocol.preset(name).values():
            choice = text.partition(f'<div class="choice" id="{slug(field)}">')[2].partition("</div>")[0]
            assert f"<li><code>{value_text(value)}</code>" in choice, field
    assert "<li><code>at(x)</code>" in text


def test_the_archive_shows_old_scores(board: Board, site: Path, pages: dict[str, PageContent]) -> None:
    text = (site / "index.html").read_text("utf-8").partition('id="archive"')[2]
    assert f"{percent(board.archive[0].report.value('pixel_ap'))}</td>" in text
    assert "Pixel-AP, old" in pages["index.html"].words
    assert (site / "tables/archive.csv").is_file()


def test_reported_rows_stand_outside_every_ranking(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    rankings, _, reported = text.partition('<div class="outside">')
    assert "AdaCLIP" in reported
    assert "AdaCLIP" not in rankings
    assert 'class="badge reported"' not in rankings


def test_reported_rows_say_in_short_what_the_audit_found_and_link_to_it(tmp_path: Path) -> None:
    board = board_of_methods(2)
    write_site(board, tmp_path / "site", audit=audit(board.published), workers=1)
    start = (tmp_path / "site" / "index.html").read_text("utf-8")
    protocols = (tmp_path / "site" / "protocols.html").read_text("utf-8")
    # One pixel metric says too little: only the tracks are checked.
    found = re.findall(r'<a href="protocols.html#([^"]+)" title="objects, our tracks">1 of 1 reading</a>', start)
    assert found == ["audit-made-2025-table-1-1", "audit-made-2025-table-1-2"]
    assert all(f'<tr id="{anchor}">' in protocols for anchor in found)
    assert "objects, on the tracks of this benchmark" not in start
    assert "objects, on the tracks of this benchmark" in protocols


def test_rank_ranges_are_printed(board: Board, site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    ranks = first_row(board).estimates[board.rankings[0].sorted_by].ranks
    assert ranks is not None
    shown = str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"
    assert f'<td class="rank" data-order="0">{shown}</td>' in text


def test_texts_in_the_page_are_those_of_the_files(board: Board, site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    for name in (board.rankings[0].id, board.published[0].id):
        block = re.search(rf'<script type="application/json" id="texts-{name}">(.*?)</script>', text, re.DOTALL)
        assert block is not None
        texts = dict(json.loads(block[1]))
        assert sorted(texts) == ["bib", "csv", "md", "tex"]
        for form, content in texts.items():
            assert (site / "tables" / f"{name}.{form}").read_text("utf-8") == content
        assert r"\begin{table}" in texts["tex"] or r"\begin{tabular}" in texts["tex"]
        assert texts["bib"].lstrip().startswith("@")


def test_a_method_page_has_all_its_parts(pages: dict[str, PageContent]) -> None:
    page = pages["methods/method-0/ucsd-ped2.html"]
    for title in (
        "Curves",
        "Clip by clip",
        "Timelines",
        "What it does wrong",
        "Overlays",
        "About the method",
        "Citation",
    ):
        assert title in page.words
    assert "vadbench score method-0.zip" in page.words
    assert "vadbench overlay" in page.words
    assert page.tags["svg"] >= 5 + 1 + 12
    assert page.tags["desc"] == page.tags["title"] - 1
    assert page.tags["table"] >= 3


def test_a_row_without_statistics_has_a_page_all_the_same(pages: dict[str, PageContent]) -> None:
    page = pages["methods/method-99/ucsd-ped2.html"]
    assert "Curves" in page.words
    assert "Timelines" not in page.words


def test_the_history_is_shown_as_text(pages: dict[str, PageContent]) -> None:
    words = pages["changes.html"].words
    assert "method-3/ucsd-ped2" in words
    assert "of *today*" in words
    assert "<Track> Any" in words


def test_the_same_board_gives_the_same_bytes(board: Board, site: Path, tmp_path: Path) -> None:
    write_site(board, tmp_path / "again", workers=1)
    assert files_of(tmp_path / "again") == files_of(site)


def test_kept_parts_give_the_same_bytes(board: Board, site: Path, tmp_path: Path) -> None:
    class Kept:
        """Statistics as the build gives them: read from a file when they are asked for."""

        def __init__(self, number: int, statistics: object) -> None:
            self.sha256 = f"{number:064x}"
            self.statistics = statistics
            self.read = 0

        def __call__(self) -> object:
            self.read += 1
            return self.statistics

    kept: list[Kept] = []
    rankings = []
    for ranking in board.rankings:
        rows = []
        for ranked in ranking.rows:
            statistics = ranked.row.statistics
            if statistics is not None:
                kept.append(Kept(len(kept), statistics))
            rows.append(
                replace(ranked, row=replace(ranked.row, statistics=kept[-1] if statistics is not None else None))
            )
        rankings.append(replace(ranking, rows=tuple(rows)))
    stored = replace(board, rankings=tuple(rankings))
    for _ in range(2):
        write_site(stored, tmp_path / "site", cache=BoardCache(tmp_path / "cache"), workers=1)
    assert [own.read for own in kept[:3]] == [1, 1, 1]
    assert files_of(tmp_path / "site") == files_of(site)


def test_an_empty_board_has_all_pages(tmp_path: Path) -> None:
    write_site(Board((), ()), tmp_path / "site", workers=1)
    assert "No entries yet" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert (tmp_path / "site" / "compare.html").is_file()


def test_a_folder_of_somebody_else_is_left_alone(board: Board, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "index.html").write_text("my own")
    with pytest.raises(LeaderboardError, match="L162"):
        write_site(board, folder, workers=1)
    assert (folder / "index.html").read_text() == "my own"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_failure_leaves_the_old_site(board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    write_site(Board((), ()), folder, workers=1)
    before = files_of(folder)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leaderboard.site.writing.write_libraries", fail)
    with pytest.raises(LeaderboardError, match="L163"):
        write_site(board, folder, workers=1)
    assert files_of(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_overlays_are_copied_and_shown(board: Board, tmp_path: Path) -> None:
    films = tmp_path / "films" / "method-0" / "ucsd-ped2"
    films.mkdir(parents=True)
    (films / "01.mp4").write_bytes(b"film")
    (films / "02.gif").write_bytes(b"picture")
    (films / "notes.txt").write_bytes(b"nothing to show")
    (films / "03.png").symlink_to(films / "notes.txt")
    small = replace(board, rankings=board.rankings[:1], archive=())
    write_site(small, tmp_path / "site", overlays=tmp_path / "films", workers=1)
    assert (tmp_path / "site/overlays/method-0/ucsd-ped2/01.mp4").read_bytes() == b"film"
    text = (tmp_path / "site/methods/method-0/ucsd-ped2.html").read_text("utf-8")
    assert '<video src="../../overlays/method-0/ucsd-ped2/01.mp4"' in text
    assert "02.gif" in text
    assert "notes" not in text
    assert not (tmp_path / "site/overlays/method-0/ucsd-ped2/03.png").exists()


def test_methods_on_several_data_sets_are_linked(tmp_path: Path) -> None:
    board = board_of_methods(1, ("ucsd-ped2", "avenue"), whole=False)
    write_site(board, tmp_path / "site", workers=1)
    text = (tmp_path / "site/methods/method-0/avenue.html").read_text("utf-8")
    assert '<a href="../../methods/method-0/ucsd-ped2.html">UCSD Ped2</a>' in text
