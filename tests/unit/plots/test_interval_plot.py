"""Intervals: rows by value, ends where they are given, and nothing that is no interval."""

import math

import pytest
from made_statistics import made_statistics

from vadbench import UsageError
from vadbench.comparison import Interval, Unit, compare
from vadbench.plots import IntervalDisplay, write_displays

VALUES = {"low": 0.2, "high": 0.8, "none": None, "middle": 0.5}


def display_of(**given):
    return IntervalDisplay.from_values(VALUES, metric="Pixel-AP", **given)


def test_rows_go_down_by_value_and_numbers_stand_beside_them():
    display = display_of(
        clips={"low": (0.1, 0.3), "high": Interval(0.7, 0.9, 0.95, Unit.CLIPS, 1000, 0)},
        scenes={"high": (0.6, 0.95), "low": None},
        ranks={"high": (1, 1), "middle": (2, 3)},
        title="a · b",
        note="95 %, seed 0",
    ).plot()
    assert [row.name for row in display.rows] == ["high", "middle", "low"]
    assert display.missing == ("none",)
    assert list(display.points_.get_xdata()) == [80.0, 50.0, 20.0]
    ends = {line.get_ydata()[0]: list(line.get_xdata()) for line in display.clip_lines_}
    assert ends == {0: [70.0, 90.0], 2: [10.0, 30.0]}
    (scenes,) = display.scene_lines_
    assert list(scenes.get_xdata()) == pytest.approx([60.0, 95.0])
    # Told apart by shape, not by colour alone.
    assert scenes.get_linewidth() < display.clip_lines_[0].get_linewidth()
    assert scenes.get_marker() == "|"
    ax = display.ax_
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["value", "rank", "80.00", "1", "50.00", "2 – 3", "20.00"]
    assert "per cent" in ax.get_xlabel()
    assert "95 %, seed 0" in ax.get_xlabel()
    assert "no value: none" in ax.get_xlabel()
    top, bottom = ax.get_ylim()
    assert top > bottom
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["value", "clips resampled", "scenes resampled"]


def test_what_is_not_there_is_not_in_the_legend():
    display = display_of().plot()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["value"]
    assert "rank" not in [text.get_text() for text in display.ax_.texts]


def test_the_comparison_fits():
    named = {f"m{seed}": made_statistics(seed, dataset="shanghaitech", n_clips=12) for seed in range(3)}
    found = compare(named, metrics=["pixel_ap"], resamples=200, flips=10)
    own = found.estimates["pixel_ap"]
    display = IntervalDisplay.from_values(
        {name: estimate.value for name, estimate in own.items()},
        clips={name: estimate.clips for name, estimate in own.items()},
        ranks={name: estimate.ranks for name, estimate in own.items()},
        metric="Pixel-AP",
    )
    row = display.rows[0]
    assert row.clips == (own[row.name].clips.low, own[row.name].clips.high)
    assert row.ranks == own[row.name].ranks


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_bytes_twice(suffix, tmp_path):
    display = IntervalDisplay.from_values({"$x_{": 0.5, "_y": 0.4}, clips={"_y": (0.3, 0.5)}, metric="RBDC")
    first = write_displays([display], tmp_path / f"a.{suffix}").read_bytes()
    assert first == write_displays([display], tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    "given",
    [
        {"clips": {"high": (0.9, 0.7)}},
        {"scenes": {"high": (math.nan, 0.7)}},
        {"clips": {"stranger": (0.1, 0.2)}},
        {"ranks": {"stranger": (1, 2)}},
    ],
)
def test_wrong_intervals(given):
    with pytest.raises(UsageError) as caught:
        display_of(**given)
    assert caught.value.code == "U281"


def test_no_value_at_all():
    with pytest.raises(UsageError) as caught:
        IntervalDisplay.from_values({"a": None, "b": math.nan}, metric="RBDC")
    assert caught.value.code == "U281"
