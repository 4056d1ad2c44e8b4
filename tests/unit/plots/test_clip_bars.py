"""Bars clip by clip: the reports' numbers, rows that can be read, and clips without a value that say so."""

import numpy as np
import pytest
from made_statistics import made_statistics

from vadbench import Prediction, UsageError, evaluate
from vadbench.plots import ClipBarsDisplay, write_displays


def test_bars_are_the_clips_values_and_what_is_missing_is_said(reports):
    display = ClipBarsDisplay.from_reports(reports, metric="pixel_auroc").plot()
    assert display.methods == ("good", "poor")
    assert display.clip_ids == ("01", "02")
    for bars, report in zip(display.bars_, reports.values(), strict=True):
        values = [clip.scores["pixel_auroc"].value for clip in report.clips]
        assert values[1] is None
        assert [bar.get_height() for bar in bars[0]] == [100 * values[0], 0.0]
    ax = display.axes_[0]
    # Clip 02 has no anomalous pixel: one dash for both methods, and the reason below.
    assert [text.get_text() for text in ax.texts] == ["–"]
    assert "no value" in ax.get_xlabel()
    assert reports["good"].clips[1].scores["pixel_auroc"].reason in ax.get_xlabel()
    assert "(1 clip)" in ax.get_xlabel()
    assert "Pixel-AUROC" in ax.get_ylabel()
    assert "per cent" in ax.get_ylabel()
    together = [100 * report.value("pixel_auroc") for report in reports.values()]
    heights = [line.get_ydata()[0] for line in ax.lines]
    assert heights == together
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == [f"good  {together[0]:.2f}", f"poor  {together[1]:.2f}"]


def test_a_clip_that_one_method_lacks_has_a_dash_of_its_own(reports):
    other = reports["good"].model_copy(update={"clips": [reports["good"].clips[1]]})
    display = ClipBarsDisplay.from_reports({"whole": reports["good"], "part": other}, metric="pixel_auroc").plot()
    first, second = display.axes_[0].texts
    assert first.get_position()[0] > 0
    assert second.get_position()[0] == 1
    assert display.reasons["not in the report"] == 1


def test_many_clips_take_rows_of_one_width():
    named = {f"method {seed}": made_statistics(seed, dataset="shanghaitech", n_clips=107)[0] for seed in range(3)}
    display = ClipBarsDisplay.from_reports(named, metric="pixel_ap").plot()
    assert len(display.panels) == len(display.axes_) > 2
    assert sum(len(row) for row in display.bars_[0]) == 107
    assert len({ax.get_xlim() for ax in display.axes_}) == 1
    shown = [label.get_text() for ax in display.axes_ for label in ax.get_xticklabels()]
    assert shown == list(display.clip_ids)
    assert all(len(row) * len(named) <= 84 for row in display.bars_[0])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_bytes_twice(suffix, reports, tmp_path):
    display = ClipBarsDisplay.from_reports({"$\\broken{": reports["good"], "_b": reports["poor"]}, metric="pixel_ap")
    first = write_displays([display], tmp_path / f"a.{suffix}").read_bytes()
    assert first == write_displays([display], tmp_path / f"b.{suffix}").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {f"a.{suffix}", f"b.{suffix}"}


def test_wrong_calls(reports, dataset, predictions):
    def code(given, metric="pixel_ap"):
        with pytest.raises(UsageError) as caught:
            ClipBarsDisplay.from_reports(given, metric=metric)
        return caught.value.code

    assert code([]) == "U158"
    assert code(reports, "auc") == "U120"
    assert code({**reports, "other": evaluate(predictions, dataset, "aed-2021")}) == "U156"
    frames = {clip.id: Prediction(frame_scores=np.arange(6.0)) for clip in dataset.clips}
    assert code({"frames": evaluate(frames, dataset)}) == "U159"
    whole = reports["good"]
    bare = whole.model_copy(update={"clips": []})
    assert code({"bare": bare}) == "U280"
