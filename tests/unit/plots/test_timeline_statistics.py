"""Timelines from the statistics beside a report are those of the predictions, and never empty without a word."""

from dataclasses import replace

import numpy as np
import pytest
from made_statistics import made_statistics

from vadbench import Instances, MemoryDataset, Prediction, Truth, UsageError, evaluate
from vadbench.evaluation.statistics_pass import report_statistics
from vadbench.plots import TimelineDisplay, write_displays

FRAMES, HEIGHT, WIDTH = 8, 10, 12


@pytest.fixture(scope="module")
def dataset():
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), dtype=bool)
    masks[2:6, 3:8, 4:9] = True
    return MemoryDataset(
        {"01": Truth.from_arrays(masks), "02": Truth.from_arrays(np.zeros_like(masks)), "03": Truth.from_arrays(masks)}
    )


@pytest.fixture(scope="module")
def predictions(dataset):
    """Maps with noise; and instances that are silent in clip 03."""
    rng = np.random.default_rng(0)
    maps, found = {}, {}
    for clip in dataset.clips:
        masks = dataset.truth(clip.id).masks()
        maps[clip.id] = Prediction(score_maps=(rng.integers(0, 120, masks.shape) + 90 * masks).astype(np.uint8))
        frames = [] if clip.id == "03" else [2, 3, 5]
        mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
        mask[2:7, 3:8] = True
        found[clip.id] = Prediction(
            instances=Instances.from_masks(
                frames, [mask] * len(frames), 0.5 + 0.1 * np.array(frames), height=HEIGHT, width=WIDTH
            )
        )
    return {"maps": maps, "instances": found}


@pytest.fixture(scope="module")
def named(dataset, predictions):
    reports = {name: evaluate(own, dataset) for name, own in predictions.items()}
    return {name: (report, report_statistics(predictions[name], dataset, report)) for name, report in reports.items()}


@pytest.mark.parametrize("clip", ["01", "03"])
def test_pixel_f1_is_that_of_the_predictions(clip, named, dataset, predictions):
    reports = {name: report for name, (report, _) in named.items()}
    slow = TimelineDisplay.from_reports(reports, predictions, dataset, clip_id=clip)
    fast = TimelineDisplay.from_statistics(named, clip_id=clip)
    assert fast.title == slow.title
    assert (fast.anomalous == slow.anomalous).all()
    for ours, theirs in zip(fast.timelines, slow.timelines, strict=True):
        assert ours.name == theirs.name
        np.testing.assert_allclose(ours.pixel_f1, theirs.pixel_f1, rtol=0, atol=1e-12)
        assert ours.mean == pytest.approx(theirs.mean, abs=1e-12)


def test_ranks_are_shares_of_the_frames_of_all_clips(named, dataset, predictions):
    scores = {
        clip.id: [block.max(axis=(1, 2)) for _, block in predictions["maps"][clip.id].maps.blocks()]
        for clip in dataset.clips
    }
    pool = np.concatenate([part for own in scores.values() for part in own])
    own = np.concatenate(scores["03"])
    expected = [100.0 * np.mean(pool < score) for score in own]
    display = TimelineDisplay.from_statistics(named, clip_id="03").plot()
    np.testing.assert_allclose(display.timelines[0].frame_scores, expected, rtol=0, atol=1e-9)
    assert display.score_ax_.get_ylabel() == "frames that score\nlower (per cent)"
    assert display.score_ax_.get_ylim()[1] > 100


def words(display):
    axes = [display.ax_, display.score_ax_]
    return " ".join(" ".join(text.get_text().split()) for ax in axes if ax is not None for text in ax.texts)


def test_a_clip_without_an_anomalous_frame_says_so(named):
    display = TimelineDisplay.from_statistics(named, clip_id="02").plot()
    assert not display.anomalous.any()
    assert "no frame of this clip has an anomalous pixel" in words(display)
    assert display.ax_.get_legend().get_title().get_text() in {"", "None"}


def test_a_clip_where_a_method_is_silent_says_so(named):
    text = words(TimelineDisplay.from_statistics(named, clip_id="03").plot())
    assert "instances: no anomalous pixel of the clip is flagged" in text
    assert "instances: all frames of the clip have one score" in text
    assert "maps:" not in text


def test_what_a_method_lacks_is_said(named):
    report, statistics = named["maps"]
    lacking = {
        "whole": named["maps"],
        "no pixels": (report, replace(statistics, flagged=None)),
        "no frames": (report, replace(statistics, frame_ranks=None)),
    }
    display = TimelineDisplay.from_statistics(lacking, clip_id="01").plot()
    text = words(display)
    assert "no pixels: no Pixel-F1," in text
    assert "no frames: no frame scores," in text
    assert (display.anomalous == named["maps"][1].frame_ranks.labels[0]).all()
    with pytest.raises(UsageError) as caught:
        TimelineDisplay.from_statistics(
            {"bare": (report, replace(statistics, flagged=None, frame_ranks=None))}, clip_id="01"
        )
    assert caught.value.code == "U283"


def test_wrong_calls(named):
    def code(given, clip="01"):
        with pytest.raises(UsageError) as caught:
            TimelineDisplay.from_statistics(given, clip_id=clip)
        return caught.value.code

    assert code(named, "1") == "U110"
    assert code({}) == "U158"
    report, _ = named["maps"]
    assert code({"maps": (report, named["instances"][1])}) == "U282"
    other = replace(named["maps"][1], signature=named["maps"][1].signature.replace("standard", "aed-2021"))
    assert code({"maps": (report, other)}) == "U282"


def test_made_methods_of_many_clips(tmp_path):
    named = {f"method {seed}": made_statistics(seed) for seed in range(6)}
    clip = next(iter(named.values()))[1].clip_ids[0]
    display = TimelineDisplay.from_statistics(named, clip_id=clip)
    first = write_displays([display], tmp_path / "a.svg").read_bytes()
    assert first == write_displays([display], tmp_path / "b.svg").read_bytes()
    # From the fifth line on there are markers, for dashes come again.
    markers = [line.get_marker() for line in display.lines_]
    assert markers[:4] == ["None"] * 4
    assert "None" not in markers[4:]
