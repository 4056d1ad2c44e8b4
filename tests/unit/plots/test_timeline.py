"""Pixel-F1 of single frames is that of the report; the display holds and draws it."""

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from vadbench import DataError, Instances, MemoryDataset, Prediction, Truth, UsageError, evaluate
from vadbench.plots import TimelineDisplay, frame_pixel_f1, write_displays

FRAMES, HEIGHT, WIDTH = 9, 12, 16
CLIPS = ("01", "02", "03")


def truth_masks(clip):
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), dtype=bool)
    if clip != "03":
        for frame in (1, 2, 3, 6):
            masks[frame, 3:8, 2 + frame : 7 + frame] = True
    return masks


def instances(seed):
    """Two boxes in some frames, near the object or beside it; never in frame 3, so that one counted frame is silent."""
    found = {}
    for clip in CLIPS:
        rng = np.random.default_rng([seed, int(clip)])
        frames, masks = [], []
        for frame in (1, 2, 2, 5, 6, 6):
            mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
            y, x = rng.integers(0, 6), rng.integers(0, 9)
            mask[y : y + 6, x : x + 6] = True
            frames.append(frame)
            masks.append(mask)
        scores = rng.random(len(frames)) + 1.0
        found[clip] = Prediction(instances=Instances.from_masks(frames, masks, scores, height=HEIGHT, width=WIDTH))
    return found


def score_maps(seed, dtype=np.float64):
    """Maps with negative scores, and one that is negative everywhere in a counted frame."""
    found = {}
    for clip in CLIPS:
        rng = np.random.default_rng([seed, int(clip)])
        maps = rng.normal(size=(FRAMES, HEIGHT, WIDTH)) + 1.5 * truth_masks(clip)
        maps[2] = -1.0 - rng.random((HEIGHT, WIDTH))
        if np.dtype(dtype).kind == "u":
            maps = np.clip(maps * 40, 0, 255)
        found[clip] = Prediction(score_maps=maps.astype(dtype))
    return found


@pytest.fixture
def dataset():
    return MemoryDataset({clip: Truth.from_arrays(truth_masks(clip)) for clip in CLIPS})


def display_of(dataset, predictions, protocol="tao-release", clip="01"):
    reports = {name: evaluate(own, dataset, protocol) for name, own in predictions.items()}
    return TimelineDisplay.from_reports(reports, predictions, dataset, clip_id=clip), reports


PREDICTIONS = {
    "instances": instances(0),
    "uint8": score_maps(1, np.uint8),
    "uint16": score_maps(2, np.uint16),
    "float32": score_maps(3, np.float32),
    "float64": score_maps(4),
}


@pytest.mark.parametrize("variant", ["", "+instances.scores=given", "+pixel.f1=at(0.8)"])
@pytest.mark.parametrize("kind", PREDICTIONS)
def test_the_mean_of_the_frames_is_the_report(kind, variant, dataset):
    predictions = {"mine": PREDICTIONS[kind]}
    values = []
    for clip in CLIPS:
        display, reports = display_of(dataset, predictions, f"tao-release{variant}", clip)
        (own,) = display.timelines
        values.append(own.pixel_f1)
        (row,) = [row for row in reports["mine"].clips if row.id == clip]
        if clip == "03":
            assert own.mean is None
        else:
            assert own.mean == pytest.approx(row.scores["pixel_f1"].value, abs=1e-12)
    together = np.concatenate(values)
    counted = together[~np.isnan(together)]
    assert len(counted) == 8
    assert 0 < counted.mean() < 1
    assert counted.mean() == pytest.approx(reports["mine"].value("pixel_f1"), abs=1e-12)


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_under_standard_the_frames_are_cut_at_the_threshold_of_the_report(kind, dataset):
    predictions = {"mine": PREDICTIONS[kind]}
    display, reports = display_of(dataset, predictions, "standard", "02")
    threshold = reports["mine"].scores["pixel_f1"].threshold
    prediction = predictions["mine"]["02"]
    masks = truth_masks("02")
    maps = np.full(masks.shape, -np.inf)
    if prediction.instances is None:
        for start, block in prediction.maps.blocks():
            maps[start : start + len(block)] = block
    else:
        for row, frame in enumerate(prediction.instances.frames):
            own = np.where(prediction.instances.mask(row), prediction.instances.scores[row], -np.inf)
            maps[frame] = np.maximum(maps[frame], own)
    for frame, value in enumerate(display.timelines[0].pixel_f1):
        flagged = maps[frame] >= threshold
        if masks[frame].any():
            expected = 2 * (flagged & masks[frame]).sum() / (flagged.sum() + masks[frame].sum())
            assert value == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(value)


def test_flagging_everything_is_a_threshold_too(dataset):
    nothing = np.zeros((HEIGHT, WIDTH), dtype=bool)
    nothing[0, 0] = True
    predictions = {
        clip: Prediction(instances=Instances.from_masks([0], [nothing], [1.0], height=HEIGHT, width=WIDTH))
        for clip in CLIPS
    }
    display, reports = display_of(dataset, {"mine": predictions}, "standard")
    assert reports["mine"].scores["pixel_f1"].threshold == "all"
    assert display.timelines[0].pixel_f1[1] == pytest.approx(2 * 25 / (HEIGHT * WIDTH + 25))


