"""Rankings: who stands in which, in what order, and what resampling says of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_board import made_entry, made_repository
from made_statistics import made_statistics

from leaderboard.build import make_board
from leaderboard.cache import BoardCache
from leaderboard.estimates import ReportEstimates, report_estimates
from leaderboard.rankings import SignatureParts, _first_in_words, make_rankings, ranking_names
from vadbench.comparison import compare, rank_ranges, replicates


def signature(data: str = "ucsd-ped2:57a42e14", tracks: str = "mask-overlap", protocol: str = "standard") -> str:
    return f"vadbench/1|data={data}|tracks={tracks}|protocol={protocol}"


def test_the_version_of_the_program_is_no_part_of_a_ranking() -> None:
    parts = SignatureParts.of(signature() + "|v=0.1.0")
    assert parts == SignatureParts(signature(), "ucsd-ped2", "57a42e14", "mask-overlap", "standard")


def test_a_signature_that_is_none_has_empty_parts() -> None:
    assert SignatureParts.of("rubbish") == SignatureParts("rubbish", "", "", "", "")


def test_names_of_rankings_tell_them_apart() -> None:
    signatures = [
        signature(),
        signature(protocol="tao-release+object.track_boxes=as-is"),
        signature(tracks="aed:90cc4e01"),
        signature("avenue:00000001"),
        signature("avenue:00000002"),
        signature("folder:00000001", protocol="standard+pixel.fpr_limit=0.05"),
        signature("folder:00000001", protocol="standard+pixel.fpr_limit=0-05"),
    ]
    names = ranking_names(signatures)
    assert names[signatures[0]] == "ucsd-ped2-standard"
    assert names[signatures[1]] == "ucsd-ped2-tao-release-object-track-boxes-as-is"
    assert names[signatures[2]] == "ucsd-ped2-standard-aed-90cc4e01"
    assert names[signatures[3]] == "avenue-standard-00000001"
    assert len(set(names.values())) == len(signatures)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names.values())


def test_rows_are_in_the_order_of_pixel_ap_with_the_ranges_of_the_comparison(repository: Path) -> None:
    [ranking] = make_board(repository, workers=1).rankings
    assert (ranking.id, ranking.sorted_by) == ("ucsd-ped2-standard", "pixel_ap")
    values = [own.row.report.value("pixel_ap") for own in ranking.rows]
    assert values == sorted(values, reverse=True)
    assert list(ranking.titles)[:2] == ["pixel_auroc", "pixel_ap"]
    found = [replicates(own.row.report, own.row.statistics) for own in ranking.rows]
    for metric in ranking.titles:
        resampled = [own[metric] for own in found]
        assert [own.estimates[metric].ranks for own in ranking.rows] == rank_ranges(resampled)
        for own, expected in zip(ranking.rows, resampled, strict=True):
            np.testing.assert_array_equal(own.estimates[metric].replicates, expected)


def test_the_board_says_that_few_clips_decide_little(repository: Path) -> None:
    [ranking] = make_board(repository, workers=1).rankings
    words = " ".join(ranking.remarks)
    assert "12 clips: the smallest two-sided p is 2/4096" in words
    assert "1000 resamples, seed 0" in words


def test_after_holm_over_105_pairs_twelve_clips_reject_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is said of tests depends on clips and rows alone.
    monkeypatch.setattr("leaderboard.estimates.RESAMPLES", 20)
    folder = made_repository(tmp_path, range(15))
    [ranking] = make_board(folder, workers=1).rankings
    assert any("105 pairs" in words and "nothing can be rejected" in words for words in ranking.remarks)


def test_a_row_without_statistics_may_stand_anywhere(repository: Path) -> None:
    [before] = make_board(repository, workers=1).rankings
    made_entry(repository, 8, quality=0.6, with_statistics=False)
    [ranking] = make_board(repository, workers=1).rankings
    ranks = {own.row.key: own.estimates["pixel_ap"].ranks for own in before.rows}
    for own in ranking.rows:
        estimate = own.estimates["pixel_ap"]
        if own.row.method == "method-8":
            assert (estimate.ranks, estimate.clips, estimate.replicates) == (None, None, None)
        else:
            best, worst = ranks[own.row.key]
            assert estimate.ranks == (best, worst + 1)
    assert any("1 of 4 rows has no statistics" in words for words in ranking.remarks)


def test_resamples_of_other_clips_pair_up_with_nothing(repository: Path) -> None:
    [before] = make_board(repository, workers=1).rankings
    rows = [own.row for own in before.rows]
    found = {row.key: report_estimates(row.report, row.statistics, row.key) for row in rows}
    report, statistics = made_statistics(8, n_clips=11, quality=0.6)
    other = report.model_copy(update={"signature": rows[0].report.signature})
    rows.append(replace(rows[0], method="method-8", report=other))
    found["method-8/ucsd-ped2"] = report_estimates(report, statistics, "8")
    [ranking] = make_rankings(rows, found, BoardCache(None))
    ranks = {own.row.key: own.estimates["pixel_ap"].ranks for own in before.rows}
    for own in ranking.rows:
        estimate = own.estimates["pixel_ap"]
        if own.row.method == "method-8":
            # Sure of itself, but not of any difference.
            assert estimate.ranks is None
            assert estimate.clips is not None
        else:
            best, worst = ranks[own.row.key]
            assert estimate.ranks == (best, worst + 1)
    assert (before.anywhere("pixel_ap"), ranking.anywhere("pixel_ap")) == (0, 1)
    assert any("scored on 11 of the 12 clips" in words for words in ranking.remarks)


def test_without_any_statistics_there_is_a_ranking_without_intervals(repository: Path) -> None:
    for path in repository.glob("submissions/*/*/statistics.json"):
        path.unlink()
    [ranking] = make_board(repository, accept=[f"method-{own}/ucsd-ped2" for own in (1, 2, 3)], workers=1).rankings
    assert all(own.estimates["pixel_ap"].clips is None for own in ranking.rows)
    assert any("no intervals" in words for words in ranking.remarks)


def test_scores_of_other_protocols_and_data_sets_have_rankings_of_their_own(repository: Path) -> None:
    made_entry(repository, 1, quality=0.4, protocol="standard+pixel.fpr_limit=0.05")
    made_entry(repository, 1, dataset="avenue")
    rankings = make_board(repository, workers=1).rankings
    assert [own.id for own in rankings] == [
        "ucsd-ped2-standard",
        "ucsd-ped2-standard-pixel-fpr-limit-0-05",
        "avenue-standard",
    ]
    assert [len(own.rows) for own in rankings] == [3, 1, 1]
    assert rankings[1].titles["pixel_aupro"] == "Pixel-AUPRO@0.05"
    assert rankings[1].rows[0].row.key == "method-1/ucsd-ped2/standard+pixel.fpr_limit=0.05"


def test_estimates_are_the_same_from_the_cache_and_a_damaged_cache_is_ignored(repository: Path) -> None:
    fresh = make_board(repository, cache=BoardCache(None), workers=1)
    kept = make_board(repository, workers=1)
    for path in (repository / "leaderboard" / ".cache").iterdir():
        path.write_bytes(path.read_bytes()[:-3] + b"???")
    mended = make_board(repository, workers=1)
    for board in (kept, mended):
        for one, other in zip(fresh.rankings[0].rows, board.rankings[0].rows, strict=True):
            assert one.row.key == other.row.key
            for metric, estimate in one.estimates.items():
                again = other.estimates[metric]
                assert (estimate.clips, estimate.scenes, estimate.ranks) == (again.clips, again.scenes, again.ranks)
                np.testing.assert_array_equal(estimate.replicates, again.replicates)


def test_only_what_changed_is_resampled_again(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(report: object, statistics: object) -> ReportEstimates:
        made.append("")
        return report_estimates(report, statistics)  # type: ignore[arg-type]

    monkeypatch.setattr("leaderboard.estimates.report_estimates", counted)
    make_board(repository, workers=1)
    assert made == []
    shutil.rmtree(repository / "submissions" / "method-2")
    made_entry(repository, 2, quality=0.9)
    make_board(repository, accept=["method-2/ucsd-ped2"], workers=1)
    assert len(made) == 1


def test_estimates_are_read_back_as_they_were_kept() -> None:
    report, statistics = made_statistics(4, dataset="shanghaitech", n_clips=20)
    found = report_estimates(report, statistics, "key")
    again = ReportEstimates.from_bytes("key", found.to_bytes())
    assert (again.clips, again.scenes, again.effect) == (found.clips, found.scenes, found.effect)
    assert found.scenes
    assert list(again.replicates) == list(found.replicates)
    for metric, values in found.replicates.items():
        np.testing.assert_array_equal(again.replicates[metric], values)
    assert list(again.scene_replicates) == list(found.scene_replicates) == list(found.scenes)
    for metric, values in found.scene_replicates.items():
        np.testing.assert_array_equal(again.scene_replicates[metric], values)


def test_ranks_are_those_that_neither_clips_nor_scenes_rule_out(tmp_path: Path) -> None:
    folder = made_repository(tmp_path, ())
    for seed in range(4):
        made_entry(folder, seed, dataset="shanghaitech", quality=0.4 + 0.02 * seed)
    [ranking] = make_board(folder, workers=1).rankings
    named = {own.row.key: (own.row.report, own.row.statistics) for own in ranking.rows}
    found = compare(named, flips=1)
    differs = False
    for metric in ranking.titles:
        by_clips = rank_ranges([own.estimates[metric].replicates for own in ranking.rows])
        ranks = [own.estimates[metric].ranks for own in ranking.rows]
        assert ranks == [found.estimates[metric][own.row.key].ranks for own in ranking.rows]
        differs |= ranks != by_clips
    # By clips alone some of them are narrower.
    assert differs
    assert any("of clips or of scenes leave open" in words for words in ranking.remarks)


def test_one_clip_with_a_value_makes_no_interval_and_no_rank() -> None:
    report, statistics = made_statistics(4)
    key = "frame_auroc_macro"
    rows = [
        row.model_copy(update={"scores": row.scores | {key: row.scores[key].model_copy(update={"value": value})}})
        for row, value in zip(report.clips, [0.5, *[None] * 11], strict=True)
    ]
    scores = report.scores | {key: report.scores[key].model_copy(update={"value": 0.5})}
    found = report_estimates(report.model_copy(update={"clips": rows, "scores": scores}), statistics)
    assert key not in found.clips
    assert key not in found.replicates
    assert "rbdc" in found.clips


def test_several_processes_give_the_same_as_one(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaderboard.estimates._FEW", 1)
    one, many = (make_board(repository, cache=BoardCache(None), workers=workers) for workers in (1, 2))
    for first, second in zip(one.rankings[0].rows, many.rankings[0].rows, strict=True):
        assert first.row.key == second.row.key
        np.testing.assert_array_equal(first.estimates["rbdc"].replicates, second.estimates["rbdc"].replicates)


def test_the_first_place_is_open_where_nothing_is_known_of_a_row() -> None:
    ranks = {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
    assert "only one row can be the first" in _first_in_words("Pixel-AP", ranks, 0)
    assert "2 of 4 rows may be the first" in _first_in_words("Pixel-AP", ranks, 1)
    assert "any of the 2 rows may be the first" in _first_in_words("Pixel-AP", {"a": (1, 2), "b": (1, 2)}, 0)
