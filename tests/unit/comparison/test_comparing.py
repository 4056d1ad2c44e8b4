"""`compare`: that its parts are those of the functions it is made of, and that its words admit what is not known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_statistics import made_statistics

from vadbench import Report, UsageError
from vadbench.comparison import (
    Comparison,
    Interval,
    PairVerdict,
    ReportStatistics,
    Unit,
    compare,
    holm,
    interval,
    paired_interval,
    per_clip_values,
    rank_ranges,
    remarks,
    replicates,
    sign_flip,
    undecided,
)
from vadbench.comparison.plain_words import least_p_in_words

Pair = tuple[Report, ReportStatistics]


@pytest.fixture(scope="module")
def ped2() -> dict[str, Pair]:
    qualities = {"good": 0.7, "better": 0.72, "weak": 0.2}
    return {
        name: made_statistics(k, dataset="ucsd-ped2", n_clips=12, quality=own)
        for k, (name, own) in enumerate(qualities.items())
    }


@pytest.fixture(scope="module")
def shanghaitech() -> dict[str, Pair]:
    return {f"m{k}": made_statistics(k, dataset="shanghaitech", n_clips=30, quality=0.4 + k / 10) for k in range(2)}


@pytest.fixture(scope="module")
def of_ped2(ped2: dict[str, Pair]) -> Comparison:
    return compare(ped2, resamples=300, seed=2)


def test_estimates_are_those_of_the_parts(ped2: dict[str, Pair], of_ped2: Comparison) -> None:
    rows = {name: replicates(*own, resamples=300, seed=2) for name, own in ped2.items()}
    assert len(of_ped2.titles) == 9
    for key in of_ped2.titles:
        ranges = rank_ranges([rows[name][key] for name in ped2])
        for name, ranks in zip(ped2, ranges, strict=True):
            own = of_ped2.estimates[key][name]
            assert own.value == ped2[name][0].value(key)
            assert own.clips == interval(rows[name][key], seed=2)
            assert (own.scenes, own.ranks) == (None, ranks)


def test_differences_are_those_of_the_parts(ped2: dict[str, Pair], of_ped2: Comparison) -> None:
    rows = {name: replicates(*own, resamples=300, seed=2) for name, own in ped2.items()}
    for key in of_ped2.titles:
        found = [own for own in of_ped2.differences if own.metric == key]
        assert [(own.first, own.second) for own in found] == [("good", "better"), ("good", "weak"), ("better", "weak")]
        for own in found:
            first, second = ped2[own.first][0], ped2[own.second][0]
            by_clip = per_clip_values(first, key) - per_clip_values(second, key)
            by_clip = by_clip[~np.isnan(by_clip)]
            assert own.value == first.value(key) - second.value(key)
            assert own.clips == paired_interval(rows[own.first][key], rows[own.second][key], seed=2)
            assert own.test == sign_flip(by_clip, seed=2)
            assert own.mean_of_clips == pytest.approx(by_clip.mean())
        adjusted = holm([own.test.p for own in found if own.test])
        assert [own.adjusted_p for own in found] == adjusted.tolist()


def test_clips_without_a_value_are_left_out_of_the_test(ped2: dict[str, Pair], of_ped2: Comparison) -> None:
    report = ped2["good"][0]
    n = int(np.count_nonzero(~np.isnan(per_clip_values(report, "frame_auroc_macro"))))
    tested = {own.test.n for own in of_ped2.differences if own.metric == "frame_auroc_macro" and own.test}
    assert tested == {n}


def test_scenes_are_resampled_and_flipped_as_wholes(shanghaitech: dict[str, Pair]) -> None:
    found = compare(shanghaitech, resamples=200, metrics=["pixel_ap", "frame_auroc_macro"])
    assert (found.n_clips, found.n_scenes, found.no_scenes) == (30, 4, None)
    (m0, m1), own = shanghaitech.values(), found.differences[0]
    rows = [replicates(*pair, resamples=200, metrics="pixel_ap", unit=Unit.SCENES)["pixel_ap"] for pair in (m0, m1)]
    assert own.scenes == paired_interval(*rows, unit=Unit.SCENES)
    by_clip = per_clip_values(m0[0], "pixel_ap") - per_clip_values(m1[0], "pixel_ap")
    scenes = [clip_id[:2] for clip_id in m0[1].clip_ids]
    sums = [by_clip[[s == scene for s in scenes]].sum() for scene in sorted(set(scenes))]
    assert own.scene_test.p == sign_flip(sums).p
    assert own.scene_test.n == 4
    # The ranks are those that neither unit rules out.
    both = [
        rank_ranges([replicates(*pair, resamples=200, unit=unit)["pixel_ap"] for pair in (m0, m1)]) for unit in Unit
    ]
    for index, name in enumerate(shanghaitech):
        ranges = [own[index] for own in both]
        expected = min(low for low, _ in ranges), max(high for _, high in ranges)
        assert found.estimates["pixel_ap"][name].ranks == expected


@pytest.mark.parametrize("order", [1, -1], ids=["clips surer", "scenes surer"])
def test_ranks_are_those_that_neither_unit_rules_out(
    shanghaitech: dict[str, Pair], order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([[(1, 1), (2, 2)], [(1, 2), (1, 2)]][::order])
    monkeypatch.setattr("vadbench.comparison.comparing.rank_ranges", lambda *_, **__: next(found))
    estimates = compare(shanghaitech, resamples=200, metrics="rbdc").estimates["rbdc"]
    assert [own.ranks for own in estimates.values()] == [(1, 2), (1, 2)]


def test_a_baseline_is_compared_with_every_other(ped2: dict[str, Pair], of_ped2: Comparison) -> None:
    found = compare(ped2, resamples=300, seed=2, baseline="good", metrics="rbdc")
    assert [(own.first, own.second) for own in found.differences] == [("better", "good"), ("weak", "good")]
    whole = next(own for own in of_ped2.differences if (own.metric, own.first, own.second) == ("rbdc", "good", "weak"))
    assert found.differences[1].value == -whole.value
    assert found.differences[1].clips.low == pytest.approx(-whole.clips.high)
    assert found.differences[1].test == whole.test
    with pytest.raises(UsageError) as caught:
        compare(ped2, baseline="goood")
    assert (caught.value.code, "good" in caught.value.hint) == ("U268", True)


def test_one_method_has_intervals_alone(ped2: dict[str, Pair]) -> None:
    found = compare({"good": ped2["good"]}, resamples=200)
    assert found.differences == ()
    assert found.estimates["pixel_ap"]["good"].clips is not None
    assert "p is" not in found.paragraph


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        compare({})
    assert caught.value.code == "U268"


def test_scores_that_are_not_comparable_are_refused(ped2: dict[str, Pair]) -> None:
    other = made_statistics(9, dataset="ucsd-ped2", n_clips=12, protocol="aed-2021")
    with pytest.raises(UsageError) as caught:
        compare(ped2 | {"other": other})
    assert caught.value.code == "U267"
    assert "object.ties" in caught.value.got
    report, statistics = ped2["weak"]
    older = (
        report.model_copy(update={"signature": report.signature.replace("v=0.1.0", "v=0.0.9")}),
        replace(statistics, signature=report.signature.replace("v=0.1.0", "v=0.0.9")),
    )
    assert compare({"good": ped2["good"], "older": older}, resamples=200, metrics="rbdc").differences


def test_a_metric_that_one_method_lacks_is_compared_among_the_others(ped2: dict[str, Pair]) -> None:
    report, statistics = ped2["weak"]
    scores = {key: own for key, own in report.scores.items() if key != "rbdc"}
    named = ped2 | {"weak": (report.model_copy(update={"scores": scores}), statistics)}
    found = compare(named, metrics=["rbdc", "tbdc"], resamples=200)
    assert list(found.estimates["rbdc"]) == ["good", "better"]
    assert sum(own.metric == "rbdc" for own in found.differences) == 1


def test_values_without_statistics_have_no_interval(ped2: dict[str, Pair]) -> None:
    named = {name: (report, replace(own, objects=None)) for name, (report, own) in ped2.items()}
    found = compare(named, metrics="rbdc", resamples=200)
    assert found.estimates["rbdc"]["good"].clips is None
    assert found.estimates["rbdc"]["good"].ranks is None
    assert found.differences[0].clips is None
    assert found.differences[0].test is not None


def test_json_holds_everything_and_repeats(ped2: dict[str, Pair], of_ped2: Comparison) -> None:
    text = of_ped2.to_json()
    assert text == compare(ped2, resamples=300, seed=2).to_json()
    content = json.loads(text)
    assert (content["format"], content["seed"], content["resamples"]) == ("vadbench.comparison/1", 2, 300)
    own = content["metrics"]["pixel_ap"]["differences"][0]
    assert own["clips"]["unit"] == "clips"
    assert own["test"]["least_p"] == 2 / 4096
    assert own["scene_test"] is None


def test_the_words_say_what_few_clips_cannot_decide() -> None:
    clips = [f"{k:02d}" for k in range(12)]
    many = " ".join(remarks("ucsd-ped2", clips, n_pairs=105))
    assert "smallest two-sided p is 2/4096 = 0.00049; after Holm over 105 pairs (0.051) nothing can be rejected" in many
    assert "one camera" in many
    few = " ".join(remarks("ucsd-ped2", clips, n_pairs=102))
    assert "nothing can be rejected" not in few
    assert "0.05" in few


@pytest.mark.parametrize(("n_clips", "said"), [(4, "hardly more"), (12, "84 to 91 %"), (107, "")])
def test_the_words_say_what_intervals_of_few_clips_are_worth(n_clips: int, said: str) -> None:
    words = " ".join(remarks("avenue", [str(k) for k in range(n_clips)], n_pairs=0))
    assert [own for own in ("hardly more", "84 to 91 %") if own in words] == ([said] if said else [])


@pytest.mark.parametrize(
    ("n_clips", "n_pairs", "nothing"),
    [(12, 1, False), (5, 1, True), (6, 1, False), (6, 2, True), (107, 105, False), (107, 124_750, True)],
)
def test_nothing_can_be_rejected_where_the_least_p_says_so(n_clips: int, n_pairs: int, nothing: bool) -> None:
    assert ("nothing can be rejected" in least_p_in_words(n_clips, n_pairs)) == nothing


def test_the_words_name_the_pairs_that_are_open(of_ped2: Comparison) -> None:
    open_pairs = [own for own in of_ped2.differences if own.clips.low <= 0 <= own.clips.high]
    n = sum(own.metric == "pixel_ap" for own in open_pairs)
    assert (f"Pixel-AP {n} of 3" in of_ped2.paragraph) == bool(n)
    assert open_pairs


def test_the_words_state_an_effect_that_shows_in_a_table(ped2: dict[str, Pair]) -> None:
    report, statistics = ped2["good"]
    ap = report.scores["pixel_ap"]
    scores = report.scores | {"pixel_ap": ap.model_copy(update={"value": ap.value + 0.0021})}
    shifted = report.model_copy(update={"scores": scores})
    named = {"good": (shifted, replace(statistics, effect={"pixel_ap": -0.0021}))}
    assert "by up to 0.21 points" in compare(named, resamples=200).paragraph
    assert "points" not in compare({"good": (report, statistics)}, resamples=200).paragraph


def with_values(own: Pair, key: str, values: list[float | None]) -> Pair:
    """The same with other per-clip values of a metric that is their mean."""
    report, statistics = own
    rows = [
        row.model_copy(update={"scores": row.scores | {key: row.scores[key].model_copy(update={"value": value})}})
        for row, value in zip(report.clips, values, strict=True)
    ]
    mean = float(np.mean([value for value in values if value is not None]))
    scores = report.scores | {key: report.scores[key].model_copy(update={"value": mean})}
    return report.model_copy(update={"clips": rows, "scores": scores}), statistics


def test_holm_is_said_of_the_pairs_that_have_the_metric(ped2: dict[str, Pair]) -> None:
    report, statistics = ped2["weak"]
    scores = {key: own for key, own in report.scores.items() if key != "rbdc"}
    named = ped2 | {"weak": (report.model_copy(update={"scores": scores}), statistics)}
    words = compare(named, metrics=["rbdc", "tbdc"], resamples=200).paragraph
    assert (
        "12 clips (TBDC), of which 11 differ: the smallest two-sided p is 2/2048 = 0.00098; after Holm over 3" in words
    )
    assert "12 clips (RBDC): the smallest two-sided p is 2/4096 = 0.00049. " in words


def test_clips_without_a_difference_are_not_counted_as_deciding(ped2: dict[str, Pair]) -> None:
    first, second = [0.5] * 12, [0.5] * 10 + [0.6, 0.7]
    key = "frame_auroc_macro"
    named = {name: with_values(ped2[name], key, own) for name, own in (("good", first), ("better", second))}
    found = compare(named, metrics=key, resamples=200)
    assert found.differences[0].test.least_p == 0.5
    assert (
        "12 clips, of which 2 differ: the smallest two-sided p is 2/4 = 0.5: nothing can be rejected" in found.paragraph
    )
    alike = compare({"a": named["good"], "b": named["good"]}, metrics=key, resamples=200)
    assert "12 clips, none of which differ: nothing can be rejected." in alike.paragraph
    # The clips of the pair that could say most, in whatever order the pairs come.
    third = with_values(ped2["weak"], key, [0.4] * 12)
    for names in (("good", "better", "weak"), ("weak", "good", "better")):
        several = {name: (named | {"weak": third})[name] for name in names}
        assert "12 clips: the smallest two-sided p is 2/4096" in compare(several, metrics=key, resamples=200).paragraph


@pytest.mark.parametrize(("n_valued", "has_interval"), [(1, False), (2, False), (3, True)])
def test_one_or_two_clips_with_a_value_make_no_interval(
    ped2: dict[str, Pair], n_valued: int, has_interval: bool
) -> None:
    key = "frame_auroc_macro"
    named = {
        name: with_values(own, key, [0.5 + k / 10] * n_valued + [None] * (12 - n_valued))
        for k, (name, own) in enumerate(ped2.items())
    }
    found = compare(named, metrics=key, resamples=200)
    assert all((own.clips is not None) == has_interval for own in found.estimates[key].values())
    assert all((own.ranks is not None) == has_interval for own in found.estimates[key].values())
    assert all((own.clips is not None) == has_interval for own in found.differences)
    assert f"Frame-AUROC (macro) on {n_valued}." in found.paragraph
    assert ("no interval and no rank: Frame-AUROC (macro)" in found.paragraph) != has_interval
    assert ("do not rely" in found.paragraph) == has_interval
    assert ("Ranks follow" in found.paragraph) == has_interval


def test_resamples_without_a_value_are_told(ped2: dict[str, Pair]) -> None:
    key = "frame_auroc_macro"
    named = {"good": with_values(ped2["good"], key, [0.5, 0.6, 0.7] + [None] * 9)}
    found = compare(named, metrics=key, resamples=1000)
    n = found.estimates[key]["good"].clips.undefined
    assert n > 0
    assert f"Resamples without a value are left out: Frame-AUROC (macro) {n} of 1000." in found.paragraph


@pytest.mark.parametrize(("resamples", "confidence"), [(1, 0.95), (199, 0.95), (1000, 0.999999), (99, 0.9)])
def test_too_few_resamples_make_no_interval_and_no_rank(
    ped2: dict[str, Pair], resamples: int, confidence: float
) -> None:
    found = compare(ped2, metrics="rbdc", resamples=resamples, confidence=confidence)
    assert all(own.clips is None and own.ranks is None for own in found.estimates["rbdc"].values())
    assert all(own.clips is None and own.test is not None for own in found.differences)
    assert "too few" in found.no_clips
    assert "too few for intervals of" in found.paragraph
    for said in ("Ranks follow", "not known in", "Intervals of", "same value"):
        assert said not in found.paragraph
    enough = compare(
        ped2, metrics="rbdc", resamples=200 if confidence == 0.95 else 100, confidence=min(confidence, 0.95)
    )
    assert (enough.no_clips is None) == (confidence <= 0.95)


def test_one_clip_has_no_words_about_ranks() -> None:
    named = {f"m{k}": made_statistics(k, dataset="ucsd-ped2", n_clips=1) for k in range(2)}
    found = compare(named, metrics="rbdc", resamples=200)
    assert found.estimates["rbdc"]["m0"].ranks is None
    assert "Ranks follow" not in found.paragraph
    assert "has one clip" in found.paragraph


def test_statistics_of_fewer_metrics_are_named(ped2: dict[str, Pair]) -> None:
    report, statistics = ped2["good"]
    named = ped2 | {"good": (report, replace(statistics, objects=None))}
    found = compare(named, metrics=["rbdc", "pixel_ap"], resamples=200)
    assert "The statistics beside good hold nothing of RBDC" in found.paragraph
    assert "--statistics" in found.paragraph
    assert "every metric here" not in found.paragraph


def test_equal_results_are_called_the_same(ped2: dict[str, Pair]) -> None:
    found = compare({"a": ped2["good"], "b": ped2["good"]}, metrics=["rbdc", "tbdc"], resamples=200)
    assert "a and b are scores of the same predictions." in found.paragraph
    assert "The two have the same value in every resample in every metric here." in found.paragraph
    assert "not known in" not in found.paragraph
    assert all(own.alike for own in found.differences)
    assert not any(own.alike for own in compare(ped2, metrics="rbdc", resamples=200).differences)
    assert json.loads(found.to_json())["metrics"]["rbdc"]["differences"][0]["alike"] is True
    three = compare(ped2 | {"b": ped2["good"]}, metrics="rbdc", resamples=200)
    assert "good and b are scores of the same predictions." in three.paragraph
    assert "Pairs with the same value in every resample: RBDC 1 of 6." in three.paragraph


def test_the_two_are_spoken_of_where_there_are_two(ped2: dict[str, Pair]) -> None:
    report, statistics = ped2["weak"]
    scores = {key: own for key, own in report.scores.items() if key != "rbdc"}
    named = ped2 | {"weak": (report.model_copy(update={"scores": scores}), statistics)}
    assert "the two" not in compare(named, metrics="rbdc", resamples=200).paragraph.lower()


def around(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, Unit.CLIPS, 1000, 0)


def test_a_pair_is_open_where_one_of_its_intervals_holds_zero() -> None:
    above, wider = around(0.1, 0.2), around(-0.1, 0.3)
    for intervals in ((above, wider), (wider, above), (wider, None), (None, wider)):
        assert "RBDC" in " ".join(undecided([PairVerdict("RBDC", *intervals)], n_methods=2))
    for intervals in ((above, above), (above, None), (None, None)):
        assert undecided([PairVerdict("RBDC", *intervals)], n_methods=2) == ()
    # Rounding is no finding.
    assert undecided([PairVerdict("RBDC", around(3e-16, 0.1), None)], n_methods=2)
    both = [PairVerdict("RBDC", wider, None), PairVerdict("TBDC", None, None)]
    assert "not known in RBDC:" in undecided(both, n_methods=2)[0]


def test_the_scene_test_flips_sums_and_not_means(shanghaitech: dict[str, Pair]) -> None:
    """Scenes of 9, 9, 9 and 3 clips: the small scene alone is on the other side, and far."""
    clip_ids = shanghaitech["m0"][1].clip_ids
    first = [0.5 + (0.02 if clip_id[:2] != "04" else -0.05) for clip_id in clip_ids]
    key = "frame_auroc_macro"
    named = {
        "a": with_values(shanghaitech["m0"], key, first),
        "b": with_values(shanghaitech["m1"], key, [0.5] * 30),
    }
    found = compare(named, metrics=key, resamples=200).differences[0].scene_test
    # Of sums .18, .18, .18, −.15 fewer signs are as far from 0 than of means .02, .02, .02, −.05.
    assert found.p == sign_flip([0.18, 0.18, 0.18, -0.15]).p == 0.25
    assert sign_flip([0.02, 0.02, 0.02, -0.05]).p > 0.5


def test_few_scenes_count_however_many_clips_there_are() -> None:
    clip_ids = [f"{1 + k % 4:02d}_{k:04d}" for k in range(107)]
    assert "hardly more" in " ".join(remarks("shanghaitech", clip_ids, n_pairs=0))
    clip_ids = [f"{1 + k % 12:02d}_{k:04d}" for k in range(107)]
    assert "84 to 91 %" in " ".join(remarks("shanghaitech", clip_ids, n_pairs=0))


def test_the_scenes_of_other_data_sets_are_not_claimed_to_be_known(ped2: dict[str, Pair]) -> None:
    words = " ".join(remarks("synthetic", [f"{k}" for k in range(12)], n_pairs=1))
    assert "the scenes of synthetic are not known here" in words
    assert "one camera" not in words
    assert compare({"good": ped2["good"]}, resamples=200).n_scenes == 1


def test_rounding_on_every_clip_is_no_difference(ped2: dict[str, Pair]) -> None:
    key = "frame_auroc_macro"
    named = {"a": with_values(ped2["good"], key, [0.5] * 12), "b": with_values(ped2["weak"], key, [0.5 + 3e-16] * 12)}
    own = compare(named, metrics=key, resamples=200).differences[0]
    assert (own.test.p, own.alike) == (1.0, True)


def test_steps_are_told(ped2: dict[str, Pair]) -> None:
    told: list[tuple[int, int, str]] = []
    compare(ped2, metrics=["rbdc", "tbdc"], resamples=200, progress=lambda *own: told.append(own))
    assert [own[0] for own in told] == list(range(5))
    assert {own[1] for own in told} == {5}
    assert [own[2] for own in told] == ["good", "better", "weak", "RBDC", "TBDC"]
