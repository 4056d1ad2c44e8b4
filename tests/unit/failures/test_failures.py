"""What a method does wrong, on counts that are written out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import made_failures as made
import numpy as np
import pytest

from vadbench import Report, UsageError
from vadbench.failures import (
    SEPARATION,
    ClipCosts,
    Failures,
    FalsePositives,
    NotAvailable,
    PixelFailures,
    ScoreUnit,
    TrackFailures,
    TrackProperty,
    failures,
)


@pytest.fixture(scope="module")
def report() -> Report:
    return made.made_report()


@pytest.fixture(scope="module")
def found(report: Report) -> Failures:
    return failures(report, made.made_statistics(report), metrics=["rbdc", "tbdc", "frame_auroc_micro"])


@pytest.fixture(scope="module")
def tracks(found: Failures) -> TrackFailures:
    assert isinstance(found.tracks, TrackFailures)
    return found.tracks


def test_tracks_beyond_the_limit_are_missed_and_one_at_it_is_found(tracks: TrackFailures) -> None:
    # Largest first: c is 4 x 10, a 2 x 3, e 1 x 1.
    assert [missed.track.track for missed in tracks.missed] == ["c", "a", "e"]
    assert (tracks.n_tracks, tracks.limit) == (6, 1.0)


def test_groups_are_thirds_with_their_bounds(tracks: TrackFailures) -> None:
    by_size = [group for group in tracks.groups if group.by is TrackProperty.SIZE]
    assert [(group.name, group.low, group.high, group.found, group.missed) for group in by_size] == [
        ("smallest", 1, 6, 0, 2),
        ("middle", 40, 200, 1, 1),
        ("largest", 300, 400, 2, 0),
    ]
    by_length = [group for group in tracks.groups if group.by is TrackProperty.LENGTH]
    assert [(group.low, group.high, group.found, group.missed) for group in by_length] == [
        (1, 10, 0, 2),
        (30, 40, 1, 1),
        (50, 90, 2, 0),
    ]
    assert [group.missed_share for group in by_length] == [1.0, 0.5, 0.0]


def test_a_track_of_one_frame_has_no_speed(tracks: TrackFailures) -> None:
    by_speed = [group for group in tracks.groups if group.by is TrackProperty.SPEED]
    assert sum(group.found + group.missed for group in by_speed) == 5
    assert by_speed[0].low == 0.5


def test_the_frame_to_look_at_lies_in_the_track_and_has_something_in_it(tracks: TrackFailures) -> None:
    looks = {missed.track.track: missed.look.frame for missed in tracks.missed}
    # Of c the middle, 14, has no anomalous pixel: frame 9 is the nearest that has one. Clip 03 has no masks.
    assert looks == {"a": 4, "c": 9, "e": 20}


def test_words_of_tracks_say_what_the_counts_say(tracks: TrackFailures) -> None:
    assert tracks.in_words == (
        "It misses 3 of 6 tracks at up to 1 false positive per frame. Of the missed tracks, 2 are among the 2 smallest "
        "(1 to 6 px); 2 are among the 2 shortest (1 to 10 frames); 2 are among the 2 slowest (0.5 to 1.0 px a frame). "
        "2 tracks are found at no threshold at all."
    )
    assert replace(tracks, missed=(), groups=()).in_words == (
        "It finds all 6 tracks at up to 1 false positive per frame."
    )


def test_fewer_than_three_tracks_make_no_groups(report: Report) -> None:
    found = failures(report, made.made_statistics(report, tracks=made.TRACKS[:2]), metrics=())
    assert isinstance(found.tracks, TrackFailures)
    assert found.tracks.groups == ()
    assert len(found.tracks.missed) == 1


def test_equal_values_stay_in_one_group(report: Report) -> None:
    alike = [replace(track, height=5.0, width=5.0) for track in made.TRACKS]
    found = failures(report, made.made_statistics(report, tracks=tuple(alike)), metrics=())
    assert isinstance(found.tracks, TrackFailures)
    sizes = [group for group in found.tracks.groups if group.by is TrackProperty.SIZE]
    assert [(group.found, group.missed) for group in sizes] == [(3, 3)]


@pytest.fixture(scope="module")
def false(found: Failures) -> FalsePositives:
    assert isinstance(found.false_positives, FalsePositives)
    return found.false_positives


def test_false_positives_are_counted_up_to_the_limit(false: FalsePositives) -> None:
    assert (false.limit, false.level, false.reached) == (1.0, 2.0, 1.0)
    rows = [(clip.clip, clip.frames, clip.at_limit, clip.in_all, clip.per_frame) for clip in false.clips]
    assert rows == [("02", 100, 280, 389, 2.8), ("01", 100, 10, 60, 0.1), ("03", 100, 10, 10, 0.1)]


def test_cases_near_a_higher_one_are_left_out(false: FalsePositives) -> None:
    # 60 is near 40; 70 is near neither that is kept.
    assert [(case.clip, case.frame) for case in false.cases] == [("01", 5), ("02", 40), ("02", 70)]
    assert SEPARATION == 30


def test_words_of_false_positives(false: FalsePositives) -> None:
    assert false.in_words == (
        "Up to the limit of 1 per frame there are 300 false positives in 300 frames, of 459 in all. Clip 02 has 93 % "
        "of them, and 33 % of the frames."
    )


def test_a_limit_that_the_highest_score_passes(report: Report) -> None:
    many = replace(made.objects(), false_positives=made.counts([301, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]))
    found = failures(report, made.made_statistics(report, objects=many), metrics=())
    assert isinstance(found.false_positives, FalsePositives)
    assert (found.false_positives.level, found.false_positives.reached) == ("none", 0.0)
    assert "none of them before the limit" in found.false_positives.in_words


def test_the_level_of_the_limit_is_a_score_or_says_why_not(report: Report) -> None:
    few = replace(made.objects(), false_positives=made.counts([10, 0, 50, 0], [0] * 4, [0] * 4))
    many = replace(made.objects(), false_positives=made.counts([301, 0, 0, 0], [0] * 4, [0] * 4))
    for objects, level in ((few, "all"), (many, "none"), (made.objects(), 2.0)):
        content = json.loads(failures(report, made.made_statistics(report, objects=objects), metrics=()).to_json())
        assert content["false_positives"]["level"] == level
    # Levels are then numbers of steps.
    sequential = made.made_report("standard+object.ties=sequential")
    for objects, level in ((few, "all"), (many, "none"), (made.objects(), None)):
        found = failures(sequential, made.made_statistics(sequential, objects=objects), metrics=())
        assert isinstance(found.false_positives, FalsePositives)
        assert found.false_positives.level == level


def test_equal_scores_have_no_order(report: Report, false: FalsePositives) -> None:
    equal = tuple(replace(case, score=1.0) for case in made.FALSE)
    found = failures(report, made.made_statistics(report, false_positives=equal), metrics=()).false_positives
    assert isinstance(found, FalsePositives)
    assert (found.alike, false.alike) == (True, False)
    assert "are all equal (1): listed are the first in reading order." in found.in_words
    assert "reading order" not in false.in_words


def test_no_false_positive_at_all(report: Report) -> None:
    none = replace(made.objects(), false_positives=np.zeros((3, 4), dtype=np.int64))
    found = failures(report, made.made_statistics(report, objects=none, false_positives=()), metrics=())
    assert isinstance(found.false_positives, FalsePositives)
    assert found.false_positives.in_words == "No detection is a false positive, in 300 frames."


@pytest.fixture(scope="module")
def pixels(found: Failures) -> PixelFailures:
    assert isinstance(found.pixels, PixelFailures)
    return found.pixels


def test_worst_frames_of_pixels(pixels: PixelFailures) -> None:
    assert [(frame.clip, frame.frame, frame.false_positives) for frame in pixels.most_false] == [
        ("02", 60, 9),
        ("02", 3, 1),
    ]
    assert [(frame.clip, frame.frame, frame.missed) for frame in pixels.most_missed] == [("01", 7, 5)]


def test_pixels_of_clips(pixels: PixelFailures) -> None:
    rows = [(clip.clip, clip.n_positive, clip.missed, clip.false_positives) for clip in pixels.clips]
    assert rows == [("01", 60, 5, 0), ("02", 20, 0, 18)]
    assert pixels.in_words == (
        "At the threshold of Pixel-F1 (score ≥ 5) it flags 75 of 80 (93.8 %) anomalous pixels; 18 of 93 "
        "(19.4 %) flagged pixels are normal. Clip 02 has 100 % of the pixels that are flagged wrongly, and 50 % of "
        "the frames. Clip 01 has 100 % of the missed pixels, and 75 % of the anomalous pixels."
    )


def test_a_threshold_that_flags_everything(pixels: PixelFailures) -> None:
    assert replace(pixels, threshold=-np.inf).rule == "everything is flagged"


def test_costs_of_clips_are_values_without_them(report: Report, found: Failures) -> None:
    from vadbench.comparison import values

    assert isinstance(found.clips, ClipCosts)
    statistics = made.made_statistics(report)
    for costs in found.clips.metrics:
        for cost in costs.clips:
            weights = np.array([[float(clip != cost.clip) for clip in made.CLIPS], [1.0] * 3])
            without, of_all = values(report, statistics, weights)[costs.metric]
            assert costs.value == report.value(costs.metric) == pytest.approx(of_all, abs=1e-12)
            assert cost.gain == pytest.approx(without - of_all, abs=1e-15)
        gains = [cost.gain for cost in costs.clips if cost.gain is not None]
        assert gains == sorted(gains, reverse=True)


def test_looks_of_clips_are_of_the_metrics_kind(found: Failures) -> None:
    assert isinstance(found.clips, ClipCosts)
    looks = {
        (costs.metric, cost.clip): (cost.look.frame, cost.look.shows) if cost.look else None
        for costs in found.clips.metrics
        for cost in costs.clips
    }
    assert looks["rbdc", "02"] == (40, "false positive")
    assert looks["tbdc", "02"] == (9, "missed track c")
    assert looks["rbdc", "03"] == (20, "missed track e")
    assert looks["frame_auroc_micro", "01"] == (7, "anomalous, and 270 of 270 normal frames rank at or above it")
    assert looks["frame_auroc_micro", "02"] == (60, "normal, and 30 of 30 anomalous frames rank at or below it")
    # Its anomalous frames are below one normal frame of clip 02.
    assert looks["frame_auroc_micro", "03"] == (0, "anomalous, and 1 of 270 normal frames rank at or above it")


def test_a_clip_whose_absence_leaves_nothing_has_no_gain(report: Report) -> None:
    alone = replace(made.objects(), regions=made.counts([0] * 4, [0] * 4, [90, 0, 0, 1]))
    alone = replace(alone, tracks=made.counts([0] * 4, [0] * 4, [1, 0, 0, 1]))
    found = failures(report, made.made_statistics(report, objects=alone), metrics=["rbdc"])
    assert isinstance(found.clips, ClipCosts)
    assert [cost.gain is None for cost in found.clips.metrics[0].clips] == [False, False, True]
    assert found.clips.metrics[0].clips[-1].clip == "03"


def test_parts_without_their_statistics_say_why() -> None:
    report = made.made_report(boxes=False)
    bare = made.made_statistics(report, objects=None, flagged=None, frame_ranks=None, tracks=(), false_positives=())
    found = failures(report, bare, metrics=["frame_auroc_micro"])
    for part in (found.tracks, found.false_positives, found.pixels, found.clips):
        assert isinstance(part, NotAvailable)
        assert part.in_words.startswith("Not available, because ")
    # The report itself says what its boxes lack.
    assert "threshold" in found.tracks.in_words


def test_scores_that_the_protocol_scales_have_another_threshold(pixels: PixelFailures) -> None:
    report = made.made_report("tao-release")
    found = failures(report, made.made_statistics(report), metrics=())
    assert isinstance(found.pixels, PixelFailures)
    assert (pixels.unit, found.pixels.unit) == (ScoreUnit.STORED, ScoreUnit.FRAME_MAXIMUM)
    assert (pixels.scaled, found.pixels.scaled) == (False, True)
    assert "(score ≥ 5 of the frame's maximum)" in found.pixels.in_words


def test_instances_that_count_as_one_have_a_threshold_of_their_own() -> None:
    report = made.made_report("standard+instances.scores=one")
    statistics = made.made_statistics(report)
    assert isinstance(pixels := failures(report, statistics, metrics=()).pixels, PixelFailures)
    # Its pixel metrics are of score maps, which are as they were stored.
    assert (pixels.unit, pixels.rule) == (ScoreUnit.STORED, "score ≥ 5")
    of_instances = report.scores["pixel_f1"].model_copy(update={"source": "instances"})
    report = report.model_copy(update={"scores": {**report.scores, "pixel_f1": of_instances}})
    assert isinstance(pixels := failures(report, statistics, metrics=()).pixels, PixelFailures)
    assert (pixels.unit, pixels.rule) == (ScoreUnit.ONE_AN_INSTANCE, "score ≥ 5, where every instance counts as 1")


def test_frames_that_do_not_enter_are_not_told(pixels: PixelFailures) -> None:
    """In clip 02 frames 60 and 62 flag 17 normal pixels, and have no anomalous one."""
    report = made.made_report("standard+pixel.frames=anomalous")
    found = failures(report, made.made_statistics(report), metrics=["pixel_auroc"])
    assert isinstance(found.pixels, PixelFailures)
    assert [(frame.clip, frame.frame, frame.false_positives) for frame in found.pixels.most_false] == [("02", 3, 1)]
    rows = [(clip.clip, clip.frames, clip.n_positive, clip.missed, clip.false_positives) for clip in found.pixels.clips]
    assert rows == [("01", 10, 60, 5, 0), ("02", 10, 20, 0, 1)]
    assert "1 of 76 (1.3 %) flagged pixels are normal. Only frames with an anomalous pixel enter." in (
        found.pixels.in_words
    )
    assert "Only frames" not in pixels.in_words


def test_sums_of_a_mean_over_frames_are_not_its_score(pixels: PixelFailures) -> None:
    report = made.made_report("tao-release")
    found = failures(report, made.made_statistics(report), metrics=()).pixels
    assert isinstance(found, PixelFailures)
    assert "the mean of each frame's own, not that of these sums" in found.in_words
    assert "these sums" not in pixels.in_words


def test_the_worst_frame_of_a_clip_enters_its_metric() -> None:
    report = made.made_report("standard+pixel.frames=anomalous+pixel.f1=at(5)")
    fixed = made.counts([56, 0, 60], [20, 1, 20], [0, 0, 0])
    found = failures(report, made.made_statistics(report, fixed=fixed), metrics=["pixel_f1"])
    assert isinstance(found.clips, ClipCosts)
    looks = {cost.clip: cost.look and cost.look.frame for cost in found.clips.metrics[0].clips}
    assert looks == {"01": 7, "02": 3, "03": None}


@pytest.mark.parametrize(("declared", "looks"), [(5.0, [7, 60, None]), (4.0, [None] * 3)])
def test_the_declared_threshold_has_frames_only_where_they_are_told_there(
    declared: float, looks: list[int | None]
) -> None:
    report = made.made_report(threshold=declared)
    counts = made.counts([55, 0, 60], [20, 18, 20], [0, 0, 0])
    found = failures(report, made.made_statistics(report, declared=counts), metrics=["pixel_f1"])
    assert isinstance(found.clips, ClipCosts)
    costs = next(own for own in found.clips.metrics if own.metric == "pixel_f1_declared")
    by_clip = {cost.clip: cost.look and cost.look.frame for cost in costs.clips}
    assert [by_clip[clip] for clip in made.CLIPS] == looks


@pytest.mark.parametrize(
    ("change", "gain", "told"), [(3e-16, 0.0, False), (2e-5, 2e-5, False), (2e-4, 2e-4, True)], ids=str
)
def test_rounding_is_no_cost(
    report: Report, monkeypatch: pytest.MonkeyPatch, change: float, gain: float, told: bool
) -> None:
    scores = np.array([0.5, 0.5 + change, 0.5, 0.4])
    monkeypatch.setattr("vadbench.failures.clip_costs.values", lambda *_: {"rbdc": scores})
    found = failures(report, made.made_statistics(report), metrics=["rbdc"])
    assert isinstance(found.clips, ClipCosts)
    first = found.clips.metrics[0].clips[0]
    assert (first.clip, first.is_told) == ("01", told)
    assert first.gain == pytest.approx(gain, abs=1e-15)
    assert (first.gain == 0) == (gain == 0)
    assert ("Clip 01 costs most of 1 score" in found.clips.in_words) == told
    assert ("No score would be higher" in found.clips.in_words) != told


def test_means_over_frames_have_no_common_threshold() -> None:
    report = made.made_report("tao-release")
    found = failures(report, made.made_statistics(report, flagged=None), metrics=())
    assert isinstance(found.pixels, NotAvailable)
    assert "frame-mean" in found.pixels.reason


def test_statistics_of_another_report_are_refused(report: Report) -> None:
    with pytest.raises(UsageError) as raised:
        failures(report, replace(made.made_statistics(report), fingerprint="0" * 64))
    assert raised.value.code == "U265"


def test_json_has_everything_and_no_infinity(report: Report) -> None:
    endless = replace(made.flagged(), threshold=-np.inf)
    found = failures(report, made.made_statistics(report, flagged=endless), metrics=["rbdc"])
    content = json.loads(found.to_json(), parse_constant=pytest.fail)
    assert content["format"] == "vadbench.failures/1"
    assert content["pixels"]["threshold"] == "all"
    assert content["tracks"]["missed"][0]["look"] == {"clip": "02", "frame": 9, "shows": "missed track c"}
    assert content["tracks"]["groups"][0]["missed_share"] == 1.0
    assert content["clips"]["metrics"][0]["metric"] == "rbdc"
    assert content["tracks"]["in_words"] == found.tracks.in_words
    assert (
        found.to_json() == failures(report, made.made_statistics(report, flagged=endless), metrics=["rbdc"]).to_json()
    )
