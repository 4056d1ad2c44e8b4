"""Metrics over a parameter: the reports' numbers, in order, with the chosen value marked."""

import numpy as np
import pytest

from vadbench import UsageError, evaluate
from vadbench.plots import SensitivityDisplay, write_displays


def test_lines_are_the_reports_numbers_in_order_of_the_parameter(reports):
    display = SensitivityDisplay.from_reports(
        {1.5: reports["good"], 1.0: reports["poor"]}, parameter="threshold τ", chosen=1.5
    )
    assert display.plot() is display
    assert display.values == (1.0, 1.5)
    assert list(display.titles) == ["pixel_auroc", "pixel_ap", "rbdc", "tbdc"]
    for line, key in zip(display.lines_, display.titles, strict=True):
        expected = [reports[name].value(key) for name in ("poor", "good")]
        assert display.scores[key] == tuple(expected)
        assert line.get_xdata().tolist() == [1.0, 1.5]
        heights = [np.nan if value is None else 100 * value for value in expected]
        assert np.array_equal(line.get_ydata(), heights, equal_nan=True)
        assert line.get_label() == f"{display.titles[key]}  {100 * expected[1]:.2f}"
    # One report declares no threshold, and so has no boxes: the line has a gap, the others none.
    assert display.scores["rbdc"][0] is None
    assert display.ax_.get_xlabel() == "threshold τ"
    assert "per cent" in display.ax_.get_ylabel()
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["1.0", "1.5"]
    assert display.ax_.get_legend().get_texts()[-1].get_text() == "chosen: 1.5"
    assert display.ax_.lines[-1].get_xdata()[0] == 1.5
    styles = {(str(line.get_linestyle()), line.get_marker()) for line in display.lines_}
    assert len(styles) == 4


def test_names_stay_in_the_order_given(reports):
    given = {"tiny": reports["poor"], "small": reports["good"]}
    display = SensitivityDisplay.from_reports(given, parameter="size", metrics=["pixel_f1"]).plot()
    assert display.values == ("tiny", "small")
    assert display.lines_[0].get_xdata().tolist() == [0, 1]
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["tiny", "small"]
    assert display.lines_[0].get_label() == "Pixel-F1"


def test_metrics_that_no_report_has_are_left_out(reports):
    display = SensitivityDisplay.from_reports({1: reports["poor"]}, parameter="x")
    assert list(display.titles) == ["pixel_auroc", "pixel_ap"]


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_bytes_twice(suffix, reports, tmp_path):
    display = SensitivityDisplay.from_reports({1.0: reports["good"], 2.0: reports["poor"]}, parameter="$x", chosen=2.0)
    first = write_displays([display, display], tmp_path / f"a.{suffix}").read_bytes()
    assert first == write_displays([display, display], tmp_path / f"b.{suffix}").read_bytes()
    assert len(first) > 1000


def test_wrong_calls(reports, dataset, predictions, tmp_path):
    def code(given, **options):
        with pytest.raises(UsageError) as caught:
            SensitivityDisplay.from_reports(given, **{"parameter": "x", **options})
        return caught.value.code

    good = reports["good"]
    assert code({}) == "U158"
    assert code({1.0: good}, metrics=["rbcd"]) == "U120"
    assert code({1.0: good, 2.0: evaluate(predictions, dataset, "aed-2021")}) == "U156"
    assert code({1.0: reports["poor"]}, metrics=["rbdc"]) == "U159"
    assert code({1.0: good, "small": good}) == "U161"
    assert code({1.0: good}, chosen=1.5) == "U161"
    display = SensitivityDisplay.from_reports({1.0: good}, parameter="x")
    with pytest.raises(UsageError) as caught:
        write_displays([display], tmp_path / "a.jpg")
    assert caught.value.code == "U154"


def test_without_matplotlib_the_hint_says_what_to_install(reports, monkeypatch, tmp_path):
    display = SensitivityDisplay.from_reports({1.0: reports["good"]}, parameter="x")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for call in (display.plot, lambda: write_displays([display], tmp_path / "a.png")):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == "U153"