def test_scaling_ties_and_silent_frames():
    masks = np.zeros((3, 1, 4), dtype=bool)
    masks[:, 0, :2] = True
    maps = np.array([[[4.0, 2.0, 0.0, 0.0]], [[1.0, 1.0, 1.0, 0.0]], [[-1.0, -2.0, -3.0, -1.0]]])
    scaled = frame_pixel_f1(masks, maps, 0.5, scaling="frame-maximum", inclusive=False)
    assert scaled.tolist() == [pytest.approx(2 / 3), pytest.approx(0.8), 0.0]
    assert frame_pixel_f1(masks, maps, 0.5, scaling="frame-maximum").tolist()[0] == 1.0
    assert frame_pixel_f1(masks, maps, -1.5).tolist() == [pytest.approx(2 / 3), pytest.approx(2 / 3), 0.5]
    assert frame_pixel_f1(masks, maps, -1.0, scaling="frame-maximum", silent_is_zero=True)[2] == 0.0
    assert frame_pixel_f1(masks, maps, -1.0, scaling="frame-maximum")[2] == pytest.approx(2 / 3)
    # No float32 number is above the largest one.
    assert frame_pixel_f1(masks, maps.astype(np.float32), np.inf, inclusive=False).tolist() == [0.0] * 3


def test_truth_and_predictions_of_other_shapes():
    with pytest.raises(UsageError) as caught:
        frame_pixel_f1(np.ones((2, 3, 4)), np.ones((2, 4, 3)), 0.5)
    assert caught.value.code == "U163"


def test_the_display_draws_what_it_holds(dataset):
    predictions = {"maps": PREDICTIONS["float64"], "boxes": PREDICTIONS["instances"]}
    display, _ = display_of(dataset, predictions)
    assert display.plot() is display
    for line, own in zip(display.lines_, display.timelines, strict=True):
        assert np.array_equal(line.get_ydata(), 100 * own.pixel_f1, equal_nan=True)
        assert line.get_xdata().tolist() == list(range(FRAMES))
        assert line.get_label() == f"{own.name}  {100 * own.mean:.2f}"
    # A frame without an instance has no score; a map always has one.
    boxes, maps = display.timelines[1].frame_scores, display.timelines[0].frame_scores
    assert np.flatnonzero(np.isfinite(boxes)).tolist() == [1, 2, 5, 6]
    assert np.isfinite(maps).all()
    assert np.flatnonzero(np.isfinite(display.score_lines_[1].get_ydata())).tolist() == [1, 2, 5, 6]
    assert np.flatnonzero(display.anomalous).tolist() == [1, 2, 3, 6]
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in display.ax_.patches]
    assert bands == [(0.5, 3.5), (5.5, 6.5)]
    # Frame 6 alone has a value between two that have none.
    dots = [line for line in display.ax_.lines if line.get_marker() == "."]
    assert [line.get_xdata().tolist() for line in dots] == [[6], [6]]
    assert "per cent" in display.ax_.get_ylabel()
    assert display.score_ax_.get_xlabel() == "frame (0-based)"
    assert len({(line.get_color(), str(line.get_linestyle())) for line in display.lines_}) == 2


def test_one_axes_of_the_caller_leaves_frame_scores_out(dataset):
    display, _ = display_of(dataset, {"mine": PREDICTIONS["uint8"]})
    ax = Figure().subplots()
    display.plot(ax, linewidth=3.5)
    assert display.ax_ is ax
    assert display.score_ax_ is None
    assert display.score_lines_ == []
    assert display.lines_[0].get_linewidth() == 3.5
    assert ax.get_xlabel() == "frame (0-based)"


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_bytes_twice(suffix, dataset, tmp_path):
    display, _ = display_of(dataset, {"$\\broken{": PREDICTIONS["instances"]})
    before = "matplotlib.pyplot" in sys.modules
    first = write_displays([display], tmp_path / f"a.{suffix}", title="$x").read_bytes()
    second = write_displays([display], tmp_path / f"b.{suffix}", title="$x").read_bytes()
    assert first == second
    assert ("matplotlib.pyplot" in sys.modules) == before
    assert {path.name for path in tmp_path.iterdir()} == {f"a.{suffix}", f"b.{suffix}"}


def test_wrong_calls(dataset):
    def code(call):
        with pytest.raises(UsageError) as caught:
            call()
        return caught.value.code

    mine = {"mine": PREDICTIONS["uint8"]}
    reports = {"mine": evaluate(mine["mine"], dataset)}

    def display(reports=reports, predictions=mine, dataset=dataset, clip="01"):
        return TimelineDisplay.from_reports(reports, predictions, dataset, clip_id=clip)

    assert code(lambda: display(clip="07")) == "U110"
    assert code(lambda: display(predictions={"other": mine["mine"]})) == "U164"
    assert code(lambda: display(reports={}, predictions={})) == "U158"
    other = MemoryDataset({clip: Truth.from_arrays(truth_masks(clip)) for clip in CLIPS}, id="other")
    assert code(lambda: display(dataset=other)) == "U164"
    two = {**mine, "release": PREDICTIONS["uint8"]}
    released = evaluate(mine["mine"], dataset, "tao-release")
    assert code(lambda: display({**reports, "release": released}, two)) == "U156"
    unasked = {"mine": evaluate(mine["mine"], dataset, metrics=["rbdc"])}
    assert code(lambda: display(unasked)) == "U165"
    by_clip = {"mine": evaluate(mine["mine"], dataset, "standard+pixel.pooling=clip-mean")}
    assert code(lambda: display(by_clip)) == "U165"
    frames = {clip: Prediction(frame_scores=np.zeros(FRAMES)) for clip in CLIPS}
    assert code(lambda: display({"mine": evaluate(frames, dataset)}, {"mine": frames})) == "U165"
    bare = MemoryDataset(
        {clip: Truth.from_arrays(shape=(FRAMES, HEIGHT, WIDTH), labels=np.ones(FRAMES)) for clip in CLIPS}
    )
    with pytest.raises(DataError) as caught:
        display({"mine": evaluate(mine["mine"], bare)}, dataset=bare)
    assert caught.value.code == "D306"
